"""How long and how much an answer may be."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, bytes and characters. The defaults leave room for a slow model on a person's own machine."""

    connect_s: float = 10.0
    silence_s: float = 300.0
    """No byte at all for so long ends the run: a model that reads a long prompt on a small machine says nothing."""
    wordless_s: float = 900.0
    """Bytes but no word for so long: comments that keep a connection open, or empty pieces without end."""
    answer_s: float = 7200.0
    work_s: float = 21_600.0
    """A run of the built-in agent with its sub-agents, without the time that it waits for a person."""
    keep_alive_s: float = 120.0
    response_bytes: int = 64 << 20
    line_bytes: int = 8 << 20
    answer_characters: int = 2_000_000
    retries: int = 2
    longest_wait_s: float = 20.0
    """A provider that asks for a longer pause than this is not waited for."""


LISTING = Limits(connect_s=5, silence_s=10, response_bytes=32 << 20, line_bytes=32 << 20, keep_alive_s=5)
"""For asking which models there are, while a person looks at a form."""
