"""Identifiers: how they are made and which ones may become part of a path."""

import re
import secrets
from typing import NewType

SessionId = NewType("SessionId", str)
RunId = NewType("RunId", str)
MessageId = NewType("MessageId", str)

OWNER_LOCAL = "local"
"""The owner of every session until there are accounts."""

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
# Windows opens a device, not a file, for these names, whatever the extension.
_DEVICE = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)")


def new_session_id() -> SessionId:
    """A random 128-bit id: 32 lower-case hex digits, so it is unique on case-folding disks too."""
    return SessionId(secrets.token_hex(16))


def new_run_id() -> RunId:
    """A random 128-bit id, marked so that no run is mistaken for a session."""
    return RunId(f"run-{secrets.token_hex(16)}")


def new_message_id() -> MessageId:
    return MessageId(f"msg-{secrets.token_hex(12)}")


def new_project_id() -> str:
    return f"project-{secrets.token_hex(8)}"


def new_task_id() -> str:
    return f"task-{secrets.token_hex(12)}"


def new_approval_id() -> str:
    return f"approval-{secrets.token_hex(12)}"


def new_attachment_id() -> str:
    return f"att-{secrets.token_hex(16)}"


def is_safe_id(value: object) -> bool:
    """May this become the name of a file? ASCII letters, digits, `-` and `_`, at most 128, led by a letter or digit.

    Everything else (`..`, `a/b`, NUL, newline, `con`, a leading dash) is refused before a path is built.
    """
    return isinstance(value, str) and bool(_SAFE.fullmatch(value)) and not _DEVICE.fullmatch(value)
