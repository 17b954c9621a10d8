"""What every agent must do: an agent's own tests inherit `AgentConformance` and say how its model is made to act."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import get_args

import pytest
from msgspec.structs import replace

from api.agents.base import Agent, Steer, Turn
from api.domain import events as ev
from api.domain.approvals import Decision
from api.domain.attachments import Attachment
from api.domain.ids import RunId, SessionId

pytestmark = pytest.mark.anyio


YES = Decision("once")


def user(text: str) -> dict[str, object]:
    return {"id": "u", "role": "user", "content": text}


def turn_of(text: str, *, model: str = "scripted/script", history: list | None = None, **fields: object) -> Turn:
    messages = [*(history or []), user(text)]
    return Turn(session_id=SessionId("s"), run_id=RunId("r"), messages=messages, model=model, **fields)


async def collect(agent: Agent, turn: Turn, *, word: Decision = YES, limit_s: float = 30) -> list[ev.Event]:
    """All events of a run, with `word` as the answer to all it asks leave for, and "that" to its questions."""
    seen: list[ev.Event] = []
    async with asyncio.timeout(limit_s), aclosing(agent.run(turn)) as events:
        async for event in events:
            seen.append(event)
            if isinstance(event, ev.ApprovalRequested):
                turn.permissions.decisions.tell(event.approval_id, word)
            elif isinstance(event, ev.QuestionAsked):
                turn.answers.tell(event.question_id, "that")
    return seen


def said(events: list[ev.Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ev.TextDelta))


def ending(events: list[ev.Event]) -> ev.RunEnded:
    last = events[-1]
    assert isinstance(last, ev.RunEnded), f"the last event is {last}"
    return last


class AgentConformance:
    """The fixtures to give: `agent` and, as methods, turns that make the model speak, be silent and refuse."""

    can_fail = True

    @pytest.fixture
    async def agent(self) -> AsyncIterator[Agent]:
        raise NotImplementedError
        yield

    def speaking(self, words: str) -> Turn:
        """A turn answered with `words`, or with other words by a model that cannot be told."""
        raise NotImplementedError

    def silent(self) -> Turn:
        """A turn during which nothing more comes for a long time after its first word."""
        raise NotImplementedError

    def refused(self) -> Turn:
        """A turn that fails in the outside world."""
        raise NotImplementedError

    async def assert_work_ended(self) -> None:
        """Nothing works on a closed run any more; overridden where the outside can be looked at."""

    async def test_only_events_of_the_union_come_without_numbers_and_with_at_most_one_ending(self, agent):
        events = await collect(agent, self.speaking("one two three"))

        assert said(events)
        assert all(isinstance(event, get_args(ev.Event)) and event.seq == 0 for event in events)
        assert not any(isinstance(event, ev.RunEnded) for event in events[:-1])
        assert not (isinstance(events[-1], ev.RunEnded) and events[-1].outcome != "done")

    async def test_a_run_can_be_closed_after_any_of_its_events(self, agent):
        whole = await collect(agent, self.speaking("one two three"))

        for count in range(min(len(whole), 4)):
            run = agent.run(self.speaking("one two three"))
            for _ in range(count):
                await anext(run)
            await asyncio.wait_for(run.aclose(), 5)
            with pytest.raises(StopAsyncIteration):
                await anext(run)
        await self.assert_work_ended()

    async def test_a_run_can_be_closed_by_another_task_than_the_one_that_began_it(self, agent):
        run = agent.run(self.speaking("one two three"))
        await asyncio.create_task(anext_of(run))

        await asyncio.wait_for(asyncio.create_task(run.aclose()), 5)

        await self.assert_work_ended()

    async def test_cancelling_during_silence_ends_the_work_at_once(self, agent):
        first = asyncio.Event()

        async def drive() -> None:
            async with aclosing(agent.run(self.silent())) as events:
                async for _ in events:
                    first.set()

        task = asyncio.create_task(drive())
        await asyncio.wait_for(first.wait(), 20)
        task.cancel()

        done, _ = await asyncio.wait([task], timeout=2)
        assert done, "the run went on after it was cancelled"
        assert task.cancelled()
        await self.assert_work_ended()

    async def test_several_runs_at_once_do_not_mix(self, agent):
        scripts = ["alpha " * 20, "beta " * 20, "gamma " * 20]

        runs = await asyncio.gather(*(collect(agent, self.speaking(script)) for script in scripts))

        for script, events in zip(scripts, runs, strict=True):
            self.assert_said(script, events)

    async def test_unicode_comes_through_whole(self, agent):
        text = "naïve 你好 👩‍👩‍👧 𝒳 ‮rtl"

        events = await collect(agent, self.speaking(text))

        self.assert_said(text, events)

    async def test_a_failure_is_an_ending_with_a_sentence_and_not_an_exception(self, agent):
        if not self.can_fail:
            pytest.skip("nothing outside can fail")

        events = await collect(agent, self.refused())

        end = ending(events)
        assert end.outcome == "failed"
        assert end.failure is not None and end.failure.code and end.failure.message.endswith((".", "!", "?"))

    async def test_what_it_is_told_while_it_works_it_takes_once_or_leaves(self, agent):
        turn, told, taken = self.speaking("one two three"), [], []

        async for event in agent.run(turn):
            if isinstance(event, ev.Steered):
                taken.append(event.message_id)
                turn.steering.journaled(event.message_id)
            elif len(told) < 3 and turn.steering.tell(Steer(f"m{len(told)}", "hurry"), lambda: None):
                told.append(f"m{len(told)}")

        left = [steer.message_id for steer in iter(turn.steering.take, None)]
        assert taken + left == told

    async def test_a_message_of_attachments_alone_is_answered(self, agent):
        turn = self.speaking("")
        kinds = {"p.png": "image/png", "n.txt": "text/plain", "r.pdf": "application/pdf", "gone.png": "image/png"}
        attached = [{"id": name, "name": name, "media_type": kind, "size": 4} for name, kind in kinds.items()]
        asked = {**turn.messages[-1], "content": "", "attachments": attached}

        events = await collect(agent, replace(turn, messages=[*turn.messages[:-1], asked], open=_four_bytes))

        assert said(events).strip()
        assert not (isinstance(events[-1], ev.RunEnded) and events[-1].outcome != "done")

    async def test_preparing_twice_does_no_harm(self, agent):
        await agent.prepare()
        await agent.prepare()

        assert said(await collect(agent, self.speaking("still here")))

    def assert_said(self, script: str, events: list[ev.Event]) -> None:
        assert said(events).strip() == script.strip()


def _four_bytes(attachment: Attachment) -> bytes:
    if attachment.id.startswith("gone"):
        raise FileNotFoundError(attachment.id)
    return b"four"


async def anext_of(run: object) -> object:
    return await anext(run)
