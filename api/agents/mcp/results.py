"""What a tool of an MCP server answered: as text for the model, and pictures for one that sees."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from api.agents.attached import without_middle
from api.agents.murmur import without_secrets
from api.tools.pictures import MOST_BYTES, ShownPicture, picture_in

MOST_PICTURES = 8


def text_of(result: CallToolResult, secrets: Sequence[str], most: int) -> str:
    """All that it says, pictures and the like by name, at most about `most` characters, without `secrets`."""
    shown = [id(block) for block, _ in _pictures(result)]
    parts = [_part(block, is_shown=id(block) in shown) for block in result.content]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = without_middle("\n".join(parts), most)
    return without_secrets(text, secrets) or "(It answered nothing.)"


def pictures_of(result: CallToolResult) -> tuple[ShownPicture, ...]:
    """The first of its pictures, by what their bytes are and not by what they are said to be."""
    return tuple(picture for _, picture in _pictures(result))


def _pictures(result: CallToolResult) -> list[tuple[ImageContent, ShownPicture]]:
    found: list[tuple[ImageContent, ShownPicture]] = []
    for block in result.content:
        if len(found) < MOST_PICTURES and isinstance(block, ImageContent) and (picture := _picture(block.data)):
            found.append((block, picture))
    return found


def _picture(base64_text: str) -> ShownPicture | None:
    if len(base64_text) > MOST_BYTES * 4 // 3 + 4:
        return None
    try:
        return picture_in(base64.b64decode(base64_text))
    except ValueError:
        return None


def _part(block: Any, *, is_shown: bool) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return f"[{block.type}: {block.mime_type}, {_size(block.data)}{'' if is_shown else ', not shown'}]"
        case ResourceLink():
            return f"[link: {block.title or block.name}, {block.uri}]"
        case EmbeddedResource(resource=BlobResourceContents() as blob):
            return f"[file: {blob.uri}, {blob.mime_type or 'of no known kind'}, {_size(blob.blob)}, not shown]"
        case EmbeddedResource(resource=TextResourceContents() as file):
            return f"[{file.uri}]\n{file.text}"
        case _:
            return f"[{type(block).__name__}, not shown]"


def _size(base64: str) -> str:
    return f"{max(1, len(base64) * 3 // 4 // 1024)} kB"
