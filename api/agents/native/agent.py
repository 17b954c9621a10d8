"""The built-in agent: answers with the models of connected providers. Loads their libraries when first used."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from api.agents.base import Turn
from api.agents.limits import Limits
from api.agents.native.calls import Calls
from api.agents.native.resuming import finish_step, messages_so_far
from api.agents.native.toolkit import Bench, Toolkit
from api.agents.provider import Provider, split_model
from api.domain import events as ev
from api.domain.messages import Message, text_of
from api.domain.transcript import ToolBlock, Transcript

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelMessage

INSTRUCTIONS = (
    "You are a helpful, honest assistant. Answer in the language of the question, to the point, in Markdown; "
    "name the language of a code block. Say so when you do not know something."
)

LONG = 200
"""To make requests of so many messages takes longer than others should wait for: it is done in a thread."""


class NativeAgent:
    """`find_provider` gives a provider by its id, with its key; `instructions` go before every conversation.

    Models that take no tools are remembered, and asked without them from then on.
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
    ) -> None:
        self._find_provider = find_provider
        self._toolkit = toolkit or Toolkit()
        self._toolless: set[str] = set()
        self._limits = limits or Limits()
        self._instructions = instructions
        self._clients: dict[Provider, httpx2.AsyncClient] = {}
        self._models: dict[tuple[Provider, str], Any] = {}
        self._rehearsed: set[str] = set()

    async def run(self, turn: Turn) -> AsyncGenerator[ev.Event, None]:
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
            async with aclosing(self._work(turn, provider, model, bench)) as events:
                async for event in events:
                    yield event
        finally:
            bench.close()

    async def _work(self, turn: Turn, provider: Provider, model: Any, bench: Bench) -> AsyncGenerator[ev.Event, None]:
        from api.agents.native.loop import Loop, definitions
        from api.agents.native.request import Request

        if bench.problem:
            yield ev.Notice(code="folder_missing", message=bench.problem)
        calls = Calls(turn, bench.tools, bench.context)
        messages, number = turn.messages, 1
        if turn.resumes is not None:
            async with aclosing(finish_step(turn, turn.resumes, calls)) as events:
                async for event in events:
                    yield event
            messages, number = messages_so_far(turn, turn.resumes, calls), max(turn.resumes.steps, default=0) + 1
        has_tools = turn.model not in self._toolless
        instructions = turn.system_prompt or self._instructions
        if has_tools and bench.told:
            instructions = f"{instructions}\n\n{bench.told}"
        first = Request(
            provider,
            model,
            await _as_requests(messages, instructions, continuing=turn.continuing),
            limits=self._limits,
            parameters=turn.parameters,
            continues=text_of(turn.messages[-1]) if turn.continuing else "",
            tools=definitions(bench.tools) if has_tools else (),
            number=number,
            taken=_call_ids(turn.resumes),
        )
        loop = Loop(turn, first, calls, instructions)
        async with aclosing(loop.run()) as events:
            async for event in events:
                yield event
        if loop.are_tools_refused:
            self._toolless.add(turn.model)

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


async def _as_requests(messages: list[Message], instructions: str, *, continuing: bool) -> "list[ModelMessage]":
    from api.agents.native.history import model_messages

    if len(messages) < LONG:
        return model_messages(messages, instructions, continuing=continuing)
    return await asyncio.to_thread(model_messages, messages, instructions, continuing=continuing)


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
