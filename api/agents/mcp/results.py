"""What a tool of an MCP server answered, as text for the model."""

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

from api.agents.murmur import without_secrets


def text_of(result: CallToolResult, secrets: Sequence[str], most: int) -> str:
    """All that it says, pictures and the like by name, at most about `most` characters, without `secrets`."""
    parts = [_part(block) for block in result.content]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = _shortened("\n".join(parts), most)
    return without_secrets(text, secrets) or "(It answered nothing.)"


def _part(block: Any) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return f"[{block.type}: {block.mime_type}, {_size(block.data)}, not shown]"
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


def _shortened(text: str, most: int) -> str:
    """The beginning and the end of what is too long, and how much lies between."""
    if len(text) <= most:
        return text
    end = most // 4
    left_out = len(text) - most
    return f"{text[: most - end]}\n\n[… {left_out} characters left out …]\n\n{text[-end:]}"
