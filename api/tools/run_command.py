"""The tool that runs a command."""

from typing import Annotated

import msgspec

from api.domain.errors import AppError, BadRequest
from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, folder_of, in_thread
from api.workspace.checkpoints import Look, Turn
from api.workspace.shell import MOST_S

_LONGEST_DIFF = 200_000


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    command: Annotated[str, msgspec.Meta(description="The command line.")]
    timeout_s: Annotated[
        int, msgspec.Meta(ge=1, le=MOST_S, description="After how many seconds it is ended, with all it started.")
    ] = 120


class RunCommand(CheckedTool[Arguments]):
    name = "run_command"
    description = (
        "Run a command line by bash in the folder of the workspace. Each starts there anew. It gets no input and no "
        "terminal, and whatever it leaves running is ended with it. Output beyond 200,000 characters is cut in the "
        "middle. It may be held in a sandbox: outside the workspace nothing can be written."
    )
    kind = "execute"
    arguments = Arguments

    def name_call(self, arguments: Arguments) -> str:
        return f"Run {arguments.command}"

    async def do(self, arguments: Arguments, context: Context) -> Result:
        folder = folder_of(context)
        if context.shell is None:
            raise BadRequest("No commands may be run in this conversation.")
        before = None if context.undo is None else await in_thread(context.undo.look)
        noted = _Noted()
        try:
            ran = await context.shell.run(
                arguments.command,
                folder,
                within_s=arguments.timeout_s,
                network=context.network,
                on_output=context.emit,
            )
        finally:
            # Also when it was cancelled: what it has changed by then is to be undone no less.
            if context.undo is not None and before is not None:
                noted = await in_thread(_note, context.undo, before)
        said = [ran.output.rstrip("\n"), ran.ending and f"[{ran.ending}]", noted.problem and f"[{noted.problem}]"]
        return Result(
            "\n".join(filter(None, said)) or "[It ended well and wrote nothing.]",
            is_error=bool(ran.ending),
            diff=noted.diff,
        )


class _Noted(msgspec.Struct):
    """What a command changed, and what kept it from being noted."""

    diff: str = ""
    problem: str = ""


def _note(undo: Turn, before: Look) -> _Noted:
    try:
        diff = "".join(one.diff for one in undo.note(before))
    except AppError as error:
        return _Noted(problem=error.message)
    return _Noted(diff if len(diff) <= _LONGEST_DIFF else diff[:_LONGEST_DIFF] + "\n… and more\n")
