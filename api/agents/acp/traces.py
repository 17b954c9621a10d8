"""What a program changes in a session's folder during a turn, found by looking before and after: it can be undone."""

import asyncio
import logging
from pathlib import Path

from api.agents.acp.surroundings import Surroundings
from api.agents.base import Turn
from api.domain.errors import AppError
from api.workspace.checkpoints import Look
from api.workspace.checkpoints import Turn as Undo
from api.workspace.folder import Folder

log = logging.getLogger(__name__)


class Traces:
    """Of one turn. In a folder that is no workspace nothing is looked at, and nothing can be undone."""

    def __init__(self, turn: Turn, folder: Path, around: Surroundings) -> None:
        self._turn = turn
        self._folder = folder
        self._around = around
        self._looking = asyncio.create_task(asyncio.to_thread(self._look), name=f"acp.{turn.run_id}.look")
        self._noting: asyncio.Task[None] | None = None

    async def looked(self) -> None:
        """What there was is known: from here on it may be changed."""
        await asyncio.wait([self._looking])

    async def note(self) -> None:
        """Keep what was changed until now. Only the first time counts."""
        if self._noting is None:
            self._noting = asyncio.create_task(self._note(), name=f"acp.{self._turn.run_id}.note")
        await asyncio.shield(self._noting)

    async def _note(self) -> None:
        before = await self._looking
        if before is not None:
            await asyncio.to_thread(self._keep, *before)

    def _look(self) -> tuple[Folder, Undo, Look] | None:
        if self._around.checkpoints is None:
            return None
        try:
            folder = Folder(self._folder, self._around.refused)
            undo = self._around.checkpoints(self._turn.session_id).turn(self._turn.run_id, folder)
            return folder, undo, undo.look()
        except (AppError, OSError) as error:
            log.info("acp.not_looked_at", extra={"run_id": self._turn.run_id, "why": type(error).__name__})
            return None

    def _keep(self, folder: Folder, undo: Undo, before: Look) -> None:
        try:
            changed = undo.note(before)
            log.info("acp.changed", extra={"run_id": self._turn.run_id, "files": len(changed)})
        except (AppError, OSError) as error:
            log.warning("acp.not_noted", extra={"run_id": self._turn.run_id, "why": type(error).__name__})
        finally:
            folder.close()
