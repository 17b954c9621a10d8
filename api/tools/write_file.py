"""The tool that writes a whole file."""

from typing import Annotated

import msgspec

from api.tools.base import Context, Result
from api.tools.changing import make
from api.tools.checked import CheckedTool, folder_of, in_thread
from api.workspace import files
from api.workspace.files import Change


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, msgspec.Meta(description="The file, relative to the workspace. Its folders are made.")]
    content: Annotated[str, msgspec.Meta(description="All that the file is to hold.")]


class WriteFile(CheckedTool[Arguments]):
    name = "write_file"
    description = (
        "Make a new text file, or replace all of one that you have read. To change a part of a file use edit_file."
    )
    kind = "edit"
    arguments = Arguments

    def name_call(self, arguments: Arguments) -> str:
        return f"Write {arguments.path}"

    async def change(self, arguments: Arguments, context: Context) -> str:
        return (await self._planned(arguments, context)).diff

    async def do(self, arguments: Arguments, context: Context) -> Result:
        change = await self._planned(arguments, context)
        await make(change, context)
        done = "Made" if change.before is None else "Wrote"
        return Result(f"{done} {change.name} ({arguments.content.count(chr(10)):,} lines).", diff=change.diff)

    async def _planned(self, arguments: Arguments, context: Context) -> Change:
        folder = folder_of(context)
        name = folder.name_of(arguments.path)
        known = context.versions.get(name)
        return await in_thread(files.plan_write, folder, name, arguments.content, known=known)
