"""The floors: the least that the machine asks for what every figure contains."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import Figure, figure
from bench.processes import Process, free_port, get_json, resident_mb

BARE = Path(__file__).with_name("bare.py")


def atomic_replace(folder: Path, size: int = 10_000, times: int = 60) -> Figure:
    """Write, fsync, rename, fsync the folder: what one durable document costs, whoever writes it."""
    data, samples = os.urandom(size), []
    for _ in range(times):
        began = time.perf_counter()
        descriptor = os.open(folder / "new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(descriptor, data)
        os.fsync(descriptor)
        os.close(descriptor)
        (folder / "new").rename(folder / "document")
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        samples.append((time.perf_counter() - began) * 1000)
    return figure("fsync and rename", "ms", samples)


def sqlite_commit(folder: Path, times: int = 200) -> Figure:
    """One row into a table in WAL mode, committed."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT)")
    samples = []
    for number in range(times):
        began = time.perf_counter()
        connection.execute("INSERT INTO row VALUES (?, ?)", (number, "x" * 400))
        samples.append((time.perf_counter() - began) * 1000)
    connection.close()
    return figure("SQLite commit", "ms", samples)


def python_start(times: int = 5) -> Figure:
    """Python, with nothing to do."""
    samples = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        samples.append(time.perf_counter() - began)
    return figure("python -c pass", "s", samples)


def bare_server(provider: str, port: int) -> Process:
    """uvicorn with an application that only relays bytes from the provider."""
    return Process([sys.executable, str(BARE), provider, str(port)], f"http://127.0.0.1:{port}/health")


def bare_start_and_memory(provider: str, times: int = 3) -> tuple[Figure, Figure]:
    """How soon a bare uvicorn answers, and what it then holds."""
    starts, memory = [], []
    for _ in range(times):
        with bare_server(provider, free_port()) as process:
            starts.append(process.ready_s)
            memory.append(resident_mb(process.pid))
            assert get_json(process.health)["status"] == "ok"
    return figure("bare uvicorn", "s", starts), figure("bare uvicorn", "MB", memory)
