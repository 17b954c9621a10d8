"""What Fireside has no use for: forms, passkeys, webhooks. It is refused, and leaves nothing."""

import json

import pytest

from tests.http.table import BODIES, check_error
from tests.serving import Client, ServerProcess

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: image/png\r\n\r\n'
BROKEN_FORMS = {
    "10,000 fields": b"".join(
        b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(10_000)
    ),
    "no boundary": b"hello",
    "a form in a form": HEAD % b"a"
    + b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
    "cut in the middle": (HEAD % b"a")[:40],
}


# Bad input 48
def test_a_form_is_refused_by_every_route_whatever_its_file_is_called(client: Client, server: ServerProcess) -> None:
    for path in BODIES:
        for name in ("../../x", "", "page.png"):
            body = HEAD % name.encode() + b"<html><script>alert(48)</script>\r\n--b--\r\n"
            answer = client.http.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (path, name)
    kept = [path for path in server.state_dir.rglob("*") if path.is_file() and b"alert(48)" in path.read_bytes()]
    assert kept == []


# Bad input 48
@pytest.mark.parametrize("form", BROKEN_FORMS.values(), ids=BROKEN_FORMS)
def test_a_broken_form_is_refused_unread(client: Client, form: bytes) -> None:
    for kind in ("multipart/form-data; boundary=b", "multipart/form-data", "application/x-www-form-urlencoded"):
        answer = client.http.post("/api/chat/start", content=form, headers={"Content-Type": kind})
        check_error(answer.status_code, answer.json())
        assert answer.status_code in (413, 415)


# Bad input 56
def test_a_passkey_is_no_way_to_sign_in(client: Client) -> None:
    assertion = {"id": "credential", "rawId": "credential", "type": "public-key", "response": {"signature": "AA"}}
    for path in ("/api/auth/login", "/api/auth/exchange"):
        answer = client.http.post(path, json=assertion)
        check_error(answer.status_code, answer.json())
        assert answer.status_code == 400
        assert "set-cookie" not in answer.headers


# Bad input 58
def test_a_webhook_is_named_nowhere_and_nobody_is_called(client: Client, server: ServerProcess) -> None:
    hook = {"webhook": "http://127.0.0.1:1/hook", "push": {"endpoint": "http://169.254.169.254/"}}
    session_id = client.post("/api/session/new", **hook)["session"]["session_id"]
    client.answer(session_id, "hello", **hook)

    kept = json.dumps(client.get("/api/session/export", session_id=session_id, format="json"))
    assert "127.0.0.1:1/hook" not in kept and "169.254" not in kept
