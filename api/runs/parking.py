"""Runs that wait for a person's word while the server stops: left as they are, and gone on with by the next process."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from api.domain.messages import Message
from api.domain.transcript import fold
from api.runs.engine import Engine
from api.runs.journal import Recovered, reopen
from api.runs.run import Run
from api.sessions.documents.session import Session

log = logging.getLogger(__name__)


async def take_up_turns(engine: Engine, parked: list[Recovered]) -> None:
    """Have the runs that answer in a session wait on. One whose agent is gone is ended as interrupted instead."""
    for recovered in parked:
        header = recovered.header
        session = await asyncio.to_thread(engine.store.get, header.session_id, owner=header.owner)
        try:
            await take_up(engine, engine.folder, recovered, session, list(session.messages), engine.finish)
        except Exception as error:
            # Whatever keeps it from waiting on must not keep the server from starting.
            log.error("run.not_taken_up", extra={"run_id": header.run_id, "why": str(error)})
            await engine.settle(session)


async def take_up(
    engine: Engine,
    folder: Path,
    recovered: Recovered,
    session: Session,
    messages: list[Message],
    finish: Callable[[Run], Awaitable[None]],
) -> None:
    """Go on with a run that a former process left waiting, under its own number and in its own journal in `folder`.

    Raises:
        NotFound: its agent or model is not here any more.
        OSError: its journal cannot be written to.
    """
    header = recovered.header
    agent, _ = await engine.choose(header.model, header.agent)
    journal = await asyncio.to_thread(reopen, folder / f"{header.run_id}.jsonl", recovered)
    turn = engine.turn(session, header, messages, resumes=fold(recovered.events))
    engine.launch(Run(turn, agent, journal, finish))
