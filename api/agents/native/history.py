"""A session's messages as a model's library wants them. Imports pydantic-ai, so it is itself imported late."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from api.agents.attached import in_words
from api.agents.native.showing import plainly
from api.domain.messages import Message, text_of

GO_ON = (
    "Your last answer was cut off. Go on from exactly where it stopped. "
    "Do not repeat anything of it and do not comment on this."
)

BETWEEN = "\n\n---\n\n"
"""What stands between two messages of a person of which the first got no answer."""


NOTHING: Mapping[int, Sequence[UserContent]] = {}


def model_messages(
    messages: list[Message],
    instructions: str,
    *,
    continuing: bool = False,
    attached: Mapping[int, Sequence[UserContent]] = NOTHING,
) -> list[ModelMessage]:
    """The history, oldest first, ending in a request.

    `attached`, by the position of its message: what goes before the text of a person, and after the results of calls.

    User and assistant take turns, as many models insist on: neighbours are joined. An assistant message without text
    or calls (a run that failed at once) is left out. Every call has a result and every result a call, under ids that
    are unique in the whole history.
    """
    history = _joined(_entries(messages, attached))
    if continuing and history and isinstance(history[-1], ModelResponse):
        history.append(ModelRequest(parts=[UserPromptPart(content=GO_ON)]))
    for message in history:
        if isinstance(message, ModelRequest):
            message.instructions = instructions
    return history


def _entries(messages: list[Message], attached: Mapping[int, Sequence[UserContent]]) -> Iterator[ModelMessage]:
    numbers = count(1)
    for position, message in enumerate(messages):
        text = text_of(message)
        match message.get("role"):
            case "user" if position in attached:
                items = [*attached[position], *([text] if text.strip() else [])]
                yield ModelRequest(parts=[UserPromptPart(content=plainly(items))])
            case "user" if text.strip():
                yield ModelRequest(parts=[UserPromptPart(content=text)])
            case "assistant":
                results = {
                    call_id: (result, attached.get(at, ()))
                    for call_id, (at, result) in _results_after(messages, position).items()
                }
                yield from _answer(message, in_words(message), results, numbers)


def _answer(
    message: Message, text: str, results: dict[str, tuple[Message, Sequence[UserContent]]], numbers: Iterable[int]
) -> Iterator[ModelMessage]:
    """`results`, each with what is attached to it, by the ids of their calls."""
    said: list[Any] = [TextPart(content=text)] if text.strip() else []
    returned: list[Any] = []
    pictures: list[UserContent] = []
    for call in _calls(message):
        call_id, name = f"call_{next(iter(numbers))}", _tool_name(call)
        result, attached = results.get(str(call.get("id")), (None, ()))
        said.append(ToolCallPart(tool_name=name, args=_arguments(call), tool_call_id=call_id))
        output = text_of(result) if result else "No result was recorded."
        returned.append(ToolReturnPart(tool_name=name, content=output, tool_call_id=call_id))
        pictures += attached
    if pictures:
        returned.append(UserPromptPart(content=plainly(pictures)))
    if said:
        yield ModelResponse(parts=said)
    if returned:
        yield ModelRequest(parts=returned)


def _results_after(messages: list[Message], position: int) -> dict[str, tuple[int, Message]]:
    """The tool messages that directly follow, each with its position, by the id of their call: ids repeat later."""
    results: dict[str, tuple[int, Message]] = {}
    for at in range(position + 1, len(messages)):  # a slice would copy all the rest for every message
        message = messages[at]
        if message.get("role") != "tool":
            break
        results.setdefault(str(message.get("tool_call_id")), (at, message))
    return results


def _calls(message: Message) -> list[dict[str, Any]]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return []
    # What a sub-agent did is in the result of the call that it was made in.
    return [call for call in calls if isinstance(call, dict) and not call.get("parent")]


def _function(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    return function if isinstance(function, dict) else {}


def _tool_name(call: dict[str, Any]) -> str:
    """As providers allow it: 1 to 64 ASCII letters, digits, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(_function(call).get("name") or "tool"))[:64]


def _arguments(call: dict[str, Any]) -> str:
    """A JSON object as text, whatever was recorded."""
    arguments = _function(call).get("arguments") or "{}"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    try:
        return text if isinstance(json.loads(text), dict) else json.dumps({"value": text})
    except ValueError:
        return json.dumps({"value": text})


def _joined(entries: Iterable[ModelMessage]) -> list[ModelMessage]:
    joined: list[ModelMessage] = []
    for entry in entries:
        last = joined[-1] if joined else None
        if isinstance(last, ModelRequest) and isinstance(entry, ModelRequest):
            joined[-1] = ModelRequest(parts=_join_prompts([*last.parts, *entry.parts]))
        elif isinstance(last, ModelResponse) and isinstance(entry, ModelResponse):
            joined[-1] = ModelResponse(parts=[*last.parts, *entry.parts])
        else:
            joined.append(entry)
    return joined


def _join_prompts(parts: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for part in parts:
        if joined and isinstance(part, UserPromptPart) and isinstance(joined[-1], UserPromptPart):
            joined[-1] = UserPromptPart(content=_one_after_the_other(joined[-1].content, part.content))
        else:
            joined.append(part)
    return joined


def _one_after_the_other(
    first: str | Sequence[UserContent], second: str | Sequence[UserContent]
) -> str | list[UserContent]:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}{BETWEEN}{second}"
    return [*_items(first), BETWEEN.strip(), *_items(second)]


def _items(content: str | Sequence[UserContent]) -> Sequence[UserContent]:
    return [content] if isinstance(content, str) else content
