"""What a program says beside what it is asked: short enough to quote, and without anything secret."""

import re
from collections import deque
from collections.abc import Sequence

from api.agents.redacting import without_keys

_MOST_HELD = 16_000
_MOST_QUOTED = 300
_SHORTEST_SECRET = 8
"""What is shorter stands in ordinary words, which would be torn apart."""


class Murmur:
    """The end of what a program writes to its standard error, without control characters, keys and secrets."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = secrets
        self._blocks: deque[bytes] = deque()
        self._held = 0

    def add(self, block: bytes) -> None:
        self._blocks.append(block)
        self._held += len(block)
        while self._held > _MOST_HELD and len(self._blocks) > 1:
            self._held -= len(self._blocks.popleft())

    def last_line(self) -> str:
        text = b"".join(self._blocks)[-_MOST_HELD:].decode(errors="replace")
        lines = [line for line in (clean(line, self._secrets) for line in text.splitlines()) if line]
        return lines[-1] if lines else ""


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` as one line that can be quoted: no control characters, no keys, not too long."""
    text = re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)", "", text)
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    text = without_keys(without_secrets(text, secrets))
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[key]")
    return text


def sentence(words: str) -> str:
    """`words` with a full stop, where they have no ending of their own."""
    return words if not words or words.endswith((".", "!", "?", "…")) else f"{words}."
