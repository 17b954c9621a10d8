"""What the documentation leaves out, and where it leads nowhere."""

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest

from api.http.answers import Error
from api.http.sse import ENDINGS, NAMES
from api.routes import ROUTES
from api.settings import PREFIX, Settings
from tests.http.table import BODIES

ROOT = Path(__file__).parents[2]
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
HTTP_API = (ROOT / "docs/http-api.md").read_text(encoding="utf-8")
SHOWN = {"()": "", "": "", "False": "`false`", "True": "`true`"}
"""How a default is written, where not as `itself`."""


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_a_setting_is_described_with_its_default_and_its_sentence(setting: Field[Any]) -> None:
    [row] = re.findall(rf"^\| `{PREFIX}{setting.name.upper()}` \|(.*)\|(.*)\|$", SETTINGS, re.MULTILINE)

    assert row[1].strip() == setting.metadata["sentence"]
    if setting.default is not MISSING:
        default = str(setting.default)
        assert row[0].strip() == SHOWN.get(default, f"`{default}`")


def test_no_setting_is_described_that_there_is_not() -> None:
    described = set(re.findall(rf"^\| `{PREFIX}(\w+)`", SETTINGS, re.MULTILINE))

    assert described == {setting.name.upper() for setting in fields(Settings)}


def test_every_route_is_described_and_no_other() -> None:
    described = re.findall(r"^\| `(GET|POST) (/\S+)`", HTTP_API, re.MULTILINE)

    assert sorted(described) == sorted((route.method, route.path) for route in ROUTES)


@pytest.mark.parametrize("path", BODIES)
def test_the_fields_that_a_route_takes_are_named(path: str) -> None:
    [row] = [line for line in HTTP_API.splitlines() if line.startswith(f"| `POST {path}`")]
    if "the same, and" in row:
        row += next(line for line in HTTP_API.splitlines() if line.startswith("| `POST /api/providers/test`"))

    assert not {name for name in BODIES[path].model_fields if f"`{name}`" not in row} - {"request_id"}


def test_every_event_of_a_stream_is_named() -> None:
    names = {
        *NAMES.values(),
        *ENDINGS.values(),
        "done",
        "resync",
        "bye",
        "sessions_changed",
        "models_changed",
        "projects_changed",
        "draft_changed",
        "messages_changed",
        "asides_changed",
        "tasks_changed",
    }

    assert not {name for name in names if f"`{name}`" not in HTTP_API}
    assert not {name for name in Error.model_fields if name not in HTTP_API}


def codes_of(tree: ast.AST) -> Iterator[str]:
    """The codes that errors, failures and notices are made with, wherever a module does so."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="code", value=value):
                yield from texts_in(value)
            case ast.Call(func=ast.Name("Failure") | ast.Attribute(attr="Failure"), args=[code, *_]):
                yield from texts_in(code)
            case ast.Assign(targets=[ast.Name("code")], value=value):
                yield from texts_in(value)
            case ast.Assign(targets=[ast.Tuple([ast.Name("status"), ast.Name("code")])], value=ast.Tuple([_, value])):
                yield from texts_in(value)


def texts_in(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from (*texts_in(one), *texts_in(other))


def test_every_code_of_an_error_is_listed_and_no_other() -> None:
    modules = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "api").rglob("*.py")]
    made = {code for module in modules for code in codes_of(module) if re.fullmatch("[a-z_]+[a-z]", code)}
    listed = re.search(r"^## Codes\n(.*?)^Beside some", HTTP_API, re.DOTALL | re.MULTILINE)
    assert listed

    assert set(re.findall(r"`([a-z_]+)`", listed[1])) - {"warning"} == made


def test_every_test_that_the_promises_name_exists() -> None:
    page = (ROOT / "docs/promises.md").read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    files = re.findall(r"`((?:tests/\w+/)?test_\w+\.py)`", page)

    assert len(tests) >= 10 and len(files) >= 10
    for file, name in tests:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), name
    assert not [file for file in files if not any((ROOT / place / file).is_file() for place in ("", "tests/faults"))]


def test_every_cell_of_the_promises_has_its_test() -> None:
    page = (ROOT / "docs/promises.md").read_text(encoding="utf-8")
    _, _, *rows = re.findall(r"^\|.*\|$", page.partition("And beyond the table")[0], re.MULTILINE)
    cells = [cell for row in rows for cell in row.strip("|").split("|")[1:]]
    proofs = set(re.findall(r"^(\d+)\. `tests/", page, re.MULTILINE))

    assert len(rows) == 5
    assert all(set(re.findall(r"\[(\d+)\]", cell)) & proofs for cell in cells)


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.name)
def test_a_link_of_the_documentation_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert not [link for link in links if not (page.parent / link).exists()]
