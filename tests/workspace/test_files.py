"""Reading, changing and searching the files of a workspace."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.errors import AppError, BadRequest, Conflict, TooLarge, UnsupportedMedia
from api.workspace import files
from api.workspace.diffs import unified
from api.workspace.folder import Folder
from api.workspace.searching import search
from api.workspace.texts import decoded, edited, encoded
from tests.workspace.conftest import running


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "ws/src").mkdir(parents=True)
    return tmp_path / "ws"


@pytest.fixture
def folder(place: Path) -> Iterator[Folder]:
    with Folder(place) as folder:
        yield folder


def edit(folder: Folder, name: str, old: str, new: str, *, known: str | None = None, replaces_all: bool = False) -> str:
    change = files.plan_edit(folder, name, old, new, replaces_all=replaces_all, known=known)
    files.make(folder, change)
    return change.diff


def write(folder: Folder, name: str, content: str, *, known: str | None = None) -> str:
    change = files.plan_write(folder, name, content, known=known)
    files.make(folder, change)
    return change.diff


def test_a_file_is_read_by_lines_and_what_is_left_is_known(folder: Folder, place: Path) -> None:
    (place / "long").write_text("".join(f"line {number}\n" for number in range(1, 5001)))

    middle = files.read(folder, "long", first=100, most_lines=3)
    short = files.read(folder, "long", most_chars=20)

    assert (middle.text, middle.first, middle.last, middle.lines) == ("line 100\nline 101\nline 102\n", 100, 102, 5000)
    assert (short.text, short.last) == ("line 1\nline 2\n", 2)
    assert files.read(folder, "long", first=6000).text == ""


# Bad input 102
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x7fELF\x02\0\0", UnsupportedMedia),
        (bytes(range(32)) * 9, UnsupportedMedia),
        (b"\xff\xfe\xfd", UnsupportedMedia),  # half a letter of UTF-16
        (b"a" * (files.MOST_BYTES + 1), TooLarge),
    ],
    ids=["program", "controls", "cut", "large"],
)
def test_what_is_no_text_or_too_much_is_told_and_not_read(
    folder: Folder, place: Path, data: bytes, reason: type[AppError]
) -> None:
    (place / "odd").write_bytes(data)

    with pytest.raises(reason):
        files.read(folder, "odd")
    with pytest.raises(reason):
        files.plan_write(folder, "odd", "text", known=None)
    assert (place / "odd").read_bytes() == data


# Bad input 102
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\r\ntwo\r\nthree\r\n", b"one\r\n2\r\n2b\r\nthree\r\n"),
        (b"one\ntwo\nthree", b"one\n2\n2b\nthree"),
        (b"one\r\ntwo\nthree\r\n", b"one\r\n2\r\n2b\nthree\r\n"),
        (b"\xef\xbb\xbfone\r\ntwo\r\n", b"\xef\xbb\xbfone\r\n2\r\n2b\r\n"),
        ("one\ntwo\né".encode("latin-1"), "one\n2\n2b\né".encode("latin-1")),
        ("\ufeffone\r\ntwo\r\n".encode("utf-16-le"), "\ufeffone\r\n2\r\n2b\r\n".encode("utf-16-le")),
    ],
    ids=["CRLF", "no last line end", "mixed", "mark", "latin-1", "utf-16"],
)
def test_an_edit_changes_what_it_names_and_no_other_byte(
    folder: Folder, place: Path, before: bytes, after: bytes
) -> None:
    (place / "file").write_bytes(before)

    edit(folder, "file", "two", "2\n2b")

    assert (place / "file").read_bytes() == after


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r", "é"])), st.data())
def test_every_byte_outside_an_edit_is_kept(letters: list[str], data: st.DataObject) -> None:
    text = "".join(letters)
    plain = text.replace("\r\n", "\n")
    start = data.draw(st.integers(0, len(plain)))
    old = plain[start : data.draw(st.integers(start, len(plain)))]
    if not old or "\r\n" in old:  # which stands for the same as `\n`
        return

    got, times = edited(decoded(text.encode(), "f"), old, "X", "f", replaces_all=True)

    # With the line ends made alike it is what replacing always does, and what was before and after is as it was.
    assert got.plain == plain.replace(old, "X")
    assert times == plain.count(old)
    head, tail = got.text.split("X")[0], got.text.split("X")[-1]
    assert text.startswith(head) and text.endswith(tail)
    assert decoded(encoded(got, "f"), "f") == got


def test_a_whole_file_is_written_with_the_line_ends_and_the_encoding_it_has(folder: Folder, place: Path) -> None:
    (place / "file").write_bytes("\ufeffa\r\nb\r\n".encode("utf-16-le"))
    known = files.read(folder, "file").version

    diff = write(folder, "file", "a\nc\n", known=known)

    assert (place / "file").read_bytes() == "\ufeffa\r\nc\r\n".encode("utf-16-le")
    assert "-b\r\n+c\r\n" in diff
    with pytest.raises(Conflict):
        write(folder, "file", "again", known=known)


def test_a_letter_that_the_encoding_has_not_is_refused(folder: Folder, place: Path) -> None:
    (place / "file").write_bytes(b"caf\xe9\n")

    with pytest.raises(BadRequest, match="latin-1"):
        edit(folder, "file", "café", "☕")

    assert (place / "file").read_bytes() == b"caf\xe9\n"


# Bad input 102
def test_a_change_that_cannot_be_meant_is_refused(folder: Folder, place: Path) -> None:
    (place / "file").write_text("x = 1\nx = 1\n")
    known = files.read(folder, "file").version

    for old, new, reason in [
        ("x = 1", "y", "2 times"),
        ("z", "y", "is not in"),
        ("", "y", "is empty"),
        ("x", "x", "the same"),
    ]:
        with pytest.raises(AppError, match=reason):
            edit(folder, "file", old, new)
    with pytest.raises(Conflict, match="has not been read"):
        write(folder, "file", "new")
    (place / "file").write_text("x = 2\n")
    with pytest.raises(Conflict, match="changed since it was read"):
        edit(folder, "file", "x", "y", known=known)

    assert (place / "file").read_text() == "x = 2\n"


def test_a_change_worked_out_before_another_came_between_is_not_made(folder: Folder, place: Path) -> None:
    (place / "file").write_text("one\n")
    change = files.plan_edit(folder, "file", "one", "two", replaces_all=False, known=None)
    (place / "file").write_text("by hand\n")

    with pytest.raises(Conflict):
        files.make(folder, change)

    assert (place / "file").read_text() == "by hand\n"


def test_all_places_are_replaced_when_that_is_asked_for(folder: Folder, place: Path) -> None:
    (place / "file").write_text("a b a\n")

    edit(folder, "file", "a", "aa", replaces_all=True)

    assert (place / "file").read_text() == "aa b aa\n"


# Bad input 102
def test_an_empty_file_is_read_and_filled(folder: Folder, place: Path) -> None:
    (place / "empty").touch()
    reading = files.read(folder, "empty")

    diff = write(folder, "empty", "now\n", known=reading.version)

    assert (reading.text, reading.lines, reading.last) == ("", 0, 0)
    assert diff == "--- a/empty\n+++ b/empty\n@@ -0,0 +1,1 @@\n+now\n"


lines = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=40).map("\n".join)


@settings(deadline=None, max_examples=100)
@given(lines, lines)
def test_a_diff_is_one_that_git_can_apply(tmp_path_factory: pytest.TempPathFactory, before: str, after: str) -> None:
    place = tmp_path_factory.mktemp("diff")
    (place / "file").write_text(before)

    diff = unified("file", before, after)

    if diff:
        subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=place, input=diff, text=True, check=True)
    assert (place / "file").read_text() == after


def test_a_diff_of_two_files_that_share_nothing_is_quick_and_whole() -> None:
    before, after = ("".join(f"{word} {number}\n" for number in range(20000)) for word in ("old", "new"))

    diff = unified("file", "same\n" + before, "same\n" + after)

    assert diff.startswith("--- a/file\n+++ b/file\n@@ -1,20001 +1,20001 @@\n same\n-old 0\n")
    assert "characters more" in diff[-100:]


@pytest.fixture
def tree(place: Path) -> Path:
    for name in (
        "app.py",
        "src/main.py",
        "src/main.rs",
        "src/deep/er/test_a.py",
        ".git/config.py",
        "node_modules/x.py",
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(f"import os\r\n# {name}\nclass Thing:\n    pass\n")
    (place / "data.bin").write_bytes(b"class Thing\0")
    (place / "out").symlink_to("/etc")
    return place


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("*.py", ["app.py", "src/deep/er/test_a.py", "src/main.py"]),
        ("src/*.py", ["src/main.py"]),
        ("src/**/*.py", ["src/deep/er/test_a.py", "src/main.py"]),
        ("**/main.[!p]*", ["src/main.rs"]),
        ("main.?s", ["src/main.rs"]),
        ("*.{py}", []),
    ],
)
async def test_files_are_found_by_their_names(
    tree: Path, folder: Folder, mark: str, glob: str, names: list[str]
) -> None:
    found = await search(folder, mark=mark, glob=glob)

    assert sorted(line.name for line in found.lines) == names
    assert not found.cut


@pytest.mark.anyio
async def test_lines_are_found_by_what_they_say(tree: Path, folder: Folder, mark: str) -> None:
    found = await search(folder, mark=mark, pattern="^CLASS (T.*):$", ignores_case=True, below="src")
    few = await search(folder, mark=mark, pattern="import", most=2)

    assert [(line.name, line.number, line.text) for line in found.lines] == [
        ("src/main.py", 3, "class Thing:"),
        ("src/main.rs", 3, "class Thing:"),
        ("src/deep/er/test_a.py", 3, "class Thing:"),
    ]
    assert len(few.lines) == 2 and few.cut


# Bad input 52
@pytest.mark.anyio
async def test_a_search_that_would_never_end_ends(tree: Path, folder: Folder, mark: str) -> None:
    (tree / "zz").write_text("needle\n" + "a" * 60 + "!\n")

    found = await search(folder, mark=mark, pattern="needle|^(a+)+$", within_s=1.5)

    assert [line.text for line in found.lines] == ["needle"]
    assert "within 1.5 seconds" in found.cut
    assert not running(str(tree))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": "x" * 2000}, "too many"),
        ({"pattern": "x", "below": "../.."}, "leads out"),
        ({"pattern": "x", "below": "/etc"}, "outside"),
        ({"pattern": "x", "below": "gone"}, "There is no"),
    ],
)
async def test_a_search_that_makes_no_sense_is_told(
    tree: Path, folder: Folder, mark: str, wanted: dict[str, str], reason: str
) -> None:
    with pytest.raises(AppError, match=reason):
        await search(folder, mark=mark, **wanted)


# S16
@pytest.mark.anyio
async def test_no_name_is_taken_for_a_command_or_an_option(place: Path, folder: Folder, mark: str) -> None:
    names = ["; touch canary", "$(touch canary)", "--upload-pack=touch canary", "-oProxyCommand=touch canary", "a\nb"]
    for name in names:
        (place / name).write_text("needle\n")

    found = await search(folder, mark=mark, pattern="needle")
    for name in names:
        edit(folder, name, "needle", "thread")
    one = await search(folder, mark=mark, glob="-oProxy*", pattern="thread")

    assert sorted(line.name for line in found.lines) == sorted(names)
    assert [line.name for line in one.lines] == ["-oProxyCommand=touch canary"]
    assert folder.look("canary") is None
