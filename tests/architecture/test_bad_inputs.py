"""Every bad input that the documentation names is held by a test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named_in_tests() -> set[int]:
    lines = [
        line
        for path in (ROOT / "tests").rglob("*.py")
        for line in re.findall(r"^# Bad inputs? .*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return {int(number) for line in lines for number in re.findall(r"\b\d+\b", line)}


def test_every_bad_input_has_its_test() -> None:
    page = (ROOT / "docs/bad-inputs.md").read_text(encoding="utf-8")
    described = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]

    assert described == list(range(1, len(described) + 1))
    assert not {*described} - named_in_tests()
