"""Which agents there are, and which one answers a turn."""

import asyncio
from collections.abc import Callable

from api.agents.acp.agent import AcpAgent
from api.agents.acp.program import PROVIDER as ACP
from api.agents.acp.programs import Programs
from api.agents.base import Agent
from api.agents.catalog import Catalog, ModelRow, Problem
from api.agents.embedded.agent import MODEL as DEMO_MODEL
from api.agents.embedded.agent import NAME as DEMO_NAME
from api.agents.embedded.agent import EmbeddedAgent, why_unavailable
from api.agents.native.agent import NativeAgent
from api.agents.native.toolkit import Toolkit
from api.agents.provider import split_model
from api.agents.providers import Providers
from api.agents.scripted import MODEL as SCRIPT_MODEL
from api.agents.scripted import ScriptedAgent
from api.domain.errors import NotFound


class Registry:
    """Every agent of this server, built once.

    `scripted`: may that one be chosen? `acp` answers with programs. `toolkit` is what the built-in agent works with.
    """

    def __init__(
        self,
        providers: Providers,
        *,
        scripted: bool = False,
        acp: AcpAgent | None = None,
        toolkit: Toolkit | None = None,
    ) -> None:
        programs = _program_models(acp.programs) if acp is not None else list
        self.catalog = Catalog(providers, *_own_models(scripted=scripted), programs=programs)
        self._preparing: set[asyncio.Task[None]] = set()
        self._agents: dict[str, Agent] = {
            "native": NativeAgent(
                providers.find, toolkit, facts_of=self.catalog.facts_of, fallback=self.catalog.fallback_model
            ),
            "embedded": EmbeddedAgent(),
        }
        if scripted:
            self._agents["scripted"] = ScriptedAgent()
        if acp is not None:
            self._agents[acp.name] = acp

    def names(self) -> list[str]:
        return list(self._agents)

    def can_resume(self, agent: str) -> bool:
        """See `Agent.can_resume`."""
        return agent in self._agents and self._agents[agent].can_resume

    def agent_for(self, model: str, agent: str | None = None) -> Agent:
        """The agent called `agent`, or else the one that answers with `model`.

        Raises:
            NotFound: there is no such agent here.
        """
        provider = split_model(model)[0]
        name = agent or (provider if provider in self._agents else "native")
        if name not in self._agents:
            raise NotFound(
                f"There is no agent called {name!r} here. Choose another model.", code="agent_not_found", name=name
            )
        return self._agents[name]

    async def choose(self, model: str | None, agent: str | None = None) -> tuple[Agent, str]:
        """The agent for a session that asks for `model` and `agent`, and the model it is to use: else the default.

        Raises:
            NotFound: there is no such agent, or no model at all.
        """
        chosen = model or (SCRIPT_MODEL if agent == "scripted" else await self.catalog.default_model())
        if chosen is None:
            raise NotFound("No model is connected yet. Connect one in Settings, then send it again.", code="no_model")
        return self.agent_for(chosen, agent), chosen

    def prepare(self, model: str | None = None) -> None:
        """Begin to load what a turn with `model` will need. Returns at once."""
        task = asyncio.create_task(self._prepare(model))
        self._preparing.add(task)
        task.add_done_callback(self._preparing.discard)

    async def _prepare(self, model: str | None) -> None:
        try:
            agent, chosen = await self.choose(model)
        except NotFound:
            return  # Whoever sends the message is told.
        await agent.prepare(chosen)

    async def close(self) -> None:
        """End everything that the agents started. No run is active then."""
        for task in self._preparing:
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)
        for agent in self._agents.values():
            await agent.close()


def _own_models(*, scripted: bool) -> tuple[list[ModelRow], list[Problem]]:
    rows, problems = [], []
    if reason := why_unavailable():
        problems.append(Problem(provider="embedded", code="demo_unavailable", message=reason))
    else:
        rows.append(ModelRow(DEMO_MODEL, DEMO_NAME, "embedded", "On this machine", is_demo=True))
    if scripted:
        rows.append(ModelRow(SCRIPT_MODEL, "Script", "scripted", "For trying and testing"))
    return rows, problems


def _program_models(programs: Programs) -> Callable[[], list[ModelRow]]:
    return lambda: [ModelRow(one.model, one.title, ACP, "Agents on this machine") for one in programs.all()]
