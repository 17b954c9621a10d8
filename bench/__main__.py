"""Measure everything and print it: a table for people, `bench/results/latest.json` for programs."""

import json
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench import acp, crowd, durable, floors, hour, house, lists, page, streaming, wire
from bench.figures import Figure, beside, table
from bench.processes import free_port
from tests.fakes.provider import FakeProvider

RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> None:
    """Run the whole bench; takes about three minutes, and one more with `--hour`."""
    with tempfile.TemporaryDirectory() as folder, FakeProvider() as provider:
        figures = measure(Path(folder), provider)
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}\n")
    print(table(figures))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(one) | {"ratio": one.ratio} for one in figures], indent=1) + "\n")
    print(f"\nAlso in {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


def measure(folder: Path, provider: FakeProvider) -> list[Figure]:
    """Every figure beside its floor, each pair in the same minute on the same machine."""
    state = folder / "state"
    ids = house.write_sessions(state / "sessions", count=60, messages=20)
    project = folder / "project"
    project.mkdir()
    working = house.write_sessions(state / "sessions", count=60, messages=20, workspace=project)
    fsync, commit = floors.atomic_replace(folder), floors.sqlite_commit(folder)
    bare_start, bare_memory = floors.bare_start_and_memory(provider.url)
    start, memory = house.cold_start_and_memory(state, provider.url)
    with floors.bare_server(provider.url, free_port()) as bare:
        bare_socket, bare_relay = wire.until_the_socket(bare.health, provider), wire.relay(bare.health, provider)
    with house.server(state, provider.url) as process:
        port = int(process.health.rpartition(":")[2].partition("/")[0])
        socket = house.until_the_socket(port, ids[:-1], provider)
        equipped = house.until_the_socket(port, working, provider, where=", with all tools")
        offered = len(provider.chats[-1].json["tools"])
        assert offered > 10, f"only {offered} tools were offered"
        relay = house.relay(port, ids[-1], provider)
    return [
        beside(start, bare_start),
        beside(memory, bare_memory),
        beside(socket, bare_socket),
        beside(equipped, bare_socket),
        beside(relay, bare_relay),
        *crowd.measure(folder),
        *durable.accepting(folder, provider),
        fsync,
        commit,
        floors.python_start(),
        *acp.measure(folder),
        *measure_much(folder, provider),
    ]


def measure_much(folder: Path, provider: FakeProvider) -> list[Figure]:
    """The figures of ten thousand sessions, one of which has ten thousand messages."""
    state = folder / "much"
    house.write_sessions(state / "sessions", count=lists.SESSIONS - 1, messages=2)
    house.write_session(state / "sessions", page.LONG, number=lists.SESSIONS, messages=page.MESSAGES)
    with (
        house.server(state, provider.url) as process,
        floors.bare_server(provider.url, free_port()) as bare,
    ):
        address, bare_address = (one.health.removesuffix("/health") for one in (process, bare))
        port = int(address.rpartition(":")[2])
        lists.wait_until_indexed(port)
        return [
            *lists.first_page(port, folder),
            lists.search(port, folder),
            *page.measure(address, bare_address),
            *durable.folding(port, page.LONG),
            *streaming.measure(address),
            *(hour.measure(address) if "--hour" in sys.argv else []),
        ]


if __name__ == "__main__":
    sys.exit(main())
