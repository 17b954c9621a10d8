"""May the agent do this? Its questions become ours, and a person's word becomes one of the options that it offered."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from api.agents.acp.updates import Call as Reported
from api.agents.permissions import Asked, Permissions
from api.domain.approvals import Call, Decision, ToolKind
from api.domain.events import ApprovalRequested
from api.workspace.triggers import sets_off

CANCELLED: dict[str, Any] = {"outcome": {"outcome": "cancelled"}}

_ALLOWING = {
    "once": ("allow_once",),
    "session": ("allow_once", "allow_always"),
    "always": ("allow_once", "allow_always"),
}
"""The kinds of option that a word may be given as. Rules are kept here, where they can be taken back: an agent is told
“once” each time where it can be, and never more than the person said."""
_DENYING = ("reject_once", "reject_always")


async def decide(permissions: Permissions, call: Call, tell: Callable[[ApprovalRequested], None]) -> Decision:
    """What is decided about `call`, at once or when a person has said so. `tell` passes on what asks them."""
    asked = await permissions.request(call)
    while isinstance(asked, Asked):
        if asked.event is not None:
            tell(asked.event)
        asked = await permissions.confirm(asked, await permissions.decided(asked.approval_id))
    return asked


def call_to_ask_about(reported: Reported, folder: Path) -> Call:
    """What the agent reported of a call, as a person is to see it. Without arguments, what it says is all there is.

    Reading and editing count as such only in the session's own folder, and editing only of what sets nothing off:
    elsewhere the agent is asking for more.
    """
    kind = reported.kind or "other"
    paths = [*reported.paths, *reported.edits]
    if kind in ("read", "edit") and not (paths and all(is_inside(folder, path) for path in paths)):
        kind = "other"
    is_edit = kind == "edit"
    if is_edit:
        kind = kind_of_edit(folder, *paths)
    return Call(
        call_id=reported.call_id,
        name=reported.name or reported.kind or "tool",
        kind=kind,
        arguments=reported.whole,
        folder=str(folder),
        title=reported.title,
        diff=reported.diff,
        sets_off=is_edit and kind != "edit",
        runner="agent" if kind == "execute" else "",
    )


def outcome_of(decision: Decision, options: Iterable[Any]) -> dict[str, Any]:
    """The answer to `session/request_permission`: an option by its kind, never by its id or place."""
    kinds = _ALLOWING.get(decision.choice, _DENYING)
    offered = list(options)
    for kind in kinds:
        for option in offered:
            if option.kind == kind:
                return {"outcome": {"outcome": "selected", "optionId": option.option_id}}
    return CANCELLED


class Grants:
    """What a person allowed and the agent then has us carry out: each once, and not asked a second time."""

    def __init__(self) -> None:
        self._edits: list[tuple[str, str]] = []
        self._commands: list[str] = []

    def add(self, reported: Reported) -> None:
        self._edits += reported.edits.items()
        if reported.kind == "execute":
            self._commands += _texts(reported.arguments)

    def take_edit(self, path: str, content: str) -> bool:
        """Was it allowed that this file gets exactly this content?"""
        return _take(self._edits, (path, content))

    def take_command(self, command: str) -> bool:
        return _take(self._commands, command)


def _take(granted: list[Any], wanted: Any) -> bool:
    if wanted in granted:
        granted.remove(wanted)
        return True
    return False


def _texts(arguments: str) -> Iterator[str]:
    """The texts in a call's arguments: one of them is the command."""
    try:
        given = json.loads(arguments)
    except ValueError:
        given = arguments
    values = given.values() if isinstance(given, dict) else [given]
    return (value for value in values if isinstance(value, str))


def kind_of_edit(folder: Path, *paths: str) -> ToolKind:
    """What it is to edit these: more than that where it has programs run something."""
    return "other" if any(sets_off(folder, path) for path in paths) else "edit"


def is_inside(folder: Path, path: str | Path) -> bool:
    """Does `path` lead to somewhere in `folder`, links followed?"""
    whole = Path(os.path.realpath(folder / path))
    return whole.is_relative_to(os.path.realpath(folder))
