"""What a person can set about how a session's model answers."""

from typing import Any, Literal

import msgspec

Effort = Literal["low", "medium", "high"]


class Parameters(msgspec.Struct, frozen=True, omit_defaults=True):
    """None leaves it to the model. `max_tokens` is the longest answer to one request; `effort` that of reasoning."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    effort: Effort | None = None


def parameters_of(stored: Any) -> Parameters:
    """What a session's document says; whatever is no parameter in it counts as not set."""
    fields = stored if isinstance(stored, dict) else {}
    return msgspec.structs.replace(Parameters(), **dict(filter(_is_usable, fields.items())))


def _is_usable(item: tuple[str, Any]) -> bool:
    name, value = item
    if name == "effort":
        return value in ("low", "medium", "high")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    match name:
        case "temperature":
            return 0 <= value <= 2
        case "top_p":
            return 0 < value <= 1
        case "max_tokens":
            return isinstance(value, int) and value >= 1
    return False
