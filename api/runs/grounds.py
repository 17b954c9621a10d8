"""What a call stands on beside its own arguments: what was allowed for longer holds while that is the same."""

import json
from collections.abc import Callable
from pathlib import Path

from api.domain.approvals import Call
from api.workspace.configuration import decides


class Grounds:
    """`of_tool` gives the grounds of a tool that comes from elsewhere, by its name."""

    def __init__(self, of_tool: Callable[[str], dict[str, str]]) -> None:
        self._of_tool = of_tool

    def of(self, call: Call) -> dict[str, str]:
        """By name, each with a hash of what it is. Blocks on the disk."""
        if call.kind == "execute":
            return decides(_command(call.arguments), Path(call.folder)) if call.folder else {}
        return self._of_tool(call.name)


def _command(arguments: str) -> str:
    """The command line in a call's arguments; all of them, where it is not clear which it is."""
    try:
        given = json.loads(arguments)
    except ValueError:
        return arguments
    command = given.get("command") if isinstance(given, dict) else None
    return command if isinstance(command, str) else arguments
