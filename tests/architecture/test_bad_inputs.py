"""Every bad input that the documentation names is held by a test, but for those of features that are not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

NOT_HERE = {
    47: "nothing takes uploads",
    48: "nothing takes forms; that they are refused unread is held under 16",
    49: "nothing decodes images",
    56: "there are no passkeys",
    58: "there are no webhooks",
}


def named_in_tests() -> set[int]:
    lines = [
        line
        for path in (ROOT / "tests").rglob("*.py")
        for line in re.findall(r"^# Bad inputs? .*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return {int(number) for line in lines for number in re.findall(r"\b\d+\b", line)}


def test_every_bad_input_has_its_test_or_no_way_in() -> None:
    page = (ROOT / "docs/bad-inputs.md").read_text(encoding="utf-8")
    described = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]

    assert described == list(range(1, len(described) + 1))
    assert not {*described} - named_in_tests() - {*NOT_HERE}
    assert not named_in_tests() & {*NOT_HERE}
