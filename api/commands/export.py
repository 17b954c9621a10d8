"""`/export`"""

from api.commands.base import Command, Desk, Do, Effect
from api.domain.errors import BadRequest

FORMATS = ("markdown", "json", "html")


async def _run(desk: Desk) -> list[Effect]:
    wanted = desk.argument.lower() or "markdown"
    if desk.session and wanted not in FORMATS:
        raise BadRequest(f"A conversation can be exported as {', '.join(FORMATS)}.", code="bad_format")
    return [Do(action="export", argument=wanted)]


EXPORT = Command(name="export", argument="[markdown|json|html]", help="Save this conversation as a file", run=_run)
