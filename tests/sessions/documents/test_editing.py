"""Taking messages away, putting them back, and sessions that begin like another."""

from typing import Any

import pytest

from api.domain.errors import Conflict, NotFound
from api.sessions.documents import editing
from api.sessions.documents.branching import copied_fields
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore


@pytest.fixture
def session(store: SessionStore) -> Session:
    session = store.new(title="Talk")
    session.messages = [said("u1", "user"), said("a1", "assistant"), said("u2", "user"), said("a2", "assistant")]
    session.save()
    return session


def said(message_id: str, role: str) -> dict[str, Any]:
    return {"id": message_id, "role": role, "content": f"words of {message_id}"}


def ids(session: Session) -> list[str]:
    return [message["id"] for message in session.messages]


def test_undo_takes_back_a_turn_and_it_can_be_put_back(session: Session) -> None:
    editing.undo_last_turn(session, 1.0)
    session.save("undo")
    assert ids(session) == ["u1", "a1"]

    editing.put_back(session)
    session.save()

    assert ids(session) == ["u1", "a1", "u2", "a2"]


def test_what_was_cleared_is_in_the_document_until_it_is_put_back(session: Session) -> None:
    editing.clear(session, 1.0)
    session.save("clear")

    assert session.messages == []
    assert [one["id"] for one in session.document()["taken_back"][0]["messages"]] == ["u1", "a1", "u2", "a2"]


def test_nothing_is_put_back_into_a_conversation_that_has_gone_on(session: Session) -> None:
    editing.truncate(session, "a1", 1.0)
    session.messages = [*session.messages, said("u3", "user")]

    with pytest.raises(Conflict, match="gone on"):
        editing.put_back(session)

    assert ids(session) == ["u1", "a1", "u3"]


def test_there_must_be_something_to_take_or_put_back(session: Session, store: SessionStore) -> None:
    blank = store.new()
    with pytest.raises(Conflict):
        editing.undo_last_turn(blank, 1.0)
    with pytest.raises(Conflict):
        editing.clear(blank, 1.0)
    with pytest.raises(Conflict):
        editing.truncate(session, "a2", 1.0)
    with pytest.raises(NotFound):
        editing.truncate(session, "another", 1.0)
    with pytest.raises(Conflict):
        editing.put_back(session)


def test_a_branch_ends_with_the_message_it_was_made_at(session: Session, store: SessionStore) -> None:
    branch = store.new(**copied_fields(session, up_to="a1", title=None))

    assert ids(branch) == ["u1", "a1"]
    assert (branch.title, branch.extra["parent_session_id"]) == ("Talk (branch)", session.session_id)


def test_changing_a_copy_leaves_the_original_alone(session: Session, store: SessionStore) -> None:
    copy = store.new(**copied_fields(session, up_to=None, title="Mine"))

    copy.messages[0]["content"] = "changed"

    assert session.messages[0]["content"] == "words of u1"
    assert copy.title == "Mine"
