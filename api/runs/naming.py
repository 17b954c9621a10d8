"""Titles made by a connected model, in place of a first message's first words."""

import asyncio
import logging
from contextlib import aclosing

from api.agents.base import Turn
from api.domain.attachments import words_of
from api.domain.errors import AppError, Conflict
from api.domain.events import RunEnded, TextDelta
from api.domain.ids import new_run_id
from api.domain.messages import Message, is_said, text_of
from api.domain.titles import title_said
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.journal import Header
from api.sessions.documents.session import Session

log = logging.getLogger(__name__)

# The demo's titles are worse than a message's first words, and an agent of its own sends a title of its own.
ASKED = "native"
MOST_TURNS = 2
MOST_CHARACTERS = 1500
MOST_SAID = 500
WAIT_S = 60.0
REQUEST = (
    "Below is the beginning of a conversation. Do not answer it: name it. Write only a title of three to six words, "
    "in the language of the conversation, without quotation marks."
)


class Naming:
    """Asks once a turn has ended, beside everything else: nothing waits for a title, and a failure only leaves the old.

    Called on the event loop.
    """

    def __init__(self, engine: Engine, conversing: Conversing) -> None:
        self._engine = engine
        self._conversing = conversing
        self._asking: set[asyncio.Task[None]] = set()

    def consider(self, header: Header) -> None:
        """Ask for a title if the session that a run has ended in still wants one. Returns at once."""
        if header.kind != "turn" or header.agent != ASKED or self._engine.is_closing:
            return
        task = asyncio.create_task(self._name(header), name=f"naming.{header.session_id}")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def close(self) -> None:
        """Give up what is being asked."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _name(self, header: Header) -> None:
        try:
            session = await self._engine.load(header.session_id, header.owner)
            if not _wants_title(session):
                return
            async with asyncio.timeout(WAIT_S):
                title = title_said(await self._ask(header, session.messages))
            if title:
                await self._conversing.change(
                    session.session_id, lambda one: _rename(one, title), while_running=True, owner=header.owner
                )
        except (AppError, TimeoutError) as error:
            log.info("session.not_named", extra={"session_id": header.session_id, "why": type(error).__name__})
        except Exception:
            # The outer border of a task that nobody waits for.
            log.exception("session.naming_failed", extra={"session_id": header.session_id})

    async def _ask(self, header: Header, messages: list[Message]) -> str:
        agent, model = await self._engine.choose(header.model, None)
        question: Message = {"id": "title", "role": "user", "content": f"{REQUEST}\n\n{_beginning(messages)}"}
        turn = Turn(session_id=header.session_id, run_id=new_run_id(), messages=[question], model=model)
        said = ""
        async with aclosing(agent.run(turn)) as events:
            async for event in events:
                if isinstance(event, RunEnded) and event.outcome != "done":
                    return ""
                if isinstance(event, TextDelta):
                    said += event.text
                if len(said) > MOST_SAID:
                    break
        return said


def _wants_title(session: Session) -> bool:
    people = sum(map(is_said, session.messages))
    answered = bool(session.messages) and session.messages[-1].get("role") == "assistant"
    return session.title_by == "message" and people <= MOST_TURNS and answered and bool(text_of(session.messages[-1]))


def _beginning(messages: list[Message]) -> str:
    """The conversation as a quotation, cut to what a title needs."""
    said = [f"{one['role']}: {words_of(one)[:MOST_CHARACTERS]}" for one in messages if one.get("role") != "tool"]
    return "\n".join(f"> {line}" for line in "\n".join(said).splitlines())


def _rename(session: Session, title: str) -> None:
    if session.title_by != "message":
        raise Conflict("It was named by someone else meanwhile.", code="named_meanwhile")
    session.title, session.title_by = title, "agent"
