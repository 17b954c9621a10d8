"""Conversations as files: out for people, and back in."""

import json

import pytest

from api.domain.errors import BadRequest
from api.sessions.documents.exporting import to_html, to_markdown
from api.sessions.importing import import_json
from api.sessions.store import SessionStore

HOSTILE = "<script>window.__pwned=1</script> ![x](https://sink.test/?a) [y](javascript:alert(1)) <img src=x onerror=y>"


def exported(store: SessionStore) -> bytes:
    session = store.new(title="Talk", tags=["a"], something_unknown={"kept": True})
    session.messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    session.save()
    return json.dumps(session.document()).encode()


def test_json_comes_back_the_same(store: SessionStore, other_store: SessionStore) -> None:
    data = exported(store)

    (session,) = import_json(other_store, data, owner="local").sessions

    original = json.loads(data)
    for name in ("session_id", "title", "tags", "messages", "created_at", "something_unknown"):
        assert session.document()[name] == original[name]


def test_importing_twice_changes_nothing(store: SessionStore) -> None:
    data = exported(store)

    done = import_json(store, data, owner="local")

    assert (done.sessions, done.skipped) == ([], 1)
    assert len(store.all_rows()) == 1


# Bad input 50
def test_another_conversation_under_the_same_id_is_not_overwritten(store: SessionStore) -> None:
    document = json.loads(exported(store))
    document["messages"][1]["content"] = "something else"

    (session,) = import_json(store, json.dumps(document).encode(), owner="local").sessions

    assert session.session_id != document["session_id"]
    assert store.get(document["session_id"]).messages[1]["content"] == "hi"


@pytest.mark.parametrize(
    "data",
    [b"", b"not json", b"[]", b"5", b"null", b"{}", b'{"messages": 5}', b'[{"messages": []}, 7]', b"[" * 100_000],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_conversation_is_refused_and_leaves_nothing(store: SessionStore, data: bytes) -> None:
    with pytest.raises(BadRequest):
        import_json(store, data, owner="local")

    assert store.all_rows() == []


def test_a_file_that_is_broken_at_its_end_imports_nothing_of_its_beginning(store: SessionStore) -> None:
    good = {"session_id": "good", "messages": [{"role": "user", "content": "hello"}]}

    with pytest.raises(BadRequest, match="Entry 2"):
        import_json(store, json.dumps([good, {"session_id": "bad", "messages": [{}]}]).encode(), owner="local")

    assert store.all_rows() == []


def test_markdown_names_who_wrote_and_fences_what_tools_said() -> None:
    messages = [
        {"role": "user", "content": "run it"},
        {"role": "tool", "name": "ls", "content": "```\nnested\n```"},
        {"role": "assistant", "model": "m", "content": "done", "reasoning": "hm"},
    ]

    text = to_markdown("A\ntalk", messages)

    assert text.startswith("# A talk\n")
    assert "## You\n\nrun it" in text
    assert "## Tool · ls\n\n````\n```\nnested\n```\n````" in text
    assert "<summary>Thinking</summary>\n\nhm" in text


def test_the_html_page_runs_and_loads_nothing_that_a_message_holds() -> None:
    page = to_html(HOSTILE, [{"role": "assistant", "content": HOSTILE, "model": HOSTILE}], created_at=0.0)

    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "default-src 'none'" in page
