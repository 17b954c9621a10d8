"""What is asked for in an address: odd, hostile and impossible parameters."""

import json
from urllib.parse import quote

import pytest

from tests.http.table import READING, check_error
from tests.http.test_bad_bodies import HOSTILE_IDS
from tests.serving import Client

NO_SESSION = "0" * 32

REFUSED = {
    "/api/sessions": """
        limit=0 limit=-1 limit=%EF%BC%91%EF%BC%92 limit=1.5 limit=abc limit= limit=1e3 limit=0x10 limit=true limit=%00
        archived=2 archived=-1 archived=maybe cursor=garbage cursor=.. cursor=%00 cursor=W10 cursor=bnVsbA
        project_id=.. project_id=a%2Fb limit=9{0:9>5000} cursor=a{0:a>500} q=a{0:a>1000} tag=a{0:a>100}""",
    "/api/sessions/search": "limit=1 q=a{0:a>10000} q=a&limit=0 q=a&limit=-5 q=a&cursor=garbage q=a&cursor=W10",
    "/api/session": """
        limit=1 session_id=s1&messages=2 session_id=s1&msg_limit=-5 session_id=s1&msg_limit=0
        session_id=s1&msg_before=-1 session_id=s1&msg_before=9{0:9>30}""",
    "/api/session/export": "format=json session_id=s1&format=exe session_id=s1&format=json%0A",
    "/api/chat/stream": """
        after_seq=1 stream_id=r1&after_seq=-1 stream_id=r1&after_seq=9{0:9>30} stream_id=r1&after_seq=x""",
    "/api/chat/streams": """
        after_seq=1 runs= runs=r1 runs=r1: runs=r1:x runs=r1:-1 runs=:1 runs=r1:1, runs=,r1:1 runs=..%2Fr1:1
        runs=r1:1%0A runs=r1:9{0:9>15} runs=r1:1{0:,>100} runs=r1:%C2%B2""",
    "/api/chat/stream/status": "limit=1",
    "/api/events": "after=a{0:a>100}",
}
"""Queries that a route cannot answer. `{0:a>100}` is a hundred times the letter a."""

SEARCHES = [
    *(
        '"',
        '""',
        "*",
        "a*",
        "NEAR(",
        "NEAR(a b, 2)",
        "a OR",
        "AND",
        "NOT",
        "a AND NOT",
        "(",
        ")",
        "^a",
        "{a b}: c",
        "a + b",
    ),
    *(
        "a:b",
        "title:",
        "tag:",
        "model:x project:y",
        "before:",
        "before:x",
        "after:9999-99-99",
        "before:2020-13-45",
        "role:x",
    ),
    *("-", "--", "-a", '-"', "'; DROP TABLE sessions; --", "%", "_", "\\", " ", "\t", "\x00", "a\x00b"),
    # Nothing takes a pattern, so what a pattern would take for ever over is words like any other.
    *("(a+)+$", "^(a|a)*b", ".*" * 500, "(" * 200),
    *("\ufffd", "é", "ﬁ", "日本", "😀", "a" * 10_000, "a " * 5000),
]


# Bad inputs 5, 18, 19
@pytest.mark.parametrize(
    ("path", "query"), [(path, query) for path, queries in REFUSED.items() for query in queries.format("").split()]
)
def test_a_parameter_that_cannot_be_is_refused(path: str, query: str, client: Client) -> None:
    answer = client.http.get(f"{path}?{query}")

    error = check_error(answer.status_code, answer.json())
    assert answer.status_code == 400
    assert error.field


# Bad input 42
@pytest.mark.parametrize("path", READING)
def test_an_address_that_has_two_readings_is_refused(path: str, client: Client) -> None:
    for query in (
        "limit=1&limit=2",
        "q=a&q=a",
        "session_id=a&session%5Fid=b",
        "q=%",
        "q=%zz",
        "q=%a",
        "%=a",
        "a=%u0041",
    ):
        answer = client.http.get(f"{path}?{query}")
        error = check_error(answer.status_code, answer.json())
        assert (answer.status_code, error.code) == (400, "bad_request"), query


# Bad input 21
@pytest.mark.parametrize("path", ["/api/session", "/api/session/export", "/api/chat/stream", "/api/chat/stream/status"])
def test_a_hostile_id_is_refused_and_an_unknown_one_not_found(path: str, client: Client) -> None:
    name = "stream_id" if "stream" in path else "session_id"
    for hostile in HOSTILE_IDS:
        answer = client.http.get(f"{path}?{name}={quote(hostile, errors='surrogatepass')}")
        error = check_error(answer.status_code, answer.json())
        assert (answer.status_code, error.field) == (400, name), hostile

    answer = client.http.get(path, params={name: NO_SESSION})
    assert check_error(answer.status_code, answer.json()).code in ("session_not_found", "run_not_found")
    assert answer.status_code == 404


# Bad input 20
@pytest.mark.parametrize("limit", [201, 10**9, 10**30])
def test_a_limit_above_the_largest_is_the_largest(limit: int, client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello there")

    assert 1 <= len(client.get("/api/sessions", limit=limit)["sessions"]) <= 200
    assert len(client.get("/api/sessions/search", q="hello", limit=limit)["results"]) <= 100
    assert len(client.get("/api/session", session_id=session_id, msg_limit=limit)["session"]["messages"]) == 2


# Bad inputs 11, 51, 52
@pytest.mark.parametrize("q", SEARCHES)
def test_whatever_is_typed_into_the_search_is_a_search(q: str, client: Client) -> None:
    found = client.http.get("/api/sessions/search", params={"q": q})

    assert found.status_code == 200, found.text
    assert set(found.json()) == {"results", "next_cursor", "took_ms"}
    if len(q) < 1000:
        assert client.http.get("/api/sessions", params={"q": q}).status_code == 200


# Bad input 42
@pytest.mark.parametrize("query", ["a%5B%5D=1", "q=%ff", "q=%ed%a0%80", "unknown=1", "=", "&&", "q", "q=a;b"])
def test_what_a_route_does_not_know_is_passed_over(query: str, client: Client) -> None:
    assert client.http.get(f"/api/sessions?{query}").status_code == 200


# Bad input 19
def test_a_cursor_leads_on_in_its_own_list_only(client: Client) -> None:
    for _ in range(3):
        client.answer(client.new_session(), "cursors lead on")
    page = client.get("/api/sessions", limit=1)
    found = client.get("/api/sessions/search", q="cursors", limit=1)

    following = client.get("/api/sessions", limit=1, cursor=page["next_cursor"])
    assert following["sessions"][0]["session_id"] != page["sessions"][0]["session_id"]
    assert client.http.get("/api/sessions", params={"cursor": found["next_cursor"]}).status_code == 400
    crossed = client.http.get("/api/sessions/search", params={"q": "cursors", "cursor": page["next_cursor"]})
    assert crossed.status_code == 400


# Bad input 19
def test_a_window_of_messages_lies_where_it_was_asked_for(client: Client) -> None:
    session_id = client.new_session()
    for number in range(3):
        client.answer(session_id, f"message {number}")

    def window(**query: int | str) -> tuple[list[str], int, bool]:
        answer = client.get("/api/session", session_id=session_id, **query)
        said = [message["content"] for message in answer["session"]["messages"]]
        return said, answer["_messages_offset"], answer["_messages_truncated"]

    assert window(msg_limit=2) == (["message 2", "message 2"], 4, True)
    assert window(msg_limit=2, msg_before=3) == (["message 0", "message 1"], 1, True)
    assert window(msg_limit=9, msg_before=1) == (["message 0"], 0, False)
    assert window(msg_before=0) == ([], 0, False)
    assert window(msg_before=10**6, msg_limit=1) == (["message 2"], 5, True)
    assert window(messages=0) == ([], 6, True)
    ids = [message["id"] for message in client.get("/api/session", session_id=session_id)["session"]["messages"]]
    assert window(msg_around=ids[2], msg_limit=2) == (["message 1", "message 1"], 2, True)
    assert window(msg_around=ids[0], msg_limit=2) == (["message 0", "message 0"], 0, False)
    assert window(msg_around="gone", msg_limit=1) == (["message 2"], 5, True)
    assert client.get("/api/session", session_id=session_id, msg_around=ids[0], msg_limit=2)["_messages_after"] == 4


# Bad input 45
@pytest.mark.parametrize("value", ["bytes=0-,0-", "bytes=-1", "bytes=5-2", "bytes=" + "0-," * 5000, "pages=1"])
def test_a_range_is_passed_over(value: str, client: Client) -> None:
    answer = client.http.get("/api/openapi.json", headers={"Range": value})

    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"].startswith("3.")
