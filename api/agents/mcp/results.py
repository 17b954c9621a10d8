"""What a tool of an MCP server answered: as text for the model, and pictures for the person and for one that sees."""

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
from api.domain.pictures import PictureRefused
from api.tools.pictures import MOST_OF_A_CALL, GivenPicture, picture_sent


def content_of(
    result: CallToolResult, called: str, secrets: Sequence[str], most: int
) -> tuple[str, tuple[GivenPicture, ...]]:
    """All that a tool that is `called` so says: as text, in which each picture has its place, and its pictures.

    The text has at most about `most` characters, and none of the `secrets`.
    """
    pictures: list[GivenPicture] = []
    parts = [_part(block, called, pictures) for block in result.content]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    # Before anything is left out: half a secret would not be known for one.
    text = without_middle(without_secrets("\n".join(parts), secrets), most) or "(It answered nothing.)"
    return text, tuple(pictures)


def _part(block: Any, called: str, pictures: list[GivenPicture]) -> str:
    """What stands for it in the text. What is a picture, whatever it is said to be, is added to them."""
    match block:
        case TextContent():
            return block.text
        case ImageContent():
            return f"[{block.type}: {block.mime_type}, {_size(block.data)}{_taken(block.data, called, pictures)}]"
        case AudioContent():
            return f"[{block.type}: {block.mime_type}, {_size(block.data)}, not shown]"
        case ResourceLink():
            return f"[link: {block.title or block.name}, {block.uri}]"
        case EmbeddedResource(resource=BlobResourceContents() as blob):
            is_picture = (blob.mime_type or "").startswith("image/")
            taken = _taken(blob.blob, called, pictures) if is_picture else ", not shown"
            return f"[file: {blob.uri}, {blob.mime_type or 'of no known kind'}, {_size(blob.blob)}{taken}]"
        case EmbeddedResource(resource=TextResourceContents() as file):
            return f"[{file.uri}]\n{file.text}"
        case _:
            return f"[{type(block).__name__}, not shown]"


def _taken(base64_text: str, called: str, pictures: list[GivenPicture]) -> str:
    """Add the picture; where it cannot be, the words for that."""
    if len(pictures) == MOST_OF_A_CALL:
        return f", not shown: only the first {MOST_OF_A_CALL} are"
    try:
        pictures.append(picture_sent(base64_text, called, len(pictures) + 1))
    except PictureRefused as error:
        return f", not shown: {error}"
    return ""


def _size(base64: str) -> str:
    return f"{max(1, len(base64) * 3 // 4 // 1024)} kB"
