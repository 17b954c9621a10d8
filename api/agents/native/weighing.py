"""How much of a model's window a request fills, and with what. Imports pydantic-ai, so it is itself imported late.

Estimates: a token is taken for four characters, which is near the truth for English and code.
"""

import json
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    TextContent,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition

from api.agents.base import Turn
from api.agents.native.request import Request
from api.agents.native.showing import shown_by
from api.domain.attachments import tokens_of
from api.domain.events import Context

CHARACTERS = 4
FULL = 0.8
"""So much of the window may a request fill before it is made shorter."""
READS_FILES = "read_file"


def weigh(messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition]) -> Context:
    """What a request is made of, in estimated tokens; `filled` is all of it."""
    instructions = sum(len(one.name) + len(one.description or "") + _size(one.parameters_json_schema) for one in tools)
    last = next((one for one in reversed(messages) if isinstance(one, ModelRequest)), None)
    instructions += len((last.instructions if last else None) or "")
    conversation = results = files = 0
    for message in messages:
        for part in message.parts:
            match part:
                case ToolReturnPart(tool_name=name):
                    size = _size(part.content)
                    results, files = (results, files + size) if name == READS_FILES else (results + size, files)
                case UserPromptPart(content=str(text)):
                    conversation += len(text)
                case UserPromptPart():
                    conversation += sum(map(_characters, part.content))
                case ToolCallPart():
                    conversation += _size(part.args)
                case _:
                    conversation += _size(getattr(part, "content", ""))
    counts = [size // CHARACTERS for size in (instructions, conversation, results, files)]
    return Context(sum(counts), None, *counts)


def estimate(turn: Turn, request: Request) -> Context:
    """What a first request of a turn is made of; as a whole from what the provider counted of the one before."""
    return since(counted_before(turn), weigh(request.messages, request.tools))


def since(before: Context | None, context: Context) -> Context:
    """`context`, with all of it told by what the provider counted of `before` and what was added to that.

    Estimates lie far off for pictures, other scripts and what providers add by themselves.
    """
    if before is None:
        return context
    added = parts_of(context) - parts_of(before)
    return replace(context, filled=max(parts_of(context), before.filled + added))


def is_too_full(filled: int, window: int | None) -> bool:
    return window is not None and filled > FULL * window


def counted_before(turn: Turn) -> Context | None:
    """What the last request of the session was made of, where the same model counted it."""
    answers = (one for one in reversed(turn.messages) if one.get("role") == "assistant")
    told = next((one["context"] for one in answers if one.get("context") and one.get("model") == turn.model), None)
    try:
        return msgspec.convert(told, Context) if told else None
    except msgspec.ValidationError:
        return None


def parts_of(context: Context) -> int:
    """All that a request is made of, as it was estimated."""
    return context.instructions + context.conversation + context.tool_results + context.files


def _characters(item: UserContent) -> int:
    if (attachment := shown_by(item)) is not None:
        return tokens_of(attachment) * CHARACTERS
    return _size(item.content if isinstance(item, TextContent) else item)


def _size(content: object) -> int:
    return len(content) if isinstance(content, str) else len(json.dumps(content, default=str))
