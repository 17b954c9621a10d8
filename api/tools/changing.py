"""Making a change that was worked out, so that it can be undone."""

from api.tools.base import Context
from api.tools.checked import folder_of, in_thread
from api.workspace import files
from api.workspace.files import Change


async def make(change: Change, context: Context) -> None:
    folder = folder_of(context)
    if context.undo is None:
        version = await in_thread(files.make, folder, change)
    else:
        version = await in_thread(context.undo.make, change)
    context.versions[change.name] = version
