"""The files of a session's folder that its agent changed, and the way back."""

from typing import Any

from fastapi import Response

from api.http.bodies import FilesRestore, Id
from api.http.rooms import House, Owner, reply
from api.workspace.checkpoints import Changed


async def changes(session_id: Id, house: House, owner: Owner) -> Response:
    """What each answer changed, oldest first."""
    found = await house.undoing.changes(session_id, owner=owner)
    told = [{"stream_id": run_id, "files": [_public(one) for one in files]} for run_id, files in found]
    return reply({"changes": told})


async def restore(body: FilesRestore, house: House, owner: Owner) -> Response:
    """Bring the files back to what they were before an answer, with all that later ones changed."""
    return reply(await house.undoing.restore(body.session_id, body.stream_id, is_forced=body.force, owner=owner))


def _public(changed: Changed) -> dict[str, Any]:
    told = {"name": changed.name, "what": changed.what, "by": changed.by}
    return told | {"diff": changed.diff, "not_kept": changed.not_kept}
