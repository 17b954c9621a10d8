"""Skills: which are found, what one says, and switching one on or off."""

import asyncio
from pathlib import Path

from fastapi import Response

from api.domain.errors import AppError
from api.http.bodies import Id, SkillSwitch
from api.http.rooms import House, Owner, Rooms, reply
from api.http.work_answers import Skill as SkillAnswer
from api.http.work_answers import SkillList
from api.tools.skill_folders import Skill, shown
from api.tools.skills import MOST_SKILLS
from api.workspace.places import workable


async def list_skills(house: House, owner: Owner, session_id: Id | None = None) -> Response:
    """All that are found for a session, or else where sessions begin, in the order in which they count."""
    return reply(await asyncio.to_thread(_list, house, session_id, owner))


async def text(house: House, owner: Owner, id: Id, session_id: Id | None = None) -> Response:
    """What a model is given of one."""

    def read() -> str:
        return house.skills.read(id, _folder(house, session_id, owner))

    return reply({"text": await asyncio.to_thread(read)})


async def switch(body: SkillSwitch, house: House, owner: Owner) -> Response:
    """Have one be offered, or not, in all sessions. Answers with the list as it is then: others may take its name."""

    def turn() -> object:
        house.skills.switch(body.id, _folder(house, body.session_id, owner), on=body.is_on)
        return _list(house, body.session_id, owner)

    return reply(await asyncio.to_thread(turn))


def _list(house: Rooms, session_id: str | None, owner: str) -> dict[str, object]:
    folder = _folder(house, session_id, owner)
    found = house.skills.all(folder)
    listed = SkillList(
        skills=[_public(skill) for skill in found.skills],
        folder=shown(folder) if folder else None,
        own=shown(house.skills.own),
        most_on=MOST_SKILLS,
        is_cut=found.is_cut,
    )
    return listed.model_dump()


def _folder(house: Rooms, session_id: str | None, owner: str) -> Path | None:
    """Where a session works, as a run of it would; None where that is nowhere, or gone."""
    workspace = house.workspace if session_id is None else house.store.get(session_id, owner=owner).workspace
    try:
        return Path(workable(Path(workspace), house.unreachable)) if workspace else None
    except AppError:
        return None


def _public(skill: Skill) -> SkillAnswer:
    return SkillAnswer(
        id=skill.id,
        name=skill.name,
        description=skill.description,
        origin=skill.root.origin,
        whose=skill.root.whose,
        place=shown(skill.root.path),
        path=skill.path,
        is_on=skill.is_on,
        problem=skill.problem,
    )
