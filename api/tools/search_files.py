"""The tool that finds files, and lines in them."""

from typing import Annotated

import msgspec

from api.domain.errors import BadRequest
from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, folder_of
from api.workspace.searching import search


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    pattern: Annotated[
        str, msgspec.Meta(description="A regular expression (Python) for lines; empty to find files by name only.")
    ] = ""
    glob: Annotated[
        str, msgspec.Meta(description="Which files, such as *.py or src/**/*.ts; empty for all. * stays in a folder.")
    ] = ""
    path: Annotated[str, msgspec.Meta(description="The folder to look below; empty for the whole workspace.")] = ""
    ignore_case: bool = False


class SearchFiles(CheckedTool[Arguments]):
    name = "search_files"
    description = (
        "Find files of the workspace by their names (glob), or the lines in them that a regular expression fits. "
        "Gives at most 200. Does not look into .git, node_modules and caches."
    )
    kind = "read"
    arguments = Arguments

    def name_call(self, arguments: Arguments) -> str:
        what = arguments.pattern or arguments.glob
        where = f" in {arguments.path}" if arguments.path else ""
        return f"Search for {what}{where}"

    async def do(self, arguments: Arguments, context: Context) -> Result:
        folder = folder_of(context)
        if not (arguments.pattern or arguments.glob):
            raise BadRequest("Give a pattern, a glob, or both.")
        found = await search(
            folder,
            mark=context.mark,
            glob=arguments.glob,
            below=arguments.path,
            pattern=arguments.pattern,
            ignores_case=arguments.ignore_case,
        )
        lines = [f"{one.name}:{one.number}: {one.text}" if one.number else one.name for one in found.lines]
        if found.cut:
            lines.append(f"[There may be more: {found.cut}.]")
        if found.passed_over:
            lines.append(f"[{found.passed_over} files are too large and were passed over.]")
        return Result("\n".join(lines) or "[Nothing was found.]")
