"""The journal of a run: its events in order, on disk before anyone is shown them.

One file a run, one JSON object a line: first `{"crc", "header"}`, then `{"crc", "event"}`, where `crc` is the CRC-32
(8 hex digits) of the exact bytes of the value beside it. A line is written by one unbuffered write, so what was
appended survives the death of the process; `sync` makes it survive a power cut. A cut or damaged line ends what can
be read: everything before it counts, nothing after it does.
"""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from api.domain.events import Event, RunEnded, decode_event, encode_event
from api.domain.ids import MessageId, RunId, SessionId
from api.sessions.disk.files import AppendFile

SCHEMA = 1
LONGEST_LINE = 1 << 26
"""Bytes. An event holds at most what an agent may say at once, which is far less."""


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose run it is. `started_at` in seconds since 1970; `message_id` is the user message that it answers.

    A run that answers no message of the session (`kind` is not `turn`) has its `prompt` here, and no `message_id`.
    """

    run_id: RunId
    session_id: SessionId
    owner: str
    message_id: MessageId
    model: str
    agent: str
    started_at: float
    kind: Literal["turn", "aside", "task"] = "turn"
    prompt: str = ""
    schema: int = SCHEMA


class _HeaderLine(msgspec.Struct):
    crc: str
    header: msgspec.Raw


class _EventLine(msgspec.Struct):
    crc: str
    event: msgspec.Raw


class Recovered(msgspec.Struct):
    """What a journal file still tells. `valid_bytes` is where the readable part ends, `lost_bytes` what follows it."""

    header: Header
    events: list[Event]
    valid_bytes: int
    lost_bytes: int

    @property
    def ending(self) -> RunEnded | None:
        last = self.events[-1] if self.events else None
        return last if isinstance(last, RunEnded) else None


class JournalUnreadable(Exception):
    """Not even the header of a journal can be read."""


class Journal:
    """Appends one run's events to its file and numbers them."""

    def __init__(self, path: Path, header: Header, *, seq: int = 0) -> None:
        """Open `path` to append. Use `create` for a new run."""
        self.path = path
        self.header = header
        self.seq = seq
        self._file = AppendFile(path)

    @classmethod
    def create(cls, folder: Path, header: Header) -> "Journal":
        """Begin the journal of a new run.

        Raises:
            OSError: it cannot be written; no file is left.
        """
        journal = cls(folder / f"{header.run_id}.jsonl", header)
        try:
            journal._file.write_line(_line(b"header", msgspec.json.encode(header)))
        except OSError:
            journal.discard()
            raise
        return journal

    def append(self, event: Event) -> Event:
        """Write an event with the next number, and return it numbered.

        Raises:
            OSError: it could not be written, and is not on disk, not even in part.
        """
        numbered = msgspec.structs.replace(event, seq=self.seq + 1)
        self._file.write_line(_line(b"event", encode_event(numbered)))
        self.seq = numbered.seq
        return numbered

    def sync(self) -> None:
        """Wait until everything appended would survive a power cut."""
        self._file.sync()

    def cut(self, size: int) -> None:
        """Drop what follows the first `size` bytes, which nobody can read."""
        self._file.cut(size)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def discard(self) -> None:
        """Close and remove the file of a run that never began."""
        self.close()
        self.path.unlink(missing_ok=True)


def read_journal(path: Path) -> Recovered:
    """Read a journal up to its first line that is cut, damaged or out of order.

    Raises:
        OSError: there is no such file, or it cannot be read.
        JournalUnreadable: its header is missing or damaged, or of a newer schema.
    """
    with path.open("rb") as file:
        first = file.readline(LONGEST_LINE)
        header = _read_header(first.removesuffix(b"\n"))
        events: list[Event] = []
        position = len(first)
        # Line by line: what is no line of ours, a gigabyte of zeros say, is never read as a whole.
        while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
            event = _read_event(line[:-1])
            if event is None or event.seq != len(events) + 1:
                break
            events.append(event)
            position += len(line)
        return Recovered(header, events, position, os.fstat(file.fileno()).st_size - position)


def header_of(path: Path) -> Header:
    """Whose journal it is, without reading what the run said. Raises as `read_journal`."""
    with path.open("rb") as file:
        return _read_header(file.readline(LONGEST_LINE).removesuffix(b"\n"))


def events_after(path: Path, after: int, *, until: int) -> Sequence[Event]:
    """The events of a journal numbered above `after` and up to `until`."""
    return read_journal(path).events[after:until]


def reopen(path: Path, recovered: Recovered) -> Journal:
    """Open a journal that a dead process left, cut back to its readable part, to append its ending."""
    journal = Journal(path, recovered.header, seq=len(recovered.events))
    if recovered.lost_bytes:
        journal.cut(recovered.valid_bytes)
    return journal


def _line(name: bytes, value: bytes) -> bytes:
    return b'{"crc":"%08x","%s":%s}\n' % (zlib.crc32(value), name, value)


def _read_header(line: bytes) -> Header:
    try:
        parsed = msgspec.json.decode(line, type=_HeaderLine)
        if not _matches(parsed.crc, parsed.header):
            raise JournalUnreadable("The first line is damaged.")
        header = msgspec.json.decode(parsed.header, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JournalUnreadable("The first line cannot be read.") from error
    if header.schema > SCHEMA:
        raise JournalUnreadable("It was written by a newer version.")
    return header


def _read_event(line: bytes) -> Event | None:
    try:
        parsed = msgspec.json.decode(line, type=_EventLine)
        return decode_event(parsed.event) if _matches(parsed.crc, parsed.event) else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _matches(crc: str, value: msgspec.Raw) -> bool:
    return crc == f"{zlib.crc32(bytes(value)):08x}"
