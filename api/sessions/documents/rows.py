"""What a list shows of a session."""

from typing import Any, Protocol

from api.domain.approvals import mode_of
from api.domain.titles import UNTITLED
from api.sessions.documents.document import usable_count, usable_time

Row = dict[str, Any]

_DAY_S = 86_400.0


class Listed(Protocol):
    """Where a row's values come from: a session in memory, or the header of a document."""

    session_id: Any
    title: Any
    workspace: Any
    model: Any
    agent: Any
    approval_mode: Any
    created_at: Any
    updated_at: Any
    pinned: Any
    archived: Any
    project_id: Any
    tags: Any
    profile: Any
    input_tokens: Any
    output_tokens: Any
    estimated_cost: Any
    active_stream_id: Any
    unread: Any
    revision: Any
    title_by: Any


def row_of(source: Listed, message_times: list[Any], now: float) -> Row:
    """The row of `source`, whose messages carry `message_times`, oldest first. All times in seconds since 1970.

    Documents come from many hands: what is no time, count or text is shown as if it were absent. What waits in a queue
    is in no document: `held_messages` is for others to fill in.
    """
    created, updated = _past(source.created_at, now), _past(source.updated_at, now)
    first = _past(message_times[0], now) if message_times else None
    last = _past(message_times[-1], now) if message_times else None
    return {
        "session_id": source.session_id,
        "title": source.title or UNTITLED,
        "workspace": _text(source.workspace),
        "model": _text(source.model),
        "agent": _text(source.agent),
        "approval_mode": mode_of(source.approval_mode),
        "message_count": len(message_times),
        "created_at": created or first or updated or 0.0,
        "updated_at": updated or last or created or 0.0,
        "last_message_at": last or updated or created or 0.0,
        "pinned": source.pinned is True,
        "archived": source.archived is True,
        "project_id": _text(source.project_id),
        "tags": [tag for tag in source.tags if isinstance(tag, str)] if isinstance(source.tags, list) else [],
        "profile": _text(source.profile),
        "input_tokens": usable_count(source.input_tokens),
        "output_tokens": usable_count(source.output_tokens),
        "estimated_cost": source.estimated_cost if isinstance(source.estimated_cost, int | float) else None,
        "is_streaming": source.active_stream_id is not None,
        "active_stream_id": _text(source.active_stream_id),
        "held_messages": 0,
        "unread": source.unread is True,
        "revision": usable_count(source.revision),
        "title_by": _text(source.title_by),
    }


def is_shown(row: Row) -> bool:
    """An Untitled session with no messages is in no list, saved or not."""
    return row["message_count"] > 0 or row["title"] != UNTITLED


def order(row: Row) -> tuple[bool, float, str]:
    """Sorts rows, in reverse: pinned first, then the newest message first."""
    return row["pinned"], row["last_message_at"], row["session_id"]


def _past(value: Any, now: float) -> float | None:
    """A time that a clock once set wrong put far into the future says nothing, and would stay on top for ever."""
    time = usable_time(value)
    return time if time is not None and time < now + _DAY_S else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
