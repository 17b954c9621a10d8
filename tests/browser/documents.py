"""Sessions of other days, put on disk before a server looks there."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DAY_S = 86_400.0


def write_session(
    folder: Path, title: str, *, days_ago: float = 0.0, messages: Sequence[str | dict[str, Any]] = (), **fields: Any
) -> str:
    """A session whose messages alternate between person and agent, the last one `days_ago`. Returns its id.

    A message is its text, or its text as `content` with whatever else it has.
    """
    session_id = "old-" + "".join(sign if sign.isalnum() else "-" for sign in title.lower())
    texts = messages or ("A question", "An answer")
    last = time.time() - days_ago * DAY_S
    document = {
        "session_id": session_id,
        "title": title,
        "title_by": "person",
        "messages": [_message(number, text, last - len(texts) + number) for number, text in enumerate(texts)],
        "created_at": last - len(texts),
        "updated_at": last,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{session_id}.json").write_text(json.dumps(document | fields))
    return session_id


def _message(number: int, told: str | dict[str, Any], timestamp: float) -> dict[str, Any]:
    role = "user" if number % 2 == 0 else "assistant"
    message = {"content": told} if isinstance(told, str) else told
    return {"id": f"msg-{number}", "role": role, "timestamp": timestamp, **message}
