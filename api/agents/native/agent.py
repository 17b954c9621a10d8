"""The built-in agent: answers with the models of connected providers. Loads their libraries when first used."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from api.agents.base import Turn
from api.agents.facts import Facts, with_table
from api.agents.giving import means_of
from api.agents.limits import Limits
from api.agents.native.calls import Calls
from api.agents.native.delegating import Delegate
from api.agents.native.resuming import finish_step, messages_so_far
from api.agents.native.toolkit import Bench, Toolkit
from api.agents.native.tries import FALLS_BACK, Try
from api.agents.provider import Provider, split_model
from api.domain import events as ev
from api.domain.attachments import attachments_of
from api.domain.compactions import can_shrink, shortened
from api.domain.messages import Message, text_of
from api.domain.transcript import ToolBlock, Transcript

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelMessage

    from api.agents.native.own_tools import OwnTool
    from api.agents.native.request import Request
    from api.agents.native.showing import Showing
    from api.tools.base import Tool

INSTRUCTIONS = (
    "You are a helpful, honest assistant. Answer in the language of the question, to the point, in Markdown; "
    "name the language of a code block. Say so when you do not know something."
)

GUIDED = "Goes by {name} of this folder. You are asked as before."

LONG = 200
"""To make requests of so many messages takes longer than others should wait for: it is done in a thread."""


class NativeAgent:
    """`find_provider` gives a provider by its id, with its key; `instructions` go before every conversation.

    Models that take no tools are remembered, and asked without them from then on; so are pictures that one
    did not take.
    """

    name = "native"
    can_resume = True

    def __init__(
        self,
        find_provider: Callable[[str], Provider | None],
        toolkit: Toolkit | None = None,
        *,
        limits: Limits | None = None,
        instructions: str = INSTRUCTIONS,
        facts_of: Callable[[str], Facts] = lambda model: Facts(),
        fallback: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`facts_of` tells what is known of a model; `fallback` names the one to ask where another one fails."""
        self._find_provider = find_provider
        self._toolkit = toolkit or Toolkit()
        self._toolless: set[str] = set()
        self._refused: dict[str, set[str]] = {}
        self._limits = limits or Limits()
        self._instructions = instructions
        self._facts_of = facts_of
        self._fallback = fallback
        self._clients: dict[Provider, httpx2.AsyncClient] = {}
        self._models: dict[tuple[Provider, str], Any] = {}
        self._rehearsed: set[str] = set()

    async def run(self, turn: Turn) -> AsyncGenerator[ev.Event, None]:
        attempt = Try(step=max(turn.resumes.steps, default=0) if turn.resumes else 0, usage=_used(turn))
        while True:
            async with aclosing(attempt.through(self._answer(turn, attempt))) as events:
                async for event in events:
                    yield event
            another = self._another_way(turn, attempt)
            if another is None:
                break
            if another.model != turn.model:
                message = f"{_name(turn.model)} did not answer, so {_name(another.model)} does. {_why(attempt)}"
                yield ev.Notice(code="fell_back", message=message)
            turn, attempt = another, Try(attempt.step, attempt.usage)
        if attempt.ending is not None:
            yield attempt.ending

    def _another_way(self, turn: Turn, failed: Try) -> Turn | None:
        """How to try what failed before its first word once more: with less, or with another model."""
        if turn.resumes is not None:
            return None
        if failed.code == "context_too_long" and not turn.compacts and can_shrink(turn.messages, turn.compaction):
            return replace(turn, compacts=True)
        other = self._fallback()
        return replace(turn, model=other) if failed.code in FALLS_BACK and other and other != turn.model else None

    async def _answer(self, turn: Turn, attempt: Try) -> AsyncGenerator[ev.Event, None]:
        provider_id, name = split_model(turn.model)
        provider = self._find_provider(provider_id)
        if provider is None or not name:
            message = f"The model {turn.model!r} is not connected any more."
            failure = ev.Failure("model_not_connected", message, "Choose another model, or connect it in Settings.")
            yield ev.RunEnded(outcome="failed", failure=failure)
            return
        model = await self._model(provider, name)
        bench = await self._toolkit.open(turn)
        try:
            async with aclosing(self._work(turn, provider, model, bench, attempt)) as events:
                async for event in events:
                    yield event
        finally:
            bench.close()

    async def _work(
        self, turn: Turn, provider: Provider, model: Any, bench: Bench, attempt: Try
    ) -> AsyncGenerator[ev.Event, None]:
        from api.agents.native.compacting import Summary
        from api.agents.native.loop import Loop
        from api.agents.native.metering import Meter
        from api.agents.native.weighing import estimate, is_too_full

        delegate = Delegate()
        calls = Calls(
            turn, [*bench.tools, delegate] if bench.context.folder is not None else bench.tools, bench.context
        )
        has_tools = turn.model not in self._toolless
        for notice in _notices(turn, bench, model.model_name, has_tools=has_tools, step=attempt.step):
            yield notice
        messages = shortened(turn.messages, turn.compaction)
        if turn.resumes is not None:
            async with aclosing(finish_step(turn, turn.resumes, calls)) as events:
                async for event in events:
                    yield event
            messages = messages_so_far(turn, turn.resumes, calls)
        told = [turn.system_prompt or self._instructions, bench.told if has_tools else ""]
        instructions = "\n\n".join(filter(None, told))
        first = await self._first(turn, provider, model, calls.tools if has_tools else (), attempt.step)
        first.messages = await _as_requests(messages, instructions, first.showing, continuing=turn.continuing)
        if turn.resumes is None and (turn.compacts or is_too_full(estimate(turn, first).filled, first.window)):
            summary = Summary(turn, first)
            async with aclosing(summary.events(attempt.usage)) as events:
                async for event in events:
                    yield event
            if summary.failure is not None:
                return
            turn = summary.turn
            messages = shortened(turn.messages, turn.compaction)
            first.messages = await _as_requests(messages, instructions, first.showing, continuing=turn.continuing)
        loop = Loop(turn, first, calls, instructions, Meter(attempt.usage))
        delegate.begin = loop.below
        async with aclosing(loop.run()) as events:
            async for event in events:
                yield event
        if loop.are_tools_refused:
            self._toolless.add(turn.model)
        if first.showing is not None:
            self._refused[turn.model] |= first.showing.refused

    async def _first(
        self, turn: Turn, provider: Provider, model: Any, tools: "Sequence[Tool | OwnTool]", step: int
    ) -> "Request":
        """The first request of a turn, but for its messages; `step` is that of the last one before it."""
        from api.agents.native.loop import definitions
        from api.agents.native.request import Request
        from api.agents.native.showing import Showing

        facts = self._facts_of(turn.model)
        window = facts.window or await asyncio.to_thread(_window, provider, model.model_name)
        refused = self._refused.setdefault(turn.model, set())
        means = means_of(provider.kind, sees=facts.images, refused=refused, window=window)
        return Request(
            provider,
            model,
            [],
            limits=self._limits,
            parameters=turn.parameters,
            continues=text_of(turn.messages[-1]) if turn.continuing else "",
            tools=definitions(tools),
            number=step + 1,
            taken=_call_ids(turn.resumes),
            window=window,
            showing=Showing(turn, means, model.model_name),
        )

    async def prepare(self, model: str = "") -> None:
        provider_id, name = split_model(model)
        provider = self._find_provider(provider_id)
        if provider is not None and name:
            await self._model(provider, name)
            if provider.kind not in self._rehearsed:
                self._rehearsed.add(provider.kind)
                await asyncio.to_thread(_rehearse, provider)

    async def close(self) -> None:
        clients, self._clients, self._models = list(self._clients.values()), {}, {}
        for client in clients:
            await client.aclose()

    async def _model(self, provider: Provider, name: str) -> Any:
        """The model and its connections, kept for the next turn. Built in a thread, because libraries are loaded."""
        key = (provider, name)
        if key not in self._models:
            client, model = await asyncio.to_thread(_build, provider, name, self._clients.get(provider), self._limits)
            self._clients.setdefault(provider, client)
            self._models.setdefault(key, model)
        return self._models[key]


async def _as_requests(
    messages: list[Message], instructions: str, showing: "Showing | None", *, continuing: bool
) -> "list[ModelMessage]":
    from api.agents.native.history import model_messages

    def made() -> "list[ModelMessage]":
        attached = showing.contents(messages) if showing else {}
        return model_messages(messages, instructions, continuing=continuing, attached=attached)

    is_quick = len(messages) < LONG and not any(map(attachments_of, messages))
    return made() if is_quick else await asyncio.to_thread(made)


def _notices(turn: Turn, bench: Bench, name: str, *, has_tools: bool, step: int) -> Iterator[ev.Notice]:
    """What a person is told before the model is asked; `name` is the model's, `step` that of the last one before."""
    from api.agents.native.loop import told_toolless

    if bench.problem:
        yield ev.Notice(code="folder_missing", message=bench.problem)
    if bench.tools and not has_tools and not _is_told(turn, "no_tools"):
        yield told_toolless(name)
    if bench.told and has_tools and bench.guide is not None and step == 0 and not _is_told(turn, "guided"):
        yield ev.Notice(code="guided", message=GUIDED.format(name=bench.guide.name))


def _is_told(turn: Turn, code: str) -> bool:
    """Was this notice given in this conversation before, about the same model?"""
    earlier = (message for message in turn.messages if message.get("model") == turn.model)
    notices = (notice for message in earlier for notice in message.get("notices") or ())
    return any(isinstance(notice, dict) and notice.get("code") == code for notice in notices)


def _used(turn: Turn) -> ev.Usage | None:
    return turn.resumes.usage if turn.resumes is not None else None


def _name(model: str) -> str:
    return split_model(model)[1] or model


def _why(attempt: Try) -> str:
    return attempt.ending.failure.message if attempt.ending and attempt.ending.failure else ""


def _window(provider: Provider, name: str) -> int | None:
    return with_table(Facts(), name, provider.base_url).window


def _call_ids(before: Transcript | None) -> list[str]:
    return [block.call_id for block in before.blocks if isinstance(block, ToolBlock)] if before else []


def _build(provider: Provider, name: str, client: "httpx2.AsyncClient | None", limits: Limits) -> tuple[Any, Any]:
    from api.agents.native import history, loop  # noqa: F401  loaded here, so that the event loop is not held up
    from api.agents.native.models import build_model
    from api.agents.transport import new_client

    client = client or new_client(limits)
    return client, build_model(provider, name, client)


def _rehearse(provider: Provider) -> None:
    from api.agents.native.rehearsal import rehearse

    rehearse(provider)
