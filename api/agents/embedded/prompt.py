"""What of a session the demo model is given to read: what fits, and what it can read quickly."""

from typing import Any

from api.agents.attached import in_words
from api.agents.base import Turn

CONTEXT_TOKENS = 8192
ANSWER_TOKENS = 512
PROMPT_TOKENS = 3000
"""Less than would fit: a small machine reads about 150 tokens a second, and somebody is waiting."""

_SYSTEM = "You are a helpful assistant. Answer briefly."


def prompt_of(turn: Turn) -> list[dict[str, str]]:
    """The newest turns, oldest first, as chat messages. The first is the system's, the next a user's.

    A last message that is the assistant's own is gone on with. Tool calls and results are left out: the model was
    never shown any. Of attachments it is told by words.
    """
    messages = [(str(m["role"]), in_words(m)) for m in turn.messages if m.get("role") in ("user", "assistant")]
    messages = [(role, _shortened(text)) for role, text in messages if text.strip()]
    kept = messages[_start(messages) :]
    while kept and kept[0][0] != "user":
        kept = kept[1:]
    return [{"role": "system", "content": _SYSTEM}, *({"role": role, "content": text} for role, text in kept)]


def estimated_tokens(text: str) -> int:
    """At least as many tokens as the model will count, for text of any script."""
    data = text.encode("utf-8", "replace")
    ascii_bytes = sum(byte < 128 for byte in data)
    return ascii_bytes // 3 + (len(data) - ascii_bytes) + 8


def _start(messages: list[tuple[str, str]]) -> int:
    """Where to begin reading. Moves on by half of what fits at a time, and only then.

    The model keeps what it has read as long as the beginning is the same; a start that moved with every turn would
    have it read everything again every time.
    """
    start = total = 0
    sizes = [estimated_tokens(text) for _, text in messages]
    for position, size in enumerate(sizes):
        total += size
        if total > PROMPT_TOKENS:
            while total > PROMPT_TOKENS // 2 and start < position:
                total -= sizes[start]
                start += 1
    last_user = max((n for n, (role, _) in enumerate(messages) if role == "user"), default=0)
    return min(start, last_user)


def _shortened(text: str) -> str:
    """A text that is longer than all that is read, without its middle."""
    most = PROMPT_TOKENS // 2
    if estimated_tokens(text) <= most:
        return text
    half = len(text) * most // estimated_tokens(text) // 2
    return f"{text[:half]}\n[…]\n{text[-half:]}"


def request_of(turn: Turn) -> dict[str, Any]:
    """The body of the request for an answer to `turn`."""
    return {
        "messages": prompt_of(turn),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0.1,
        "top_p": 0.9,
        "repeat_penalty": 1.1,
    }
