"""Looking something up in what was said in other sessions."""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, in_thread


class Found(msgspec.Struct, frozen=True):
    """A session in which words were said, with the passages that have them. `when` as `2026-11-22`."""

    title: str
    when: str
    passages: Sequence[str]


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    words: Annotated[str, msgspec.Meta(min_length=1, description="Words that were said; all of them have to fit.")]


class SearchSessions(CheckedTool[Arguments]):
    """`find` gives the sessions in which words were said, best first. It may block."""

    name = "search_sessions"
    kind = "read"
    description = "Search what was said in this person's earlier sessions, by words. Gives titles, dates and passages."
    arguments = Arguments

    def __init__(self, find: Callable[[str], Sequence[Found]]) -> None:
        self._find = find

    def name_call(self, arguments: Arguments) -> str:
        return f"Search sessions for {arguments.words}"

    async def do(self, arguments: Arguments, context: Context) -> Result:
        found = await in_thread(self._find, arguments.words)
        return Result("\n\n".join(map(_told, found)) or "Nothing was found.")


def _told(found: Found) -> str:
    return "\n".join([f"# {found.title} ({found.when})", *(f"- {passage}" for passage in found.passages)])
