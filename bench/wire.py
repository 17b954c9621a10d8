"""The floors of the wire: the same request and the same tokens through a relay that does nothing else."""

import http.client
import json
import time
from urllib.parse import urlsplit

from bench.figures import Figure, figure
from bench.house import PACE_S, WORDS, delays
from tests.fakes.provider import FakeProvider


def until_the_socket(address: str, provider: FakeProvider, times: int = 40) -> Figure:
    samples = []
    for _ in range(times):
        asked = len(provider.chats)
        began = time.monotonic_ns()
        _read(address, "@@text done")
        samples.append((provider.chats[asked].arrived_ns - began) / 1e6)
    return figure("bare relay", "ms", samples)


def relay(address: str, provider: FakeProvider) -> Figure:
    received = _read(address, f"@@pace {PACE_S}\n@@repeat {WORDS} word")
    return figure("bare relay", "ms", delays(provider.chats[-1].sent_ns, received))


def _read(address: str, script: str) -> list[int]:
    """When each word of the answer arrived, in monotonic ns."""
    body = {"model": "mock-1", "stream": True, "messages": [{"role": "user", "content": script}]}
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    connection.request("POST", "/relay", json.dumps(body))
    response = connection.getresponse()
    received = []
    while line := response.readline():
        if line.startswith(b"data: {") and b'"content"' in line and b'"content":""' not in line.replace(b" ", b""):
            received.append(time.monotonic_ns())
    connection.close()
    return received
