"""A tool whose arguments are checked before it sees them, and whose failures are results."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

import msgspec

from api.domain.approvals import ToolKind
from api.domain.errors import AppError, BadRequest
from api.tools.arguments import schema_of, taken
from api.tools.base import Context, Result
from api.workspace.folder import Folder

A = TypeVar("A", bound=msgspec.Struct)
P = ParamSpec("P")
R = TypeVar("R")

_LONGEST_TITLE = 200


class CheckedTool(ABC, Generic[A]):
    """What is left to a tool: what it is called, which arguments it takes, and what it does with them.

    `do` and `change` may raise `AppError`s.
    """

    name: str
    description: str
    kind: ToolKind
    arguments: type[A]

    @property
    def schema(self) -> dict[str, Any]:
        return schema_of(self.arguments)

    def title(self, arguments: dict[str, Any]) -> str:
        try:
            title = self.name_call(taken(arguments, self.arguments, self.name))
        except AppError:
            return self.name
        title = " ".join(title.split())
        return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"

    def problem(self, arguments: dict[str, Any]) -> str:
        try:
            taken(arguments, self.arguments, self.name)
        except AppError as error:
            return error.message
        return ""

    async def preview(self, arguments: dict[str, Any], context: Context) -> str:
        try:
            return await self.change(taken(arguments, self.arguments, self.name), context)
        except AppError:  # which the call itself will say
            return ""

    async def run(self, arguments: dict[str, Any], context: Context) -> Result:
        try:
            return await self.do(taken(arguments, self.arguments, self.name), context)
        except AppError as error:
            return Result(error.message, is_error=True)

    @abstractmethod
    def name_call(self, arguments: A) -> str:
        """The call in a line for a person."""

    @abstractmethod
    async def do(self, arguments: A, context: Context) -> Result: ...

    async def change(self, arguments: A, context: Context) -> str:
        """What the call would change, as a unified diff."""
        return ""


def folder_of(context: Context) -> Folder:
    if context.folder is None:
        raise BadRequest("This conversation has no folder to work in. Ask the person to choose one.")
    return context.folder


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What touches the disk, off the event loop. A cancelled caller still waits for it: nothing writes on unseen."""
    working = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise
