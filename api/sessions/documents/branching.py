"""A session that begins like another one: a copy, or a branch from one of its messages."""

import copy
from typing import Any, Literal

from api.domain.compactions import FIELD
from api.domain.errors import Conflict
from api.sessions.documents.editing import position_of
from api.sessions.documents.session import Session


def copied_fields(
    session: Session, *, up_to: str | None, title: str | None, kind: Literal["branch", "copy"] = "branch"
) -> dict[str, Any]:
    """The fields of a new session that begins like `session`: all of it, or up to a message, that one included.

    Raises:
        NotFound: there is no such message.
        Conflict: there is nothing to copy.
    """
    end = len(session.messages) if up_to is None else position_of(session, up_to) + 1
    if end == 0:
        raise Conflict("This conversation is empty, so there is nothing to copy.", code="nothing_to_copy")
    names = ("workspace", "model", "agent", "system_prompt", "parameters", "project_id", "profile")
    fields: dict[str, Any] = {name: getattr(session, name) for name in names}
    messages = copy.deepcopy(session.messages[:end])
    if kept := session.extra.get(FIELD):
        fields[FIELD] = copy.deepcopy(kept)  # one of what is not copied is void there
    return fields | {
        "messages": messages,
        "tags": list(session.tags),
        "title": title or f"{session.title} ({kind})",
        "title_by": "person" if title else session.title_by,
        "parent_session_id": session.session_id,
    }
