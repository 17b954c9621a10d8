"""What agents changed in the folders of sessions, and the way back."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

from api.domain.errors import Conflict, NotFound
from api.domain.ids import OWNER_LOCAL
from api.runs.engine import Engine
from api.workspace.checkpoints import Changed, Checkpoints, Keeper, Restored
from api.workspace.folder import Folder


class Checkpointing:
    """The checkpoints of each session, one object for all who use them at a time. `shelf`: where they are kept."""

    def __init__(self, shelf: Callable[[str], Keeper]) -> None:
        self._shelf = shelf
        self._open: WeakValueDictionary[str, Checkpoints] = WeakValueDictionary()

    def of(self, session_id: str) -> Checkpoints:
        """Reads the disk when nobody else uses them."""
        known = self._open.get(session_id)
        return known if known is not None else self._open.setdefault(session_id, Checkpoints(self._shelf(session_id)))


class Undoing:
    """Called on the event loop. `refused`: folders that no session may work in."""

    def __init__(self, engine: Engine, checkpointing: Checkpointing, refused: Sequence[Path]) -> None:
        self._engine = engine
        self._checkpointing = checkpointing
        self._refused = list(refused)

    async def changes(self, session_id: str, *, owner: str = OWNER_LOCAL) -> list[tuple[str, list[Changed]]]:
        """What each run changed, by the run's id, oldest first.

        Raises:
            NotFound: there is no such session.
        """
        await asyncio.to_thread(self._engine.store.get, session_id, owner=owner)
        return await asyncio.to_thread(self._changes, session_id)

    def _changes(self, session_id: str) -> list[tuple[str, list[Changed]]]:
        kept = self._checkpointing.of(session_id)
        return [(turn, kept.changes(turn)) for turn in kept.turns()]

    async def restore(
        self, session_id: str, run_id: str, *, is_forced: bool = False, owner: str = OWNER_LOCAL
    ) -> Restored:
        """Bring the files back to what they were before a run, with all that later ones changed.

        Raises:
            NotFound: there is no such session, its folder is gone, or the run changed nothing that is kept.
            Conflict: an agent is at work in the session.
            Forbidden: its folder is none to work in.
        """
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            await self._engine.free(session)
            if not session.workspace:
                raise Conflict("This session has no folder any more. Choose it again first.", code="no_folder")
            return await asyncio.to_thread(self._restore, session_id, run_id, Path(session.workspace), is_forced)

    def _restore(self, session_id: str, run_id: str, path: Path, is_forced: bool) -> Restored:
        kept = self._checkpointing.of(session_id)
        if run_id not in kept.turns():
            raise NotFound("Nothing is kept of what this answer changed.", code="nothing_to_restore")
        with Folder(path, self._refused) as folder:
            return kept.restore(run_id, folder, is_forced=is_forced)
