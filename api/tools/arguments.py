"""What a model sent as arguments, checked before anything sees it. What is wrong is said so that it can mend it."""

from typing import Any, TypeVar

import msgspec

from api.domain.errors import BadRequest

MOST_BYTES = 2_000_000

A = TypeVar("A", bound=msgspec.Struct)


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of the arguments, an object in one piece. `kind` forbids unknown fields."""
    _, components = msgspec.json.schema_components([kind])
    schema = components[kind.__name__]
    return {name: schema[name] for name in ("type", "properties", "required", "additionalProperties")}


def parsed(raw: str | bytes) -> dict[str, Any]:
    """The arguments of a call as a model wrote them; nothing at all stands for none.

    Raises:
        BadRequest: they are no JSON, no object, or more than anyone needs.
    """
    if len(raw) > MOST_BYTES:
        raise _too_much(len(raw))
    try:
        value = msgspec.json.decode(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The arguments are no valid JSON: {error}. Send one JSON object.") from error
    if not isinstance(value, dict):
        raise BadRequest(f"The arguments are {_kind_of(value)} and no JSON object.")
    return value


def taken(arguments: dict[str, Any], kind: type[A], tool: str) -> A:
    """The arguments as what the tool wants.

    Raises:
        BadRequest: one is missing, unknown, of another type or out of its bounds, or all of them are too much.
    """
    try:
        data = msgspec.json.encode(arguments)
        if len(data) > MOST_BYTES:
            raise _too_much(len(data))
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        wanted = ", ".join(field.name for field in msgspec.structs.fields(kind))
        raise BadRequest(f"The arguments do not fit {tool}: {error}. It takes: {wanted}.") from error
    except (ValueError, TypeError, RecursionError) as error:  # half of a letter, a number that is none
        raise BadRequest(f"The arguments of {tool} cannot be understood: {error}.") from error


def _too_much(size: int) -> BadRequest:
    return BadRequest(f"The arguments have {size:,} bytes, and at most {MOST_BYTES:,} are taken. Do it in parts.")


def _kind_of(value: object) -> str:
    names = {"list": "a list", "str": "a string", "bool": "a boolean", "int": "a number", "float": "a number"}
    return names.get(type(value).__name__, "null")
