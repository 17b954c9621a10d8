"""What the agent keeps of a person from one session to the next: one text, which they can read and change too."""

import threading
from typing import Annotated, Any, Protocol

import msgspec

from api.domain.errors import Conflict, TooLarge
from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, in_thread
from api.workspace.diffs import unified

MOST_CHARACTERS = 16_000
"""It goes with every request to a model, so it has to stay small."""


class Record(Protocol):
    """A small JSON object kept on disk."""

    def read(self) -> dict[str, Any]: ...

    def write(self, value: dict[str, Any]) -> None: ...


class Memory:
    """Safe to call from any thread. Blocks on the disk."""

    def __init__(self, record: Record) -> None:
        """`record` is `{text, revision}`."""
        self._record = record
        self._lock = threading.Lock()

    def read(self) -> tuple[str, int]:
        """The text, and the number of the change that made it so."""
        kept = self._record.read()
        text, revision = kept.get("text"), kept.get("revision")
        return text if isinstance(text, str) else "", revision if isinstance(revision, int) else 0

    def write(self, text: str, *, revision: int) -> int:
        """Keep `text` in place of what was there at `revision`. Returns the new number.

        Raises:
            TooLarge: it is more than would go with every message.
            Conflict: it has changed since.
            StorageFailed: it could not be kept.
        """
        if len(text) > MOST_CHARACTERS:
            message = f"The memory can hold {MOST_CHARACTERS:,} characters. Shorten it first."
            raise TooLarge(message, code="memory_full", most=MOST_CHARACTERS)
        with self._lock:
            before, now = self.read()
            if now != revision:
                raise Conflict(
                    "The memory has changed meanwhile. Look at it again.", code="memory_changed", text=before
                )
            self._record.write({"text": text, "revision": now + 1})
        return now + 1


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    add: Annotated[str, msgspec.Meta(description="A line to remember.")] = ""
    remove: Annotated[str, msgspec.Meta(description="An exact passage to forget.")] = ""


class Remember(CheckedTool[Arguments]):
    """Changes the memory."""

    name = "remember"
    kind = "other"
    description = (
        "Change what you remember of this person in all later sessions: add a short line, remove an exact passage, or "
        "both to replace it. Only for what will still matter then, and never for secrets."
    )
    arguments = Arguments

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def name_call(self, arguments: Arguments) -> str:
        return "Remember something" if arguments.add else "Forget something"

    async def change(self, arguments: Arguments, context: Context) -> str:
        before, after, _ = await in_thread(self._changed, arguments)
        return unified("memory", before, after)

    async def do(self, arguments: Arguments, context: Context) -> Result:
        before, after, revision = await in_thread(self._changed, arguments)
        await in_thread(self._memory.write, after, revision=revision)
        return Result("Kept.", diff=unified("memory", before, after))

    def _changed(self, wanted: Arguments) -> tuple[str, str, int]:
        """The text before and after, and its number before."""
        before, revision = self._memory.read()
        if wanted.remove and wanted.remove not in before:
            raise Conflict("That passage is not in the memory. Nothing was changed.")
        rest = before.replace(wanted.remove, "", 1) if wanted.remove else before
        lines = [line for line in rest.split("\n") if line.strip()]
        if wanted.add.strip():
            lines.append(wanted.add.strip())
        return before, "".join(f"{line}\n" for line in lines), revision
