"""The tool that lists a folder."""

from typing import Annotated

import msgspec

from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, folder_of, in_thread
from api.workspace.folder import Entry

_MOST = 1000


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, msgspec.Meta(description="The folder, relative to the workspace; empty for all of it.")] = ""


class ListFolder(CheckedTool[Arguments]):
    name = "list_folder"
    description = "List what lies directly in a folder of the workspace: folders with a slash, files with their size."
    kind = "read"
    arguments = Arguments

    def name_call(self, arguments: Arguments) -> str:
        return "List the folder" if arguments.path in ("", ".") else f"List {arguments.path}"

    async def do(self, arguments: Arguments, context: Context) -> Result:
        folder = folder_of(context)
        entries = await in_thread(folder.list, folder.name_of(arguments.path))
        lines = [_line(entry) for entry in entries[:_MOST]]
        if len(entries) > _MOST:
            lines.append(f"[and {len(entries) - _MOST:,} more; use search_files to find some of them]")
        return Result("\n".join(lines) or "[The folder is empty.]")


def _line(entry: Entry) -> str:
    name = entry.name.rpartition("/")[2].encode(errors="surrogateescape").decode(errors="replace")
    shown = {"folder": f"{name}/", "file": f"{name} ({entry.size:,} bytes)", "link": f"{name} (link)"}
    return shown.get(entry.kind, f"{name} (no plain file)")
