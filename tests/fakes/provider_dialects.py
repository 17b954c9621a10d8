"""How each kind of provider shapes what it says."""

import base64
import json
import re
from itertools import count, pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Dialect:
    """The OpenAI-compatible one; the others override what differs."""

    _answers = count()
    """Claude Code and Qwen Code take messages, and calls, of the same id for the same one."""

    def __init__(self) -> None:
        self.number = next(self._answers)

    def key_in(self, headers: dict[str, str]) -> str | None:
        return headers.get("authorization", "").removeprefix("Bearer ") or None

    def turns(self, body: Any) -> list[tuple[str, Any]]:
        """Who said what, in order; what tools say is said by no person and has no text."""
        return [(m["role"], m["content"]) for m in body["messages"]]

    def last_user_text(self, body: Any) -> str:
        texts = [_text(content) for role, content in self.turns(body) if role == "user"]
        return next((text for text in reversed(texts) if text), "")

    def shown(self, body: Any) -> list[tuple[str, str | bytes]]:
        """All that people said and showed, in order: text, and of files their media type and bytes."""
        contents = [content for role, content in self.turns(body) if role == "user" and content]
        parts = [part for one in contents for part in ([{"text": one}] if isinstance(one, str) else one)]
        said = [part for part in parts if not {"functionResponse", "tool_use_id"} & part.keys()]
        return [("text", part["text"]) if "text" in part else self.file(part) for part in said]

    def file(self, part: Any) -> tuple[str, bytes]:
        url = part["image_url"]["url"] if part["type"] == "image_url" else part["file"]["file_data"]
        kind, _, data = url.removeprefix("data:").partition(";base64,")
        return kind, base64.b64decode(data)

    def steps_done(self, body: Any) -> int:
        """How often the model has spoken since the last thing that a person said."""
        turns = self.turns(body)
        said = max((at for at, (role, content) in enumerate(turns) if role == "user" and _text(content)), default=0)
        return sum(role in ("assistant", "model") for role, _ in turns[said:])

    def models(self, names: list[str]) -> str:
        return json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def page(self, path: str) -> str:
        """One page of a list that never ends."""
        return self.models(["only"])

    def opening(self) -> list[bytes]:
        return [self._chunk({"role": "assistant", "content": ""})]

    def text(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def thinking(self, text: str) -> bytes:
        return self._chunk({"reasoning_content": text})

    def tool(self, index: int, name: str, arguments: str) -> list[bytes]:
        call_id = f"call_{self.number}_{index}"
        call = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        piece = {"index": index, "function": {"arguments": arguments}}
        return [self._chunk({"tool_calls": [call]}), self._chunk({"tool_calls": [piece]})]

    def finish(self, reason: str) -> list[bytes]:
        return [self._chunk({}, finish=reason)]

    def usage(self, usage: Any) -> list[bytes]:
        return [sse({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], **usage})]

    def closing(self) -> list[bytes]:
        return [b"data: [DONE]\n\n"]

    def error(self, sentence: str) -> bytes:
        return sse({"error": {"message": sentence, "type": "server_error"}})

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


class AnthropicDialect(Dialect):
    def __init__(self) -> None:
        super().__init__()
        self._index = -1
        self._kind = ""

    def key_in(self, headers: dict[str, str]) -> str | None:
        return headers.get("x-api-key") or super().key_in(headers)

    def models(self, names: list[str]) -> str:
        data = [{"id": name, "type": "model", "display_name": name.title()} for name in names]
        return json.dumps({"data": data, "has_more": False, "last_id": names[-1] if names else None})

    def page(self, path: str) -> str:
        after = parse_qs(urlsplit(path).query).get("after_id", ["m-0"])[0]
        name = f"m-{int(after.split('-')[1]) + 1}"
        return json.dumps({"data": [{"id": name, "display_name": name}], "has_more": True, "last_id": name})

    def file(self, part: Any) -> tuple[str, bytes]:
        assert (part["type"] == "image") == part["source"]["media_type"].startswith("image/")
        return part["source"]["media_type"], base64.b64decode(part["source"]["data"])

    def opening(self) -> list[bytes]:
        message: dict[str, Any] = {"id": f"m{self.number}", "type": "message", "role": "assistant", "model": "m"}
        message |= {"content": [], "stop_reason": None}
        message["usage"] = {"input_tokens": 7, "output_tokens": 1}
        return [_named({"type": "message_start", "message": message})]

    def text(self, text: str) -> bytes:
        start = self._open("text", {"type": "text", "text": ""})
        return start + self._delta({"type": "text_delta", "text": text})

    def thinking(self, text: str) -> bytes:
        start = self._open("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        return start + self._delta({"type": "thinking_delta", "thinking": text})

    def tool(self, index: int, name: str, arguments: str) -> list[bytes]:
        call_id = f"call_{self.number}_{index}"
        start = self._open(call_id, {"type": "tool_use", "id": call_id, "name": name, "input": {}})
        return [start, self._delta({"type": "input_json_delta", "partial_json": arguments})]

    def finish(self, reason: str) -> list[bytes]:
        stop = {"stop": "end_turn", "length": "max_tokens"}.get(reason, reason)
        delta = {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}}
        return [self._close(), _named({**delta, "usage": {"output_tokens": 5}})]

    def usage(self, usage: Any) -> list[bytes]:
        return []

    def closing(self) -> list[bytes]:
        return [_named({"type": "message_stop"})]

    def error(self, sentence: str) -> bytes:
        return _named({"type": "error", "error": {"type": "overloaded_error", "message": sentence}})

    def _open(self, kind: str, block: dict[str, Any]) -> bytes:
        if kind == self._kind:
            return b""
        closed = self._close()
        self._kind, self._index = kind, self._index + 1
        return closed + _named({"type": "content_block_start", "index": self._index, "content_block": block})

    def _close(self) -> bytes:
        return _named({"type": "content_block_stop", "index": self._index}) if self._kind else b""

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _named({"type": "content_block_delta", "index": self._index, "delta": delta})


class GoogleDialect(Dialect):
    def key_in(self, headers: dict[str, str]) -> str | None:
        return headers.get("x-goog-api-key")

    def turns(self, body: Any) -> list[tuple[str, Any]]:
        return [(content.get("role", "user"), content["parts"]) for content in body["contents"]]

    def models(self, names: list[str]) -> str:
        methods = ["generateContent"]
        rows = [{"name": f"models/{n}", "displayName": n, "supportedGenerationMethods": methods} for n in names]
        return json.dumps({"models": [*rows, {"name": "models/embed", "supportedGenerationMethods": ["embedContent"]}]})

    def file(self, part: Any) -> tuple[str, bytes]:
        shown = part["inlineData"]  # whose fields go by either spelling
        return shown.get("mimeType") or shown["mime_type"], base64.urlsafe_b64decode(shown["data"])

    def page(self, path: str) -> str:
        return json.dumps({**json.loads(self.models(["only"])), "nextPageToken": "again"})

    def opening(self) -> list[bytes]:
        return []

    def text(self, text: str) -> bytes:
        return self._parts([{"text": text}])

    def thinking(self, text: str) -> bytes:
        return self._parts([{"text": text, "thought": True}])

    def tool(self, index: int, name: str, arguments: str) -> list[bytes]:
        call = {"id": f"call_{self.number}_{index}", "name": name, "args": json.loads(arguments)}
        return [self._parts([{"functionCall": call}])]

    def finish(self, reason: str) -> list[bytes]:
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12}
        stop = {"stop": "STOP", "length": "MAX_TOKENS"}.get(reason, reason)
        content = {"role": "model", "parts": [{"text": ""}]}
        candidate = {"content": content, "finishReason": stop, "index": 0}
        return [sse({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"})]

    def usage(self, usage: Any) -> list[bytes]:
        return []

    def closing(self) -> list[bytes]:
        return []

    def error(self, sentence: str) -> bytes:
        return sse({"error": {"code": 503, "message": sentence, "status": "UNAVAILABLE"}})

    def _parts(self, parts: list[dict[str, Any]]) -> bytes:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        return sse({"candidates": [candidate], "modelVersion": "m", "responseId": "r"})


class ResponsesDialect(Dialect):
    """OpenAI's other one, in which what is said and each call is an item of its own. Codex speaks it."""

    _items = count()

    def __init__(self) -> None:
        super().__init__()
        self._said = ""
        self._message_id = self._id()

    def turns(self, body: Any) -> list[tuple[str, Any]]:
        items = [("assistant", None) if i["type"] == "function_call" else _said_in(i) for i in body["input"]]
        return [one for before, one in pairwise([("", None), *items]) if (before[0], one[0]) != ("assistant",) * 2]

    def opening(self) -> list[bytes]:
        return [_named({"type": "response.created", "response": {"id": "r"}})]

    def text(self, text: str) -> bytes:
        start = b"" if self._said else _named({"type": "response.output_item.added", "item": self._message("")})
        self._said += text
        return start + _named({"type": "response.output_text.delta", "delta": text})

    def thinking(self, text: str) -> bytes:
        item = {"type": "reasoning", "id": self._id(), "summary": [{"type": "summary_text", "text": text}]}
        delta = {"type": "response.reasoning_summary_text.delta", "delta": text, "summary_index": 0}
        return _named({"type": "response.output_item.added", "item": {**item, "summary": []}}) + _named(delta)

    def tool(self, index: int, name: str, arguments: str) -> list[bytes]:
        item = {"type": "function_call", "id": self._id(), "call_id": self._id(), "name": name, "arguments": arguments}
        return [*self._end(), _named({"type": "response.output_item.done", "item": item})]

    def finish(self, reason: str) -> list[bytes]:
        usage = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
        return [*self._end(), _named({"type": "response.completed", "response": {"id": "r", "usage": usage}})]

    def usage(self, usage: Any) -> list[bytes]:
        return []

    def closing(self) -> list[bytes]:
        return []

    def _end(self) -> list[bytes]:
        done = _named({"type": "response.output_item.done", "item": self._message(self._said)})
        was_said, self._said, self._message_id = bool(self._said), "", self._id()
        return [done] if was_said else []

    def _message(self, text: str) -> dict[str, Any]:
        content = [{"type": "output_text", "text": text}] if text else []
        return {"type": "message", "id": self._message_id, "role": "assistant", "content": content}

    def _id(self) -> str:
        return f"item_{next(self._items)}"


def _said_in(item: Any) -> tuple[str, Any]:
    return (item["role"], item["content"]) if item["type"] == "message" else ("tool", None)


def dialect_for(path: str, headers: dict[str, str]) -> Dialect:
    """By what only this kind of client asks for or sends."""
    if path.endswith("/responses"):
        return ResponsesDialect()
    if any(name.startswith("x-goog-") for name in headers):
        return GoogleDialect()
    return AnthropicDialect() if "anthropic-version" in headers else Dialect()


def sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _named(value: dict[str, Any]) -> bytes:
    return b"event: " + value["type"].encode() + b"\n" + sse(value)


_LABELS = re.compile(r"(?:\[Attached: picture [^\n]*\](?:\n\n)?)+")
"""What stands with pictures, which no person said."""


_REMINDER = "<system-reminder>"
"""What Claude Code itself adds to messages and results."""

_ATTACHED = re.compile(r"\A(?:\[Attached: [^\n]*\](?:\n<(file-\w+)>\n.*?\n</\1>)?\n\n)+", re.DOTALL)
"""What stands before the words of a message in one text with them."""


def _text(content: Any) -> str:
    """The last of several messages that were sent as one, without what is attached to it."""
    texts = [content] if isinstance(content, str) else [part["text"] for part in content or [] if part.get("text")]
    texts = [text for text in texts if not (_LABELS.fullmatch(text) or text.startswith(_REMINDER))]
    return _ATTACHED.sub("", texts[-1].rpartition("\n\n---\n\n")[2]) if texts else ""
