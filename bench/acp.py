"""What an agent program's update costs on its way through the server, and how long it is on it."""

import json
import sys
import time
from pathlib import Path

from bench.figures import Figure, figure
from bench.processes import processor_s
from tests.serving import Client, ServerProcess

AGENT = Path(__file__).parents[1] / "tests/fakes/acp_agent.py"
TURNS, UPDATES, PAUSE_S = 30, 2000, 0.002


def measure(folder: Path) -> list[Figure]:
    """The first update of many turns, and the processor time of the server for one update of a long answer."""
    table = {"fake": {"command": sys.executable, "args": [str(AGENT)]}}
    with ServerProcess(folder / "acp", workspace=str(folder), acp=json.dumps(table)) as server:
        client = server.client()
        session_id = client.new_session()
        client.answer(session_id, "warm up", model="acp/fake")
        firsts = [delay for _ in range(TURNS) for delay in _delays_ms(client, session_id, "@@clock 1 0")]
        began_s = processor_s(server.process.pid)
        _delays_ms(client, session_id, f"@@clock {UPDATES} {PAUSE_S}")
        spent_ms = (processor_s(server.process.pid) - began_s) * 1000 / UPDATES
    return [
        figure("ACP: first update of a turn relayed", "ms", firsts, aim=5),
        figure("ACP: processor time of an update", "ms", [spent_ms], aim=0.5),
    ]


def _delays_ms(client: Client, session_id: str, script: str) -> list[float]:
    """For each update that arrives alone, how long it took from the agent to here."""
    stream_id = client.start(session_id, script, model="acp/fake")["stream_id"]
    delays = []
    for frame in client.frames(stream_id):
        if frame.name == "token":
            delays.append((time.monotonic_ns() - int(frame.data["text"].split()[0])) / 1e6)
    return delays
