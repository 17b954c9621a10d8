"""An agent program that speaks ACP and does what the last line of its prompt's script tells it to.

`python -m tests.fakes.acp_agent`. A message without `@@` lines is echoed word by word.

| line | what the program does |
| --- | --- |
| `@@text WORDS`, `@@think WORDS` | says it, a word an update; `\\\\n` is a line break |
| `@@repeat N WORDS` | says the words N times |
| `@@delay SECONDS`, `@@hang` | waits once, for ever |
| `@@clock N SECONDS` | says N times what the clock (`time.monotonic_ns`) shows, with pauses between |
| `@@deaf` | ignores that the turn is cancelled, from here on |
| `@@tool ID KIND JSON TITLE` | a tool call begins; without an end unless one follows |
| `@@progress ID STATUS TEXT` | an update of a call, heard of before or not |
| `@@diff ID PATH OLD => NEW` | a call that edits a file, with its diff |
| `@@permission ID KINDS JSON` | asks about a call; says which of the options `KINDS` (with commas) was chosen |
| `@@form WORDS` | asks by a form, and says what was done with it |
| `@@plan TEXT \\| TEXT` | a plan, its first entry done |
| `@@usage USED SIZE COST`, `@@tokens IN OUT` | what was used so far, and in the answer |
| `@@mode ID`, `@@title WORDS` | goes into a mode, names the session |
| `@@read PATH`, `@@write PATH WORDS` | has the client read or write a file, and says what came of it |
| `@@run COMMAND`, `@@in FOLDER COMMAND` | has the client run a command, and says how it ended |
| `@@own PATH WORDS` | writes a file by itself, without asking |
| `@@env NAME` | says what a variable of its own environment holds |
| `@@fork` | starts a process that outlives it in a session of its own, and says its id |
| `@@stderr WORDS`, `@@crash` | writes to its standard error, ends without a word |
| `@@raw TEXT`, `@@bigline BYTES` | writes a line that is no message, one of that length |
| `@@update JSON` | an update as it is |
| `@@stop REASON`, `@@refuse CODE WORDS` | ends the turn with that reason, with an error |
| `@@inside` | says which of its modes its session is in |
| `@@mcp` | says which MCP servers its session was begun with |
| `@@told` | says how many prompts this session has had, and the whole of this one; of what is no text, what it is |

A session that is taken up again after a restart does what its last prompt said. Options, as words of its command line:
`no-load`, `resume` and `http-mcp` say what it can do, `images` and `embedded` what a prompt may hold; `login` wants a
login; `mute` never answers; `old` speaks another version; `modes` has two, `modes=A,B` those; `commands` tells of slash
commands; `sessions=FOLDER` keeps its sessions there.
"""

import asyncio
import base64
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPTIONS = {name: value for name, _, value in (word.partition("=") for word in sys.argv[1:])}
_NAMES = (OPTIONS.get("modes") or "default,plan").split(",")
MODES = {"currentModeId": _NAMES[0], "availableModes": [{"id": one, "name": one.title()} for one in _NAMES]}

COMMANDS: list[dict[str, Any]] = [
    {"name": "init", "description": "Write down what\nthis project is."},
    {"name": "review", "description": "Look at the changes.", "input": {"hint": "branch"}},
    {"name": "help", "description": "What the fake can do."},
    {"name": "two words", "description": "Nobody could call it."},
]

IN_MODE: dict[str, str] = {}
"""The mode that each session was put into."""

SERVERS: dict[str, list[dict[str, Any]]] = {}
"""The MCP servers that each session was begun with."""


class Peer:
    """JSON-RPC over the standard streams, written out so that it can also be wrong."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0

    def send(self, message: dict[str, Any]) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **message}))

    def write(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def update(self, session_id: str, update: dict[str, Any]) -> None:
        self.send({"method": "session/update", "params": {"sessionId": session_id, "update": update}})

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The whole answer: with `result` or with `error`."""
        self._count += 1
        future = self._waiting[self._count] = asyncio.get_running_loop().create_future()
        self.send({"id": self._count, "method": method, "params": params})
        return await future

    def answered(self, message: dict[str, Any]) -> None:
        future = self._waiting.pop(message["id"])
        if not future.done():  # nobody waits any more in a turn that was cancelled
            future.set_result(message)


class Refused(Exception):
    """The answer to a prompt is an error."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Ended(Exception):
    """The turn ends here, for a reason."""


class Turn:
    """One method for each line: `do_<word>`, given the rest of it."""

    def __init__(self, peer: Peer, session_id: str, text: str, whole: str, prompts: int) -> None:
        self._peer = peer
        self._session_id = session_id
        self._text = text
        self._whole = whole
        self._prompts = prompts
        self.is_deaf = False
        self.usage: dict[str, int] | None = None

    async def run(self) -> None:
        if not re.search(r"^@@", self._text, re.MULTILINE):
            await self.do_text(self._text)
            return
        for line in self._text.splitlines():
            word, _, rest = line.removeprefix("@@").partition(" ")
            if line.startswith("@@"):
                await getattr(self, f"do_{word}")(rest)

    def say(self, update: dict[str, Any]) -> None:
        self._peer.update(self._session_id, update)

    def text(self, text: str, kind: str = "agent_message_chunk") -> None:
        self.say({"sessionUpdate": kind, "content": {"type": "text", "text": text}})

    async def do_text(self, rest: str, kind: str = "agent_message_chunk") -> None:
        for word in re.findall(r"\s*\S+\s*|\s+", rest.replace("\\n", "\n")):
            self.text(word, kind)
            await asyncio.sleep(0)

    async def do_think(self, rest: str) -> None:
        await self.do_text(rest, "agent_thought_chunk")

    async def do_repeat(self, rest: str) -> None:
        count, _, words = rest.partition(" ")
        for _ in range(int(count)):
            self.text(words)

    async def do_delay(self, rest: str) -> None:
        await asyncio.sleep(float(rest))

    async def do_clock(self, rest: str) -> None:
        count, pause_s = rest.split()
        for _ in range(int(count)):
            self.text(f"{time.monotonic_ns()} ")
            await asyncio.sleep(float(pause_s))

    async def do_hang(self, rest: str) -> None:
        await asyncio.Event().wait()

    async def do_deaf(self, rest: str) -> None:
        self.is_deaf = True

    async def do_tool(self, rest: str) -> None:
        call_id, kind, arguments, title = rest.split(" ", 3)
        update = {"sessionUpdate": "tool_call", "toolCallId": call_id, "title": title, "kind": kind}
        self.say(update | {"status": "pending", "rawInput": json.loads(arguments)})

    async def do_progress(self, rest: str) -> None:
        call_id, status, text = rest.split(" ", 2)
        content = [{"type": "content", "content": {"type": "text", "text": text.replace("\\n", "\n")}}]
        self.say({"sessionUpdate": "tool_call_update", "toolCallId": call_id, "status": status, "content": content})

    async def do_picture(self, rest: str) -> None:
        self.say({"sessionUpdate": "agent_message_chunk", "content": _image(rest)})

    async def do_shots(self, rest: str) -> None:
        call_id, status, *paths = rest.split()
        content = [{"type": "content", "content": _image(path)} for path in paths]
        self.say({"sessionUpdate": "tool_call_update", "toolCallId": call_id, "status": status, "content": content})

    async def do_diff(self, rest: str) -> None:
        call_id, path, change = rest.split(" ", 2)
        old, _, new = change.partition(" => ")
        content = [{"type": "diff", "path": path, "oldText": f"{old}\n", "newText": f"{new}\n"}]
        update = {"sessionUpdate": "tool_call", "toolCallId": call_id, "title": f"Edit {path}", "kind": "edit"}
        self.say(update | {"status": "completed", "content": content})

    async def do_permission(self, rest: str) -> None:
        call_id, kinds, call = rest.split(" ", 2)
        options = [{"optionId": f"o{n}", "name": kind, "kind": kind} for n, kind in enumerate(kinds.split(",")) if kind]
        params = {"sessionId": self._session_id, "toolCall": {"toolCallId": call_id, **json.loads(call)}}
        answer = await self._peer.ask("session/request_permission", {**params, "options": options})
        outcome = answer["result"]["outcome"]
        chosen = next((one["kind"] for one in options if one["optionId"] == outcome.get("optionId")), "cancelled")
        self.text(f"[{chosen}]")

    async def do_plan(self, rest: str) -> None:
        texts = [text.strip() for text in rest.split("|")]
        status = ["completed"] + ["pending"] * (len(texts) - 1)
        entries = [{"content": t, "priority": "high", "status": s} for t, s in zip(texts, status, strict=True)]
        self.say({"sessionUpdate": "plan", "entries": entries})

    async def do_usage(self, rest: str) -> None:
        used, size, cost = rest.split()
        money = {"amount": float(cost), "currency": "USD"}
        self.say({"sessionUpdate": "usage_update", "used": int(used), "size": int(size), "cost": money})

    async def do_tokens(self, rest: str) -> None:
        given, made = map(int, rest.split())
        self.usage = {"inputTokens": given, "outputTokens": made, "totalTokens": given + made}

    async def do_mode(self, rest: str) -> None:
        self.say({"sessionUpdate": "current_mode_update", "currentModeId": rest})

    async def do_title(self, rest: str) -> None:
        self.say({"sessionUpdate": "session_info_update", "title": rest})

    async def do_read(self, rest: str) -> None:
        answer = await self._peer.ask("fs/read_text_file", {"sessionId": self._session_id, "path": rest})
        self.text(f"[{_said(answer, 'content')}]")

    async def do_write(self, rest: str) -> None:
        path, _, words = rest.partition(" ")
        params = {"sessionId": self._session_id, "path": path, "content": words.replace("\\n", "\n")}
        self.text(f"[{_said(await self._peer.ask('fs/write_text_file', params), 'written')}]")

    async def do_own(self, rest: str) -> None:
        path, _, words = rest.partition(" ")
        await asyncio.to_thread(Path(path).write_text, f"{words}\n")

    async def do_run(self, rest: str, **more: Any) -> None:
        own = {"sessionId": self._session_id}
        answer = await self._peer.ask("terminal/create", {**own, **more, "command": rest})
        if "error" in answer:
            self.text(f"[{_said(answer, '')}]")
            return
        own["terminalId"] = answer["result"]["terminalId"]
        status = (await self._peer.ask("terminal/wait_for_exit", own))["result"]
        output = (await self._peer.ask("terminal/output", own))["result"]["output"]
        await self._peer.ask("terminal/release", own)
        self.text(f"[{status.get('exitCode')}: {output.strip()}]")

    async def do_in(self, rest: str) -> None:
        cwd, _, command = rest.partition(" ")
        await self.do_run(command, cwd=cwd)

    async def do_env(self, rest: str) -> None:
        self.text(os.environ.get(rest, "(not set)"))

    async def do_fork(self, rest: str) -> None:
        child = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
        self.text(str(child.pid))

    async def do_stderr(self, rest: str) -> None:
        print(rest.replace("\\e", "\x1b"), file=sys.stderr, flush=True)

    async def do_crash(self, rest: str) -> None:
        os._exit(3)

    async def do_raw(self, rest: str) -> None:
        self._peer.write(rest)

    async def do_bigline(self, rest: str) -> None:
        self._peer.write("x" * int(rest))

    async def do_update(self, rest: str) -> None:
        self.say(json.loads(rest))

    async def do_stop(self, rest: str) -> None:
        raise Ended(rest)

    async def do_refuse(self, rest: str) -> None:
        code, _, words = rest.partition(" ")
        raise Refused(int(code), words)

    async def do_form(self, rest: str) -> None:
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        form = {"sessionId": self._session_id, "mode": "form", "message": rest, "requestedSchema": schema}
        self.text(f"[{(await self._peer.ask('elicitation/create', form))['result']['action']}]")

    async def do_inside(self, rest: str) -> None:
        self.text(IN_MODE.get(self._session_id, _NAMES[0]))

    async def do_mcp(self, rest: str) -> None:
        self.text(json.dumps(SERVERS[self._session_id]))

    async def do_told(self, rest: str) -> None:
        self.text(f"prompt {self._prompts}: {self._whole}")


def _last_said(told: str) -> str:
    """What the person said last, where the conversation is told as text."""
    return re.findall(r"^User: (.*?)\n\n", told, re.DOTALL | re.MULTILINE)[-1]


def _said(answer: dict[str, Any], field: str) -> str:
    if "error" in answer:
        return f"refused: {answer['error']['data']['details']}"
    return str((answer["result"] or {}).get(field, field))


def _image(path: str) -> dict[str, Any]:
    return {"type": "image", "mimeType": "image/png", "data": base64.b64encode(Path(path).read_bytes()).decode()}


def _told(block: dict[str, Any]) -> str:
    match block["type"]:
        case "image":
            return f"(image {block['mimeType']}, {base64.b64decode(block['data'], validate=True)!r})"
        case "resource":
            return f"(resource {block['resource']['uri']})\n{block['resource']['text']}"
    return block["text"]


class Program:
    def __init__(self) -> None:
        self._peer = Peer()
        self._sessions: dict[str, int] = {}
        self._last: dict[str, str] = {}
        self._turns: dict[str, tuple[Turn, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        reader = asyncio.StreamReader(limit=64 << 20)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            message = json.loads(line)
            if "method" not in message:
                self._peer.answered(message)
            elif message["method"] == "session/cancel":
                self._cancel(message["params"]["sessionId"])
            elif "mute" not in OPTIONS:
                task = asyncio.create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: dict[str, Any]) -> None:
        method = message["method"].replace("/", "_")
        try:
            answer: dict[str, Any] = {"result": await self._handler(method)(message["params"])}
        except Refused as error:
            answer = {"error": {"code": error.code, "message": str(error)}}
        self._peer.send({"id": message["id"], **answer})

    def _handler(self, method: str) -> Callable[[dict[str, Any]], Any]:
        return getattr(self, f"on_{method}")

    async def on_initialize(self, params: dict[str, Any]) -> dict[str, Any]:
        capabilities: dict[str, Any] = {"loadSession": "no-load" not in OPTIONS, "sessionCapabilities": {}}
        if "resume" in OPTIONS:
            capabilities["sessionCapabilities"]["resume"] = {}
        able = {"image": "images" in OPTIONS, "embeddedContext": "embedded" in OPTIONS}
        capabilities["promptCapabilities"] = able
        if "http-mcp" in OPTIONS:
            capabilities["mcpCapabilities"] = {"http": True}
        info = {"name": "fake", "title": "Fake Agent", "version": "1.2.3"}
        version = 7 if "old" in OPTIONS else 1
        return {"protocolVersion": version, "agentCapabilities": capabilities, "agentInfo": info}

    async def on_session_new(self, params: dict[str, Any]) -> dict[str, Any]:
        if "login" in OPTIONS:
            raise Refused(-32000, "Authentication required")
        session_id = f"fake-{os.getpid()}-{len(self._sessions)}"
        self._sessions[session_id] = 0
        SERVERS[session_id] = params["mcpServers"]
        if "commands" in OPTIONS:
            self._peer.update(session_id, {"sessionUpdate": "available_commands_update", "availableCommands": COMMANDS})
        return {"sessionId": session_id} | ({"modes": MODES} if "modes" in OPTIONS else {})

    async def on_session_load(self, params: dict[str, Any]) -> dict[str, Any]:
        session_id = params["sessionId"]
        SERVERS[session_id] = params["mcpServers"]
        kept = self._file(session_id)
        if kept is None or not kept.exists():
            raise Refused(-32002, "No such session")
        self._sessions[session_id], self._last[session_id] = json.loads(kept.read_text())
        chunk = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "(told again)"}}
        self._peer.update(session_id, chunk)
        return {"modes": MODES} if "modes" in OPTIONS else {}

    async def on_session_resume(self, params: dict[str, Any]) -> dict[str, Any]:
        return await self.on_session_load(params)

    async def on_session_set_mode(self, params: dict[str, Any]) -> dict[str, Any]:
        IN_MODE[params["sessionId"]] = params["modeId"]
        self._peer.update(
            params["sessionId"], {"sessionUpdate": "current_mode_update", "currentModeId": params["modeId"]}
        )
        return {}

    async def on_session_prompt(self, params: dict[str, Any]) -> dict[str, Any]:
        session_id = params["sessionId"]
        self._sessions[session_id] += 1
        told = [_told(block) for block in params["prompt"]]
        whole, text = "\n\n".join(told), told[-1]
        if (kept := self._file(session_id)) is not None:
            kept.write_text(json.dumps([self._sessions[session_id], text]))
        if "Fireside was started again" in text:  # as a model would, it does again what it was about to do
            text = self._last[session_id] if session_id in self._last else _last_said(whole)
        turn = Turn(self._peer, session_id, text, whole, self._sessions[session_id])
        task = asyncio.create_task(turn.run())
        self._turns[session_id] = turn, task
        reason = "end_turn"
        try:
            await task
        except asyncio.CancelledError:
            reason = "cancelled"
        except Ended as ended:
            reason = str(ended)
        return {"stopReason": reason} | ({"usage": turn.usage} if turn.usage else {})

    def _cancel(self, session_id: str) -> None:
        turn, task = self._turns[session_id]
        if not turn.is_deaf:
            task.cancel()

    def _file(self, session_id: str) -> Path | None:
        return Path(OPTIONS["sessions"]) / session_id if "sessions" in OPTIONS else None


if __name__ == "__main__":
    asyncio.run(Program().serve())
