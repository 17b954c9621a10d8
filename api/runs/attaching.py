"""What was attached and is not wanted after all."""

import asyncio

from api.domain.attachments import attachments_of
from api.domain.ids import OWNER_LOCAL
from api.runs.engine import Engine
from api.runs.recovery import told_in_journals
from api.sessions.disk.files import explained
from api.sessions.documents.session import Session
from api.sessions.documents.versions import all_messages
from api.sessions.queues import Queue, Queues


class Attaching:
    """Called on the event loop."""

    def __init__(self, engine: Engine, queues: Queues) -> None:
        self._engine = engine
        self._queues = queues

    async def remove(self, session_id: str, attachment_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Remove an attachment, unless something names it: a message that was sent, taken back or waits, or a run.

        Succeeds when it is gone.

        Raises:
            NotFound: there is no such session.
            StorageFailed: the disk refused.
        """
        # Locked, so that no message that names it is accepted meanwhile.
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            await asyncio.to_thread(self._remove, session, attachment_id)

    def _remove(self, session: Session, attachment_id: str) -> None:
        waiting = _waiting(self._queues.get(session.session_id))
        named = waiting | {given.id for one in all_messages(session) for given in attachments_of(one)}
        if attachment_id not in named and not self._is_told_of(session.session_id, attachment_id):
            self._engine.attachments.remove(session.session_id, attachment_id)

    def _is_told_of(self, session_id: str, attachment_id: str) -> bool:
        try:
            journals = told_in_journals(self._engine.folder, session_id)
            return any(attachment_id.encode() in text for text in journals)
        except OSError as error:
            raise explained(error, self._engine.folder.parent) from error


def _waiting(queue: Queue) -> set[str]:
    items = [*queue.items, *(queue.removed.items if queue.removed else ())]
    return {given.id for item in items for given in item.attachments}
