"""The page's build: skipped when nothing changed, and never half done."""

import gzip
import sys
from pathlib import Path

import pytest

from web import build

# Stands for npm: notes its arguments, and for `run build` lays a page where it is told to, as Vite would.
FAKE_NPM = """
import os, pathlib, sys
web = pathlib.Path.cwd()
with open(web / ".asked", "a") as asked:
    print(sys.argv[1], file=asked)
if sys.argv[1] == "ci":
    (web / "node_modules").mkdir(exist_ok=True)
if sys.argv[1] == "run":
    page = pathlib.Path(os.environ["FIRESIDE_PAGE_OUT"])
    page.mkdir()
    (page / "app.js").write_text((web / "src/main.ts").read_text())
    if (web / ".fail").exists():
        sys.exit("no such module")
    (page / "index.html").write_text("<!doctype html>")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("src", "public"):
        (tmp_path / "web" / name).mkdir(parents=True)
    (tmp_path / "api").mkdir()
    (tmp_path / "npm.py").write_text(FAKE_NPM)
    (tmp_path / "web/package-lock.json").write_text("{}")
    (tmp_path / "web/src/main.ts").write_text("one();" * 100)
    return tmp_path


def build_page(root: Path) -> None:
    build.build(root, npm=build.Npm([sys.executable, str(root / "npm.py")], root))


def asked(root: Path) -> list[str]:
    return (root / "web/.asked").read_text().split()


def test_a_built_page_is_fresh_until_a_source_changes(root: Path):
    before = build.is_fresh(root)
    build_page(root)
    built = build.is_fresh(root)
    (root / "web/src/main.ts").write_text("two();")

    assert (before, built, build.is_fresh(root)) == (False, True, False)


@pytest.mark.parametrize("name", ["public/icon.svg", "src/deep/er.svelte", "vite.config.ts", "package-lock.json"])
def test_every_file_that_the_page_is_made_of_counts(root: Path, name: str):
    before = build.sources_digest(root)
    path = root / "web" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")

    assert build.sources_digest(root) != before


@pytest.mark.parametrize("name", ["node_modules/a.js", "tests/a.ts", "src/a.test.ts", "dist/a.js", "src/.a.ts.swp"])
def test_a_file_that_the_page_is_not_made_of_does_not_count(root: Path, name: str):
    before = build.sources_digest(root)
    path = root / "web" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")

    assert build.sources_digest(root) == before


def test_packages_are_installed_again_only_when_their_lock_changes(root: Path):
    build_page(root)
    (root / "web/src/main.ts").write_text("two();")
    build_page(root)
    (root / "web/package-lock.json").write_text('{"name": "x"}')
    build_page(root)

    assert asked(root) == ["ci", "run", "run", "ci", "run"]


def test_a_failed_build_leaves_the_page_from_before_and_is_tried_again(root: Path):
    build_page(root)
    (root / "web/src/main.ts").write_text("two();")
    (root / "web/.fail").touch()

    with pytest.raises(build.BuildFailed) as failure:
        build_page(root)

    assert "no such module" in failure.value.output
    assert (root / "api/static/app.js").read_text() == "one();" * 100
    assert not build.is_fresh(root)


def test_what_a_killed_build_left_behind_is_swept_away_by_the_next(root: Path):
    for leftover in (".static-new", ".static-old"):
        (root / "api" / leftover).mkdir()
        (root / "api" / leftover / "half.js").touch()

    build_page(root)

    assert [path.name for path in (root / "api").iterdir()] == ["static"]
    assert not (root / "api/static/half.js").exists()


def test_what_becomes_smaller_has_a_packed_copy_beside_it(root: Path):
    build_page(root)

    page = root / "api/static"
    assert gzip.decompress((page / "app.js.gz").read_bytes()) == (page / "app.js").read_bytes()
    assert not (page / "index.html.gz").exists()


@pytest.mark.parametrize(
    ("version", "enough"),
    [("v20.19.0", True), ("v24.1.0\n", True), ("v22.12.1", True), ("v20.18.3", False), ("v21.7.0", False), ("", False)],
)
def test_node_is_new_enough_when_vite_runs_on_it(version: str, enough: bool):
    assert build.is_new_enough(version) is enough
