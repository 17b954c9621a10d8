"""HTTP byte by byte: requests no library would send, and answers as they came."""

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 15.0


@dataclass
class Answer:
    """An answer on the wire. `headers` have lower-case names; of two with one name the last is kept."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)


def connect(address: str) -> socket.socket:
    url = urlsplit(address)
    assert url.hostname and url.port
    return socket.create_connection((url.hostname, url.port), timeout=PATIENCE_S)


def host_of(address: str) -> str:
    return urlsplit(address).netloc


def send_all(connection: socket.socket, data: bytes) -> None:
    """Send as much as the server takes: it may refuse and close while more is still to come."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the server closes.

    Raises:
        TimeoutError: it leaves the connection open.
    """
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def exchange(address: str, request: bytes) -> list[Answer]:
    """The answers to `request`, until the server closes the connection."""
    with connect(address) as connection:
        send_all(connection, request)
        return parse(read_to_end(connection))


def parse(received: bytes) -> list[Answer]:
    """The answers in `received`; those with a chunked body are left as they came."""
    answers: list[Answer] = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0 if status_line.startswith("HTTP/1.1 1") else len(rest)))
        answers.append(Answer(int(status_line.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return answers
