"""Reading the messages of a document, ours or the ecosystem's: plain dicts whose unknown fields must survive."""

from typing import Any

Message = dict[str, Any]
"""`{id, role: user|assistant|tool, content, timestamp, ...}`; `content` is text or a list of parts with `type`."""


def text_of(message: Message) -> str:
    """The readable text of a message: its `content`, or the text parts of it joined by blank lines."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n\n".join(filter(None, map(_part_text, content)))
    return ""


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return part["text"]
    return ""


def is_said(message: Message) -> bool:
    """Does a turn begin with it? What a person told the agent while it worked is a part of the agent's turn."""
    return message.get("role") == "user" and not message.get("steered")


def clean_text(text: str) -> str:
    """`text` as it can be stored everywhere: a lone surrogate becomes U+FFFD and a NUL is dropped.

    UTF-8 cannot encode the first, and SQLite and C libraries stop reading at the second.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


def line_of(text: str, longest: int = 300) -> str:
    """`text` in one line, cut to `longest` characters."""
    return " ".join(clean_text(text).split())[:longest]
