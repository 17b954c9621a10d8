"""Which agent answers a turn."""

from api.agents.base import Agent
from api.agents.scripted import ScriptedAgent
from api.domain.errors import NotFound


class Registry:
    """Every agent of this server, built once. `scripted`: whether the scripted agent may be chosen."""

    def __init__(self, *, scripted: bool = False) -> None:
        self._agents: dict[str, Agent] = {}
        if scripted:
            self._agents["scripted"] = ScriptedAgent()

    def names(self) -> list[str]:
        return list(self._agents)

    def agent_for(self, model: str, agent: str | None = None) -> Agent:
        """The agent called `agent`, or the one that `model`'s provider belongs to.

        Raises:
            NotFound: there is no such agent here.
        """
        provider = model.partition("/")[0]
        name = agent or (provider if provider in self._agents else "native")
        if name not in self._agents:
            raise NotFound(f"There is no agent called {name!r} here. Choose another model.", code="agent_not_found")
        return self._agents[name]

    async def close(self) -> None:
        for agent in self._agents.values():
            await agent.close()
