"""Bodies that are nearly right, by the thousand: none of them ends the server or is its fault."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.table import BODIES, GOOD, check_error, good_body
from tests.serving import Client, ServerProcess

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NEARLY = st.sampled_from(
    [
        *GOOD.values(),
        "",
        "..",
        "x" * 301,
        "a\x00",
        "con",
        0,
        -1,
        2**53,
        2**64,
        1e308,
        "http://127.0.0.1:1",
        "file:///etc",
    ]
)
NAMES = sorted({name for model in BODIES.values() for name in model.model_fields})
# A slow provider is asked by these when the body is good, which is for other tests.
PATHS = sorted(path for path in BODIES if path not in ("/api/providers/test", "/api/providers/save"))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    path = draw(st.sampled_from(PATHS))
    body = good_body(BODIES[path])
    changes = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), NEARLY | ANYTHING, max_size=4)
    missing = draw(st.sets(st.sampled_from(sorted(body)))) if body and draw(st.booleans()) else set()
    return path, {name: value for name, value in body.items() if name not in missing} | draw(changes)


def test_no_body_is_the_servers_fault(server: ServerProcess, client: Client) -> None:
    session_id = client.new_session()
    pid = server.process.pid

    @settings(max_examples=600, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(request=requests(), is_there=st.booleans())
    def ask(request: tuple[str, dict[str, Any]], is_there: bool) -> None:
        path, body = request
        named = {"session_id": session_id} if is_there and "session_id" in body else {}
        content = json.dumps(body | named).encode()
        answer = client.http.post(path, content=content, headers={"Content-Type": "application/json"})
        if answer.status_code != 200:
            check_error(answer.status_code, answer.json())

    ask()

    assert server.process.poll() is None
    assert server.process.pid == pid
    assert client.get("/health")["status"] == "ok"
