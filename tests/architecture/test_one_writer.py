"""Few modules change files, each its own kind, and all else is handed to them: so nothing is ever half-written."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

API = Path(__file__).parents[2] / "api"
MAY_WRITE = {
    API / "sessions/disk/files.py": "everything below the state folder",
    API / "workspace/folder.py": "everything below a workspace",
    API / "workspace/beneath.py": "nothing by itself; it opens what `folder.py` asks for",
    API / "workspace/guard.py": "what the kernel is told about a program before it starts, below /proc/self",
}

METHODS = {"write_text", "write_bytes", "touch"}
OF_OS = {"rename", "replace", "truncate", "link", "symlink"}
OF_SHUTIL = {"copy", "copy2", "copyfile", "copytree", "move"}


def changes(source: str) -> list[str]:
    """The calls in `source` that change files, as `line: call`."""
    return [f"{call.lineno}: {ast.unparse(call)[:80]}" for call in _calls(source) if _changes_files(call)]


def _calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def _changes_files(call: ast.Call) -> bool:
    match call.func:
        case ast.Name("open"):
            return _is_writing(_mode(call, at=1))
        case ast.Attribute(ast.Name("os"), "open"):
            return "O_RDONLY" not in ast.unparse(call)
        case ast.Attribute(ast.Name("os"), name):
            return name in OF_OS
        case ast.Attribute(ast.Name("shutil"), name):
            return name in OF_SHUTIL
        case ast.Attribute(ast.Name("tempfile"), _):
            return True
        case ast.Attribute(_, "open"):
            mode = _mode(call, at=0)
            return isinstance(mode, ast.Constant) and _is_writing(mode)  # other things than files open addresses
        case ast.Attribute(_, name):
            return name in METHODS
    return False


def _mode(call: ast.Call, *, at: int) -> ast.expr:
    given = [word.value for word in call.keywords if word.arg == "mode"] or call.args[at : at + 1]
    return given[0] if given else ast.Constant("r")


def _is_writing(mode: ast.expr) -> bool:
    """A mode that is not spelled out could be any."""
    return not isinstance(mode, ast.Constant) or bool({*str(mode.value)} & {*"wax+"})


@pytest.mark.parametrize("path", sorted(API.rglob("*.py")), ids=lambda path: str(path.relative_to(API)))
def test_only_the_writers_change_files(path: Path) -> None:
    found = changes(path.read_text())

    assert bool(found) == (path in MAY_WRITE), "\n".join(found)


WRITERS = [
    "open('x', 'w')",
    "open('x', mode='ab')",
    "open('x', m)",
    "p.open('r+')",
    "p.write_text('')",
    "p.write_bytes(b'')",
    "os.open('x', os.O_WRONLY | os.O_CREAT)",
    "os.open('x', flags)",
    "os.replace(a, b)",
    "shutil.move(a, b)",
    "tempfile.mkstemp()",
    "def f():\n  async def g():\n    with open('x', 'x') as y: pass",
]
READERS = ["open('x')", "open('x', 'rb')", "p.open()", "p.open('r')", "p.read_text()", "'a'.replace('a', 'b')"]


@pytest.mark.parametrize("source", WRITERS)
def test_the_check_finds_writers(source: str) -> None:
    assert changes(source)


@pytest.mark.parametrize("source", READERS)
def test_the_check_lets_readers_be(source: str) -> None:
    assert not changes(source)
