"""Fitting a turn that outgrows the model's window: what its calls gave and were given is left out, the oldest first.

Only what the model is sent gets shorter; what the run has said stays as it is. Imports pydantic-ai, so it is itself
imported late.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import ModelMessage, ToolCallPart, ToolReturnPart, UserPromptPart

from api.agents.attached import CROWDED, words
from api.agents.native.showing import places_in, put_in
from api.agents.native.weighing import CHARACTERS
from api.domain.attachments import tokens_of

BEGINNING = 300
"""Characters that are left of what is left out: enough to know it again."""
_LEAST = 2 * BEGINNING
_NEWEST_KEPT = 4000
"""Characters that each result of the last step keeps, if need be: the model has not read it yet."""


def clipped(messages: Sequence[ModelMessage], characters: int) -> tuple[list[ModelMessage], int]:
    """`messages` with at least so many characters fewer, where that can be had, and how many fewer they have."""
    made, saved = list(messages), 0
    for at, message in enumerate(made):
        is_last = at == len(made) - 1
        kept = _NEWEST_KEPT if is_last else BEGINNING
        is_of_calls = not is_last and any(isinstance(part, ToolReturnPart) for part in message.parts)
        parts: list[Any] = []
        for part in message.parts:
            if isinstance(part, UserPromptPart) and not is_of_calls:
                parts.append(part)  # what a person said, and the pictures of the last step, which nobody has seen yet
                continue
            shorter = part if saved >= characters else _shorter(part, kept)
            saved += _length(part) - _length(shorter)
            parts.append(shorter)
        if any(old is not new for old, new in zip(message.parts, parts, strict=True)):
            made[at] = replace(message, parts=parts)
        if saved >= characters:
            break
    return made, saved


def _shorter(part: Any, kept: int) -> Any:
    if _length(part) <= max(_LEAST, kept + BEGINNING):
        return part
    match part:
        case UserPromptPart():
            return put_in(part, lambda one: [words(one.attachment, CROWDED) if one.is_of_tool else one.item()])
        case ToolReturnPart(content=str(text)):
            return replace(part, content=_beginning(text, kept, "Make the call again if you need it."))
        case ToolCallPart(args=str(text)):
            return replace(part, args=json.dumps({"left_out": _beginning(text, kept, "It was done as asked.")}))
    return part


def _beginning(text: str, kept: int, hint: str) -> str:
    return f"{text[:kept]}\n[{len(text) - kept:,} characters were left out here to make room. {hint}]"


def _length(part: Any) -> int:
    match part:
        case ToolReturnPart(content=str(text)) | ToolCallPart(args=str(text)):
            return len(text)
        case UserPromptPart():
            return sum(tokens_of(one.attachment) * CHARACTERS for one in places_in(part) if one.is_of_tool)
    return 0
