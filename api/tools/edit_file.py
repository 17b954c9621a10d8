"""The tool that replaces a part of a file."""

from typing import Annotated

import msgspec

from api.tools.base import Context, Result
from api.tools.changing import make
from api.tools.checked import CheckedTool, folder_of, in_thread
from api.workspace import files
from api.workspace.files import Change


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, msgspec.Meta(description="The file, relative to the workspace.")]
    old_text: Annotated[
        str,
        msgspec.Meta(description="The text to replace, exactly as it is, with enough around it to be there once."),
    ]
    new_text: Annotated[str, msgspec.Meta(description="What to put in its place.")]
    replace_all: Annotated[bool, msgspec.Meta(description="Replace it wherever it is.")] = False


class EditFile(CheckedTool[Arguments]):
    name = "edit_file"
    description = "Replace a piece of a text file by another. All else in the file stays as it is, to the byte."
    kind = "edit"
    arguments = Arguments

    def name_call(self, arguments: Arguments) -> str:
        return f"Edit {arguments.path}"

    async def change(self, arguments: Arguments, context: Context) -> str:
        return (await self._planned(arguments, context)).diff

    async def do(self, arguments: Arguments, context: Context) -> Result:
        change = await self._planned(arguments, context)
        await make(change, context)
        times = "1 place" if change.times == 1 else f"{change.times:,} places"
        return Result(f"Changed {change.name} in {times}.", diff=change.diff)

    async def _planned(self, arguments: Arguments, context: Context) -> Change:
        folder = folder_of(context)
        name = folder.name_of(arguments.path)
        return await in_thread(
            files.plan_edit,
            folder,
            name,
            arguments.old_text,
            arguments.new_text,
            replaces_all=arguments.replace_all,
            known=context.versions.get(name),
        )
