"""Every command, in the order in which they are offered."""

from api.commands.background import BACKGROUND
from api.commands.base import Command, Desk, Effect
from api.commands.branch import BRANCH
from api.commands.btw import BTW
from api.commands.clear import CLEAR
from api.commands.compact import COMPACT
from api.commands.export import EXPORT
from api.commands.help import HELP
from api.commands.model import MODEL
from api.commands.new import NEW
from api.commands.queue import QUEUE
from api.commands.rename import RENAME
from api.commands.retry import RETRY
from api.commands.steer import STEER
from api.commands.stop import STOP
from api.commands.theme import THEME
from api.commands.undo import UNDO
from api.domain.errors import BadRequest

COMMANDS: tuple[Command, ...] = (
    NEW,
    RENAME,
    MODEL,
    BTW,
    BACKGROUND,
    QUEUE,
    STEER,
    STOP,
    RETRY,
    UNDO,
    BRANCH,
    EXPORT,
    THEME,
    CLEAR,
    COMPACT,
    HELP,
)
_BY_NAME = {command.name: command for command in COMMANDS}


def parse(text: str) -> tuple[Command, str]:
    """The command that `text` calls, and what follows its name.

    Raises:
        BadRequest: it calls none, or one that there is not.
    """
    name, *rest = text.strip().removeprefix("/").split(maxsplit=1) or [""]
    command = _BY_NAME.get(name.lower())
    if not text.strip().startswith("/") or command is None:
        called = name[:40]
        message = f"There is no command /{called}. /help shows them all."
        raise BadRequest(message, code="unknown_command", field="text", name=called)
    return command, "".join(rest)


async def run(command: Command, desk: Desk) -> list[Effect]:
    """Do what a command does; the effects are for the page.

    Raises:
        AppError: it could not be done, and why.
    """
    return await command.run(desk)
