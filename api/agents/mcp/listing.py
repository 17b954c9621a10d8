"""What a server says its tools are, made fit to be shown to a person and offered to a model."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from api.agents.mcp.server import Listed

MOST_TOOLS = 1000
"""So many tools of one server are listed."""
_LONGEST_NAME = 64
_LONGEST_TITLE = 100
_LONGEST_DESCRIPTION = 8000
_LARGEST_SCHEMA = 64_000
"""Bytes: each request to a model carries the whole of it."""
_MOST_BYTES = 2_000_000
"""Of all schemas and descriptions of one server: they are kept, and shown to the person."""


def listed(server_name: str, tools: Iterable[Mapping[str, Any]]) -> list[Listed]:
    """The tools that can be used, each name once, none of them on. `tools` are as the protocol has them."""
    found: dict[str, Listed] = {}
    room = _MOST_BYTES
    for tool in tools:
        one = _listed(server_name, tool)
        if one is None or one.offered in found:
            continue
        room -= len(msgspec.json.encode(one))
        if room < 0 or len(found) == MOST_TOOLS:
            break
        found[one.offered] = one
    return list(found.values())


def is_usable(tool: Any) -> bool:
    """Whether it is a tool at all, with a schema that providers take."""
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str) or not tool["name"]:
        return False
    schema = tool.get("inputSchema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return False
    properties, required = schema.get("properties", {}), schema.get("required", [])
    are_schemas = isinstance(properties, dict) and all(isinstance(one, dict | bool) for one in properties.values())
    return are_schemas and isinstance(required, list) and all(isinstance(name, str) for name in required)


def _listed(server_name: str, tool: Mapping[str, Any]) -> Listed | None:
    if not is_usable(tool) or len(tool["name"]) > _LONGEST_DESCRIPTION:
        return None
    schema = tool["inputSchema"]
    if len(msgspec.json.encode(schema)) > _LARGEST_SCHEMA:
        return None
    annotations = tool.get("annotations")
    hints = annotations if isinstance(annotations, dict) else {}
    return Listed(
        name=tool["name"],
        offered=offered_name(server_name, tool["name"]),
        title=_line(tool.get("title") or hints.get("title"))[:_LONGEST_TITLE],
        description=_text(tool.get("description"))[:_LONGEST_DESCRIPTION],
        schema=schema,
        reads=hints.get("readOnlyHint") is True,
    )


def offered_name(server_name: str, name: str) -> str:
    """What a model calls the tool: letters that every provider takes, and no other tool's name."""
    room = _LONGEST_NAME - len(server_name) - 2
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if plain != name or len(plain) > room:
        plain = f"{plain[: room - 9]}_{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return f"{server_name}__{plain}"


def _line(value: object) -> str:
    return " ".join(_text(value).split())


def _text(value: object) -> str:
    """`value` without what cannot be seen, where it is text."""
    if not isinstance(value, str):
        return ""
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in value).strip()
