"""What a script can make the fake provider do. A message without `@@` lines is echoed word by word.

| line | what the provider does |
| --- | --- |
| `@@text WORDS`, `@@think WORDS`, `@@tool NAME JSON` | says it, a word an event |
| `@@repeat N WORDS` | says the words N times; `@@endless WORDS` for ever |
| `@@pace SECONDS`, `@@delay SECONDS`, `@@silence` | waits after each event, once, for ever |
| `@@next` | what follows is for the next request, after the results of the calls before it |
| `@@finish REASON`, `@@usage JSON`, `@@nousage` | how the answer ends, which usage is told (raw value of `usage`) |
| `@@err STATUS [RETRY_AFTER] [SENTENCE]` | refuses, instead of answering; `@@flaky N STATUS [RETRY_AFTER]`: N times |
| `@@inerr SENTENCE`, `@@errbody SENTENCE` | an error in the stream; status 200 with an error as its body |
| `@@html`, `@@nobody`, `@@redirect URL`, `@@echo_key` | a page; no body; a 307; its own request's headers in a 400 |
| `@@drop`, `@@cut`, `@@refuse` | breaks the connection; ends the stream in the middle; hangs up without an answer |
| `@@badsse`, `@@raw BASE64`, `@@bigline BYTES`, `@@empties N` | a broken event; exact bytes; a long line; no words |
| `@@bytes`, `@@crlf`, `@@bom` | byte by byte; CRLF line ends and comments; a byte order mark and mixed line ends |
| `@@nodone`, `@@twodone` | no `[DONE]`, or two |
| `@@gzipbomb`, `@@gziplie`, `@@shortlength` | bad encodings and lengths |
"""

import asyncio
import base64
import gzip
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.provider_dialects import Dialect

if TYPE_CHECKING:
    from tests.fakes.provider import Request

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


@dataclass
class Play:
    """One answer being given."""

    script: str
    attempt: int
    dialect: Dialect
    request: "Request"
    writer: asyncio.StreamWriter
    pace_s: float = 0.0
    reason: str = "stop"
    usage: dict[str, Any] = field(default_factory=lambda: {"usage": USAGE})
    closings: int = 1
    one_by_one: bool = False
    crlf: bool = False
    bom: bool = False
    opened: bool = False
    tools: int = 0

    async def send(self, event: bytes) -> None:
        """One event of the stream, as one chunk; the head before the first one."""
        if not self.opened:
            self.opened = True
            self.writer.write(_HEAD)
            for opening in self.dialect.opening():
                self._chunk(opening)
        self.request.sent_ns.append(time.monotonic_ns())
        self._chunk(event)
        await self.writer.drain()
        if self.pace_s:
            await asyncio.sleep(self.pace_s)

    def _chunk(self, event: bytes) -> None:
        if self.bom:
            event, self.bom = b"\xef\xbb\xbf" + event.replace(b"\n", b"\r"), False
        if self.crlf:
            event = b": comment\r\n" + event.replace(b"\n", b"\r\n")
        for piece in [event[i : i + 1] for i in range(len(event))] if self.one_by_one else [event]:
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    async def say(self, words: str, shape: Any) -> None:
        for word in re.findall(r"\s*\S+\s*|\s+", words.replace("\\n", "\n")):
            await self.send(shape(word))

    async def whole(self, status: int, body: bytes, *more: str, kind: str = "application/json") -> None:
        """A whole response instead of a stream."""
        head = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", *more]
        head.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()
        raise Over

    async def end(self) -> None:
        if not self.opened:
            await self.send(b": nothing to say\n\n")
        for event in [*self.dialect.finish(self.reason), *self.dialect.usage(self.usage)]:
            await self.send(event)
        for event in self.dialect.closing() * self.closings:
            await self.send(event)
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()


class Over(Exception):
    """The response is complete."""


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def play(p: Play) -> None:
    try:
        if not re.search(r"^@@", p.script, re.MULTILINE):
            await p.say(p.script, p.dialect.text)
        parts = re.split(r"^@@next$\n?", p.script, flags=re.MULTILINE)
        step = p.dialect.steps_done(p.request.json) if len(parts) > 1 else 0
        for line in parts[min(step, len(parts) - 1)].split("\n"):
            name, _, rest = line.partition(" ")
            if name.startswith("@@"):
                await _ACTS[name](p, rest)
        await p.end()
    except Over:
        return


async def _tool(p: Play, rest: str) -> None:
    name, _, arguments = rest.partition(" ")
    for event in p.dialect.tool(p.tools, name, arguments):
        await p.send(event)
    p.tools += 1


async def _repeat(p: Play, rest: str) -> None:
    count, _, words = rest.partition(" ")
    for _ in range(int(count)):
        await p.send(p.dialect.text(words))


async def _endless(p: Play, rest: str) -> None:
    while True:
        await p.send(p.dialect.text(rest))


async def _set(p: Play, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(p, name, value)


async def _err(p: Play, rest: str) -> None:
    status, *more = rest.split(" ")
    headers = [f"Retry-After: {more.pop(0)}"] if more and re.fullmatch(r"-?\d+", more[0]) else []
    body = {"error": {"message": " ".join(more) or "The provider says no.", "type": "x", "code": None}}
    await p.whole(int(status), json.dumps(body).encode(), *headers)


async def _flaky(p: Play, rest: str) -> None:
    times, _, refusal = rest.partition(" ")
    if p.attempt <= int(times):
        await _err(p, refusal)


async def _silence(p: Play, rest: str) -> None:
    await asyncio.Event().wait()


async def _drop(p: Play, rest: str) -> None:
    await asyncio.sleep(0.02)
    p.writer.transport.abort()
    raise ConnectionResetError


async def _cut(p: Play, rest: str) -> None:
    p.writer.write(b"0\r\n\r\n")
    await p.writer.drain()
    raise Over


async def _hang_up(p: Play, rest: str) -> None:
    if not rest or p.attempt <= int(rest):
        p.writer.close()
        raise ConnectionResetError


async def _empties(p: Play, rest: str) -> None:
    for _ in range(int(rest)):
        await p.send(p.dialect.text(""))


async def _badsse(p: Play, rest: str) -> None:
    await p.send(b"data: {not json\n\n")


async def _bigline(p: Play, rest: str) -> None:
    await p.send(b"data: " + b"x" * int(rest) + b"\n\n")


async def _gzipbomb(p: Play, rest: str) -> None:
    event = p.dialect.text("x" * (64 << 20))
    await p.whole(200, gzip.compress(event, 9), "Content-Encoding: gzip", kind="text/event-stream")


async def _shortlength(p: Play, rest: str) -> None:
    p.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99999\r\n\r\n")
    p.writer.write(p.dialect.text("x"))
    await p.writer.drain()
    p.writer.close()
    raise ConnectionResetError


async def _sleep(p: Play, rest: str) -> None:
    await asyncio.sleep(float(rest))


_ACTS: dict[str, Any] = {
    "@@text": lambda p, rest: p.say(rest, p.dialect.text),
    "@@think": lambda p, rest: p.say(rest, p.dialect.thinking),
    "@@tool": _tool,
    "@@repeat": _repeat,
    "@@endless": _endless,
    "@@pace": lambda p, rest: _set(p, pace_s=float(rest)),
    "@@delay": _sleep,
    "@@silence": _silence,
    "@@finish": lambda p, rest: _set(p, reason=rest),
    "@@usage": lambda p, rest: _set(p, usage={"usage": json.loads(rest)}),
    "@@nousage": lambda p, rest: _set(p, usage={}),
    "@@err": _err,
    "@@flaky": _flaky,
    "@@inerr": lambda p, rest: p.send(p.dialect.error(rest)),
    "@@errbody": lambda p, rest: p.whole(200, json.dumps({"error": {"message": rest}}).encode()),
    "@@html": lambda p, rest: p.whole(200, b"<html><title>Sign in</title><p>Hello</html>", kind="text/html"),
    "@@nobody": lambda p, rest: p.whole(200, b"", kind="text/event-stream"),
    "@@redirect": lambda p, rest: p.whole(307, b"", f"Location: {rest}"),
    "@@echo_key": lambda p, rest: p.whole(400, json.dumps({"error": {"message": str(p.request.headers)}}).encode()),
    "@@drop": _drop,
    "@@cut": _cut,
    "@@refuse": _hang_up,
    "@@badsse": _badsse,
    "@@raw": lambda p, rest: p.send(base64.b64decode(rest)),
    "@@bigline": _bigline,
    "@@empties": _empties,
    "@@bytes": lambda p, rest: _set(p, one_by_one=True),
    "@@crlf": lambda p, rest: _set(p, crlf=True),
    "@@bom": lambda p, rest: _set(p, bom=True),
    "@@nodone": lambda p, rest: _set(p, closings=0),
    "@@twodone": lambda p, rest: _set(p, closings=2),
    "@@gzipbomb": _gzipbomb,
    "@@gziplie": lambda p, rest: p.whole(200, p.dialect.text("x"), "Content-Encoding: gzip", kind="text/event-stream"),
    "@@shortlength": _shortlength,
}
