"""Looks through a workspace for names or lines. Run as a script, in a process that is ended when it takes too long.

A regular expression can take for ever, or all memory; here that harms nobody. The one argument is a `Request` as JSON.
Answers in JSON lines: a `Line` for each thing found, and last an `Ending`.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.domain.errors import AppError, BadRequest
from api.workspace.folder import Entry, Folder
from api.workspace.texts import is_binary

SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", ".mypy_cache", ".ruff_cache"})
"""Folders that hold what nobody wrote."""
_MOST_BYTES = 5_000_000
_MOST_ENTRIES = 200_000
_LONGEST_LINE = 300


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Which files: `glob` fits their name, `below` a folder. With a `pattern`, the lines of them that it fits."""

    folder: str
    refused: list[str]
    glob: str
    below: str
    pattern: str
    ignores_case: bool
    most: int


class Line(msgspec.Struct, frozen=True, tag="line"):
    """A line that was found, by its file; without `number`, which counts from 1, the file itself."""

    name: str
    number: int = 0
    text: str = ""


class Ending(msgspec.Struct, frozen=True, tag="end"):
    """`cut` says why there may be more, empty if not. `passed_over`: files too large. `failed`: a sentence."""

    cut: str = ""
    passed_over: int = 0
    failed: str = ""


def main() -> None:
    try:
        search = _Search(msgspec.convert(json.loads(sys.argv[1]), Request))
        for line in search.found():
            _say(line)
        _say(Ending(search.cut, search.passed_over))
    except AppError as error:
        _say(Ending(failed=error.message))


def _say(what: Line | Ending) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()  # so that it is known should there be no end


class _Search:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._folder = Folder(Path(request.folder), map(Path, request.refused))
        self.cut = ""
        self.passed_over = 0

    def found(self) -> Iterator[Line]:
        for count, line in enumerate(self._lines() if self._request.pattern else self._names()):
            if count == self._request.most:
                self.cut = f"only the first {count} are given"
                return
            yield line

    def _names(self) -> Iterator[Line]:
        return (Line(_writable(entry.name)) for entry in self._files())

    def _lines(self) -> Iterator[Line]:
        flags = re.MULTILINE | (re.IGNORECASE if self._request.ignores_case else 0)
        pattern = _compiled(self._request.pattern, "regular expression", flags)
        for entry in self._files():
            if entry.size > _MOST_BYTES:
                self.passed_over += 1
            else:
                yield from self._in_file(pattern, entry.name)

    def _files(self) -> Iterator[Entry]:
        glob = self._request.glob.removeprefix("./")
        fits = _compiled(_as_expression(glob), "glob") if glob else None
        for count, entry in enumerate(self._folder.walk(self._request.below, skipped=SKIPPED)):
            if count == _MOST_ENTRIES:
                self.cut = f"only the first {count:,} files were looked at"
                return
            subject = entry.name if "/" in glob else entry.name.rpartition("/")[2]
            if entry.kind == "file" and (fits is None or fits.fullmatch(subject)):
                yield entry

    def _in_file(self, pattern: re.Pattern[str], name: str) -> Iterator[Line]:
        try:
            data = self._folder.read(name, _MOST_BYTES).data
        except AppError:  # gone, or grown, or not to be read: as if it were not there
            return
        if is_binary(data):
            return
        text = data.decode(errors="replace").replace("\r\n", "\n")
        number, counted = 1, 0
        for match in pattern.finditer(text):
            if match.start() < counted or match.start() == len(text):  # on the line that was the last, or beyond it
                continue
            number += text.count("\n", counted, match.start())
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.start())
            end = len(text) if end < 0 else end
            yield Line(_writable(name), number, _clipped(text[start:end], match.start() - start))
            number, counted = number + 1, end + 1


def _writable(name: str) -> str:
    """Names may be of bytes that are no text, which JSON has no way to say."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _clipped(line: str, place: int) -> str:
    """The part of a long line that shows what was found."""
    if len(line) <= _LONGEST_LINE:
        return line
    start = max(0, min(place - 60, len(line) - _LONGEST_LINE))
    part = line[start : start + _LONGEST_LINE]
    return ("…" if start else "") + part + ("…" if start + _LONGEST_LINE < len(line) else "")


def _compiled(pattern: str, what: str, flags: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadRequest(f"{pattern!r} is no {what}: {error}.") from error


def _as_expression(glob: str) -> str:
    """A glob as a regular expression for whole names: `**` goes through folders, `*` and `?` do not."""
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]/]+\])", glob)
    return "(?s:" + "".join(known.get(part) or _letters(part) for part in parts) + ")"


def _letters(part: str) -> str:
    if not (part.startswith("[") and part.endswith("]") and len(part) > 2):
        return re.escape(part)
    inner = re.sub(r"[\\\[\]^&|~]", r"\\\g<0>", part[1:-1].removeprefix("!"))
    return f"[{'^/' if part[1] == '!' else ''}{inner}]"


if __name__ == "__main__":
    main()
