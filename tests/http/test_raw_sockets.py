"""What goes over the wire before any route is asked: framing, hosts, deadlines."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from api.http import protocol
from api.http.gate import CSP
from tests.http.conftest import LocalServer, until
from tests.http.wire import connect, exchange, host_of, parse, read_to_end, send_all
from tests.serving import TOKEN, ServerProcess

REFUSED = {
    "a request without a Host": b"GET /health HTTP/1.1\r\n\r\n",
    "HTTP/1.0 without a Host": b"GET /health HTTP/1.0\r\n\r\n",
    "two Hosts, though both are ours": b"GET /health HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
    "two Hosts, the second hostile": b"GET /health HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n",
    "a whole address as target": b"GET http://evil.example/health HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a whole address of ours as target": b"GET http://{host}/health HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a question about no path": b"OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "both a length and chunks": b"POST /api/auth/login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown transfer coding": b"POST /api/auth/login HTTP/1.1\r\nHost: {host}\r\n"
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "lines that end in a bare LF": b"GET /health HTTP/1.1\nHost: {host}\n\n",
    "a NUL in a header": b"GET /health HTTP/1.1\r\nHost: {host}\r\nX-A: a\0b\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: {host}\r\nX-A: a\r\n b\r\n\r\n",
    "a blank before the colon": b"GET /health HTTP/1.1\r\nHost : {host}\r\n\r\n",
    "two lengths": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1, 1\r\n\r\na",
    "a negative length": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    "a length with a sign": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: +1\r\n\r\na",
    "a length beyond counting": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "the hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)),
    "a method in lower case": b"get /health HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a method nobody knows": b"SPELL /health HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "bytes beyond ASCII in the target": b"GET /h\xc3\xa9 HTTP/1.1\r\nHost: {host}\r\n\r\n",
}

STRANGE_HOSTS = {
    "a rebound name": "evil.example",
    "a rebound name with our port": "evil.example:{port}",
    "a path after our name": "127.0.0.1:{port}/login?x=",
    "our name as the user of another": "127.0.0.1:{port}@evil.example",
    "a final dot": "localhost.:{port}",
    "capital letters": "LOCALHOST:{port}",
    "another port": "127.0.0.1:1",
    "no port": "127.0.0.1",
    "the same address written otherwise": "127.1:{port}",
    "an address that is none of ours": "192.168.1.1:{port}",
    "nothing": "",
    "the unspecified address": "0.0.0.0:{port}",
    "our name before a suffix": "localhost:{port}.evil.example",
    "a name from a public resolver": "127.0.0.1.nip.io:{port}",
}


# Bad inputs 15, 37, 38, 39
@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_request_is_refused_with_400_and_the_connection_closed(
    request_: bytes, server: ServerProcess
) -> None:
    host = host_of(server.address).encode()

    answers = exchange(server.address, request_.replace(b"{host}", host))

    assert [answer.status for answer in answers] == [400]
    assert answers[0].error["code"] == "bad_request"
    assert answers[0].headers["content-security-policy"] == CSP
    assert answers[0].headers["connection"] == "close"


# Bad input 39
@pytest.mark.parametrize("host", STRANGE_HOSTS.values(), ids=STRANGE_HOSTS)
@pytest.mark.parametrize("path", ["/", "/health", "/api/sessions", "/nowhere"])
def test_a_host_that_is_not_ours_is_misdirected_whatever_it_asks_for(
    host: str, path: str, server: ServerProcess
) -> None:
    port = host_of(server.address).rpartition(":")[2]
    head = f"GET {path} HTTP/1.1\r\nHost: {host.format(port=port)}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"

    answers = exchange(server.address, head.encode())

    assert [answer.status for answer in answers] == [421]
    assert answers[0].error["code"] == "wrong_host"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_each_name_of_this_machine_is_ours_with_our_port(name: str, server: ServerProcess) -> None:
    port = host_of(server.address).rpartition(":")[2]

    answers = exchange(
        server.address, f"GET /health HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode()
    )

    assert [answer.status for answer in answers] == [200]


# Bad input 43
@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X-A: " + b"a" * 200_000 + b"\r\n", id="one header of 200 kB"),
        pytest.param(b"".join(b"X-%d: aaaa\r\n" % n for n in range(5000)), id="5,000 headers"),
        pytest.param(b"Cookie: " + b"a=b; " * 10_000 + b"\r\n", id="10,000 cookies"),
    ],
)
def test_a_head_that_is_too_large_is_refused_with_431(head: bytes, server: ServerProcess) -> None:
    host = host_of(server.address).encode()

    answers = exchange(server.address, b"GET /health HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (host, head))

    assert [(answer.status, answer.error["code"]) for answer in answers] == [(431, "head_too_large")]


# Bad input 42
def test_an_address_of_100_kb_is_refused_with_431(server: ServerProcess) -> None:
    host = host_of(server.address).encode()

    answers = exchange(server.address, b"GET /api/sessions?q=%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (b"a" * 100_000, host))

    assert [answer.status for answer in answers] == [431]


# Bad input 37
def test_pipelined_requests_are_answered_in_order(server: ServerProcess) -> None:
    host = host_of(server.address)
    asks = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\n" for path in ("/health", "/nowhere", "/api/auth/status")]

    answers = exchange(server.address, ("\r\n".join(asks) + "Connection: close\r\n\r\n").encode())

    assert [answer.status for answer in answers] == [200, 404, 200]
    assert answers[2].error == {"signed_in": False}


# Bad input 15
def test_rubbish_behind_a_request_does_not_reach_into_its_answer(server: ServerProcess) -> None:
    host = host_of(server.address)
    ask = f"GET /api/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"

    with connect(server.address) as connection:
        send_all(connection, ask.encode())
        beginning = connection.recv(65536)
        send_all(connection, b"rubbish\r\n\r\n")
        rest = read_to_end(connection)

    assert beginning.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1" not in rest


def test_a_body_that_waits_for_leave_is_asked_for(server: ServerProcess) -> None:
    with connect(server.address) as connection:
        send_all(connection, _login(server.address, "Expect: 100-continue", "Connection: close", length=2))
        leave = connection.recv(1000)
        send_all(connection, b"{}")
        answers = parse(read_to_end(connection))

    assert leave == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [answer.status for answer in answers] == [400]


# Bad input 37
def test_a_body_nobody_will_read_is_not_asked_for(server: ServerProcess) -> None:
    head = f"POST /api/session/new HTTP/1.1\r\nHost: {host_of(server.address)}\r\nExpect: 100-continue\r\n"

    answers = exchange(server.address, (head + "Content-Length: 9\r\n\r\n").encode())

    assert [answer.status for answer in answers] == [403]


def test_an_offer_to_upgrade_is_passed_over(server: ServerProcess) -> None:
    head = f"GET /health HTTP/1.1\r\nHost: {host_of(server.address)}\r\nConnection: Upgrade, close\r\n"

    for protocol_name in ("websocket", "h2c"):
        answers = exchange(server.address, (head + f"Upgrade: {protocol_name}\r\n\r\n").encode())
        assert [answer.status for answer in answers] == [200]


def test_a_client_refused_in_the_middle_of_a_large_body_gets_to_read_why(server: ServerProcess) -> None:
    host = host_of(server.address)
    head = f"POST /api/chat/start HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: 8000000\r\n\r\n"

    with connect(server.address) as connection:
        # A reset would fail this, as it fails a browser.
        connection.sendall(head.encode() + b"x" * 8_000_000)
        answers = parse(read_to_end(connection))

    assert [(answer.status, answer.error["code"]) for answer in answers] == [(401, "not_signed_in")]


# Clients that are slow on purpose


def _login(address: str, *headers: str, length: int) -> bytes:
    host = host_of(address)
    lines = (f"Host: {host}", f"Origin: http://{host}", "Content-Type: application/json", f"Content-Length: {length}")
    return ("POST /api/auth/login HTTP/1.1\r\n" + "\r\n".join((*lines, *headers)) + "\r\n\r\n").encode()


def _drip(connection: socket.socket, data: bytes) -> bytes:
    """Send `data` again and again, a little later each time, until the server closes; returns what it said."""
    received = b""
    connection.settimeout(0.05)
    for _ in range(200):
        send_all(connection, data)
        try:
            more = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return received
        if not more:
            return received
        received += more
    raise AssertionError("the server keeps the connection open")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, serve: Callable[..., LocalServer]) -> LocalServer:
    """A server that waits for nobody longer than a moment."""
    for name in ("HEAD_S", "BODY_S"):
        monkeypatch.setattr(protocol, name, 0.3)
    return serve(keep_alive_s=1)


# Bad inputs 15, 36
def test_slow_clients_are_let_go_whatever_they_are_slow_with(hasty: LocalServer) -> None:
    whole = f"GET /health HTTP/1.1\r\nHost: {host_of(hasty.address)}\r\n\r\n".encode()
    chunked = _login(hasty.address, "Transfer-Encoding: chunked", length=0).replace(b"Content-Length: 0\r\n", b"")
    forms: dict[str, tuple[bytes, bytes, list[int]]] = {
        "says nothing": (b"", b"", [408]),
        "sends a head a byte at a time": (whole[:40], b"a", [408]),
        "sends header after header": (whole[:-2], b"X-A: a\r\n", [408]),
        "promises a body and sends none": (_login(hasty.address, length=100), b"", [408]),
        "sends a body a byte at a time": (_login(hasty.address, length=10_000), b"a", [408]),
        "sends chunk after chunk": (chunked, b"1\r\na\r\n", [408]),
        "asks for leave to send and sends nothing": (
            _login(hasty.address, "Expect: 100-continue", length=9),
            b"",
            [100, 408],
        ),
        "idles after an answer": (whole, b"", [200]),
        "sends empty lines after an answer": (whole, b"\r\n", [200]),
        "begins a second request": (whole + whole[:30], b"a", [200, 408]),
    }
    for form, (beginning, more, statuses) in forms.items():
        with connect(hasty.address) as connection:
            send_all(connection, beginning)
            received = _drip(connection, more) if more else read_to_end(connection)
        assert [answer.status for answer in parse(received)] == statuses, form


def test_a_large_body_that_comes_slowly_and_steadily_arrives(
    hasty: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LEAST_BYTES", 1)
    monkeypatch.setattr(protocol, "BODY_S", 1.0)  # long enough for a busy machine to send a byte
    body = json.dumps({"token": TOKEN}).encode()
    with connect(hasty.address) as connection:
        send_all(connection, _login(hasty.address, "Connection: close", length=len(body)))
        for byte in body:
            send_all(connection, bytes([byte]))
            time.sleep(2 * protocol.BODY_S / len(body))
        [answer] = parse(read_to_end(connection))
    assert answer.status == 200


# Bad input 36
def test_hundreds_of_slow_clients_keep_nobody_from_an_answer(server: ServerProcess) -> None:
    forms = (b"", b"GET /heal", b"GET /health HTTP/1.1\r\nX-A: a\r\n", _login(server.address, length=100))
    with ExitStack() as held:
        for number in range(400):
            send_all(held.enter_context(connect(server.address)), forms[number % len(forms)])

        client = server.client()
        assert client.answer(client.new_session(), "still here") == "still here"


def test_who_stops_reading_a_large_answer_is_let_go(hasty: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALLED_S", 0.2)
    client = hasty.client()
    session_id = client.new_session()
    client.answer(session_id, "@@repeat 1 " + "many words " * 80_000)
    host = host_of(hasty.address)
    ask = f"GET /api/session?session_id={session_id} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"

    with connect(hasty.address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        send_all(connection, ask.encode() * 8)
        until(lambda: hasty.connection_count > 1)
        until(lambda: hasty.connection_count == 1)
