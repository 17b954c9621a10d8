"""The text of a file with all that has to survive a change of it: its encoding, its mark, its line ends."""

import codecs
from bisect import bisect_left
from itertools import pairwise

import msgspec

from api.domain.errors import BadRequest, Conflict, UnsupportedMedia

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = frozenset(range(32)) - {7, 8, 9, 10, 12, 13, 27}


class Text(msgspec.Struct, frozen=True):
    """`text` has every line end as it is in the file. `mark` are the bytes before it that tell the encoding."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    @property
    def plain(self) -> str:
        """With `\\n` at the end of every line."""
        return self.text.replace("\r\n", "\n")

    @property
    def line_end(self) -> str:
        """The one that most lines have."""
        windows = self.text.count("\r\n")
        return "\r\n" if windows and windows * 2 > self.text.count("\n") else "\n"


def decoded(data: bytes, name: str) -> Text:
    """Any bytes come back from `encoded` as they were.

    Raises:
        UnsupportedMedia: it is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return Text(data[len(mark) :].decode(encoding), encoding, mark)
            except UnicodeDecodeError as error:
                raise UnsupportedMedia(f"{name!r} begins like {encoding} and is none, so it is not read.") from error
    if is_binary(data):
        raise UnsupportedMedia(f"{name!r} is no text ({len(data):,} bytes), so it is not read.")
    try:
        return Text(data.decode())
    except UnicodeDecodeError:
        return Text(data.decode("latin-1"), "latin-1")  # which has a letter for every byte


def is_binary(data: bytes) -> bool:
    head = data[:65536]
    return b"\0" in head or sum(byte in _CONTROLS for byte in head) * 20 > len(head)


def encoded(text: Text, name: str) -> bytes:
    try:
        return text.mark + text.text.encode(text.encoding)
    except UnicodeEncodeError as error:
        letter = ascii(text.text[error.start])
        why = f"{name!r} is stored as {text.encoding}, which has no {letter}; nothing was written."
        raise BadRequest(why) from error


def rewritten(old: Text, content: str) -> Text:
    """`content` in the encoding and with the line ends of `old`."""
    plain = content.replace("\r\n", "\n")
    return Text(plain.replace("\n", old.line_end), old.encoding, old.mark)


def edited(text: Text, old: str, new: str, name: str, *, replaces_all: bool) -> tuple[Text, int]:
    """`text` with `old` replaced, and how often. Whatever is not replaced keeps its bytes, line ends too.

    Raises:
        BadRequest: `old` is empty, or the same as `new`.
        Conflict: `old` is not there, or more than once.
    """
    old, new = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    if not old:
        raise BadRequest("The text to replace is empty.")
    if old == new:
        raise BadRequest("The text to replace and the new text are the same.")
    plain = text.plain
    found = _places(plain, old)
    if not found:
        raise Conflict(f"The text to replace is not in {name!r}. Read the file and give the text exactly as it is.")
    if len(found) > 1 and not replaces_all:
        raise Conflict(f"The text to replace is in {name!r} {len(found)} times. Give more of the lines around it.")
    windows = [place - number for number, place in enumerate(_places(text.text, "\r\n"))]
    new = new.replace("\n", text.line_end)
    # A place in the plain text, as one in the text as it is: further by the line ends that are longer before it.
    cuts = [0]
    for place in found:
        cuts += [place + bisect_left(windows, place), place + len(old) + bisect_left(windows, place + len(old))]
    cuts.append(len(text.text))
    kept = [text.text[start:end] for start, end in list(pairwise(cuts))[::2]]
    return Text(new.join(kept), text.encoding, text.mark), len(found)


def lines_of(text: str) -> list[str]:
    """With their ends. Cut at `\\n` alone, as everything that reads diffs does."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _places(text: str, part: str) -> list[int]:
    places, start = [], text.find(part)
    while start >= 0:
        places.append(start)
        start = text.find(part, start + len(part))
    return places
