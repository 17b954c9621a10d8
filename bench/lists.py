"""Lists of ten thousand sessions over HTTP, beside bare queries of the same size."""

import http.client
import json
import sqlite3
import time
from pathlib import Path

from bench.figures import Figure, beside, figure
from bench.house import HEADERS

SESSIONS = 10_000
TIMES = 300
PAGE = 60


def first_page(port: int, folder: Path) -> list[Figure]:
    """How long the first page of the list takes, and how large it is."""
    path = f"/api/sessions?limit={PAGE}"
    samples, size = _asked(port, [path] * TIMES)
    measured = figure("first page of 10,000 sessions", "ms", samples, aim=7)
    return [beside(measured, _bare_page(folder)), figure("the same, in size", "kB", [size / 1000], aim=30)]


def search(port: int, folder: Path) -> Figure:
    """Searches for what occurs once and for what occurs everywhere, in turn."""
    words = [f"bench{number:06d}" if number % 2 else "lorem" for number in range(TIMES)]
    samples, _ = _asked(port, [f"/api/sessions/search?q={word}" for word in words])
    return beside(figure("search of 10,000 sessions", "ms", samples, aim=20), _bare_search(folder, words))


def wait_until_indexed(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while json.loads(_get(connection, "/api/sessions?limit=1"))["indexing"]:
        time.sleep(0.2)


def _asked(port: int, paths: list[str]) -> tuple[list[float], int]:
    """Milliseconds of each request over one connection, and the bytes of the last answer."""
    connection, samples, answer = http.client.HTTPConnection("127.0.0.1", port), [], b""
    for path in paths:
        began = time.perf_counter()
        answer = _get(connection, path)
        samples.append((time.perf_counter() - began) * 1000)
    connection.close()
    return samples, len(answer)


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers=HEADERS)
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200, answer
    return answer


def _bare_page(folder: Path) -> Figure:
    connection = sqlite3.connect(folder / "page.db")
    connection.execute("CREATE TABLE row (id TEXT PRIMARY KEY, at REAL, body TEXT)")
    connection.execute("CREATE INDEX newest ON row (at DESC)")
    rows = [(f"s{number}", float(number), "x" * 400) for number in range(SESSIONS)]
    connection.executemany("INSERT INTO row VALUES (?, ?, ?)", rows)
    samples = [_timed(connection, "SELECT * FROM row ORDER BY at DESC LIMIT ?", PAGE) for _ in range(TIMES)]
    connection.close()
    return figure("bare SQLite query", "ms", samples)


def _bare_search(folder: Path, words: list[str]) -> Figure:
    connection = sqlite3.connect(folder / "words.db")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(body)")
    texts = [(f"message of bench{number:06d}: " + "lorem ipsum dolor " * 30,) for number in range(SESSIONS)]
    connection.executemany("INSERT INTO words VALUES (?)", texts)
    query = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 20"
    samples = [_timed(connection, query, word) for word in words]
    connection.close()
    return figure("bare FTS5 query", "ms", samples)


def _timed(connection: sqlite3.Connection, query: str, parameter: str | int) -> float:
    began = time.perf_counter()
    connection.execute(query, (parameter,)).fetchall()
    return (time.perf_counter() - began) * 1000
