"""How the code hangs together, and how large its pieces are."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
MOST_LINES = 700
GENERATED = {"web/src/wire/schema.ts"}


def _files(*suffixes: str) -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if name.endswith(suffixes) and name not in GENERATED and (ROOT / name).is_file():
            yield ROOT / name


def test_no_module_imports_itself_by_way_of_others() -> None:
    # Imports within functions are counted too: a circle that is put off is still a circle.
    graph = grimp.build_graph("api", cache_dir=None)

    circles = [
        f"{module} -> {other}"
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        if graph.chain_exists(importer=other, imported=module)
    ]

    assert not circles


def test_no_file_is_too_long_to_be_held_in_mind() -> None:
    lengths = {path: path.read_bytes().count(b"\n") for path in _files(".py", ".ts", ".svelte", ".css", ".js")}

    assert len(lengths) > 100
    assert not {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_every_module_says_in_its_first_line_what_it_is_about() -> None:
    silent = []
    for path in _files(".py"):
        docstring = ast.get_docstring(ast.parse(path.read_bytes()))
        is_empty = not path.read_bytes().strip()
        if not is_empty and not (docstring and docstring.splitlines()[0].rstrip()[-1] in ".:?`"):
            silent.append(str(path.relative_to(ROOT)))

    assert not silent


def test_no_file_tells_of_work_left_over_or_of_one_machine() -> None:
    # Written in two parts, or this file would be one that does.
    words = ["TO" + "DO", "FIX" + "ME", "/ro" + "ot/", "/Us" + "ers/"]
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in _files(".py", ".ts", ".svelte", ".css", ".md", ".toml", ".sh", "run")
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]

    assert not found
