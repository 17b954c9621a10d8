"""Which models can be chosen, and which one is the default."""

import subprocess
import sys

import pytest

from api.agents.catalog import Catalog, ModelRow
from api.agents.providers import Providers
from api.agents.registry import Registry
from api.domain.errors import BadRequest, NotFound
from tests.agents.conftest import KEY
from tests.agents.test_providers import MemoryFile
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.anyio

DEMO = ModelRow(id="embedded/demo", name="Demo", provider="embedded", provider_name="Here", is_demo=True)


def catalog_of(providers: Providers) -> Catalog:
    return Catalog(providers, [DEMO])


async def test_the_default_is_the_environments_then_the_persons_then_the_first_connected_then_the_demo(fake):
    files = MemoryFile(), MemoryFile()
    providers = Providers(*files)
    chosen = [await catalog_of(providers).default_model()]
    await providers.save("openai_compatible", fake.url, KEY, name="Mine")
    chosen.append(await catalog_of(providers).default_model())
    await catalog_of(providers).choose_default("mine/mock-2")
    chosen.append(await catalog_of(providers).default_model())
    providers = Providers(*files, environment_url=fake.url, environment_key=KEY, environment_model="theirs")
    chosen.append(await catalog_of(providers).default_model())

    assert chosen == ["embedded/demo", "mine/mock-1", "mine/mock-2", "environment/theirs"]


async def test_a_provider_of_the_environment_without_a_model_is_asked_for_its_first(fake):
    providers = Providers(MemoryFile(), MemoryFile(), environment_url=fake.url, environment_key=KEY)

    assert await catalog_of(providers).default_model() == "environment/mock-1"


async def test_a_choice_that_is_not_connected_any_more_is_passed_over(fake):
    providers = Providers(MemoryFile(), MemoryFile())
    await providers.save("openai_compatible", fake.url, KEY, name="Mine")
    await catalog_of(providers).choose_default("mine/mock-2")
    await providers.delete("mine")

    assert (await catalog_of(providers).models()).default == "embedded/demo"


@pytest.mark.parametrize("model", ["", "mine", "gone/model", "mine/", "embedded"])
def test_a_default_that_nobody_has_is_refused(model):
    providers = Providers(MemoryFile(), MemoryFile())

    with pytest.raises(BadRequest):
        providers.set_default_model(model)


async def test_one_provider_out_of_order_does_not_hide_the_others_nor_what_it_listed(fake):
    providers = Providers(MemoryFile(), MemoryFile())
    catalog = catalog_of(providers)
    await providers.save("openai_compatible", fake.url, KEY, name="Up")
    with FakeProvider() as other:
        await providers.save("openai_compatible", other.url, name="Down")
        await catalog.models()

    found = await catalog.models(fresh=True)

    assert [row.id for row in found.models] == [
        "up/mock-1",
        "up/mock-2",
        "down/mock-1",
        "down/mock-2",
        "embedded/demo",
    ]
    assert [(problem.provider, problem.code) for problem in found.problems] == [("down", "provider_unreachable")]


async def test_a_provider_is_not_asked_again_within_a_minute_unless_it_was_changed(fake):
    providers = Providers(MemoryFile(), MemoryFile())
    catalog = catalog_of(providers)
    await providers.save("openai_compatible", fake.url, KEY, name="Mine")
    asked = [len(fake.requests)]
    for step in (catalog.models, catalog.models):
        await step()
        asked.append(len(fake.requests))
    await providers.save("openai_compatible", None, None, "mine", name="Renamed")
    await catalog.models()

    assert asked == [1, 2, 2]
    assert len(fake.requests) == 4


async def test_a_list_that_was_cut_says_how_long_it_is(fake):
    providers = Providers(MemoryFile(), MemoryFile())
    await providers.save("openai_compatible", f"{fake.origin}/many/v1", KEY, name="Many")

    found = await catalog_of(providers).models()

    assert len(found.models) == 1001
    assert "50000 models" in found.problems[0].message
    assert found.problems[0].facts == {"total": 50000, "shown": 1000}


async def test_a_turn_goes_to_the_agent_that_its_model_or_the_person_names():
    registry = Registry(Providers(MemoryFile(), MemoryFile()), scripted=True)

    async def chosen(model: str | None, agent: str | None = None) -> tuple[str, str]:
        found, its_model = await registry.choose(model, agent)
        return found.name, its_model

    assert await chosen("openai/gpt-5") == ("native", "openai/gpt-5")
    assert await chosen("embedded/x") == ("embedded", "embedded/x")
    assert await chosen("scripted/script") == ("scripted", "scripted/script")
    assert await chosen("openai/gpt-5", "scripted") == ("scripted", "openai/gpt-5")
    assert await chosen(None, "scripted") == ("scripted", "scripted/script")
    assert (await chosen(None))[0] in ("embedded", "scripted")
    with pytest.raises(NotFound):
        registry.agent_for("openai/gpt-5", "hermes")
    await registry.close()


async def test_the_scripted_agent_is_not_there_unless_it_is_switched_on():
    registry = Registry(Providers(MemoryFile(), MemoryFile()))

    assert "scripted" not in registry.names()
    assert all(row.provider != "scripted" for row in (await registry.catalog.models()).models)
    with pytest.raises(NotFound):
        registry.agent_for("anything/model", "scripted")
    await registry.close()


async def test_preparing_what_is_not_there_does_no_harm():
    registry = Registry(Providers(MemoryFile(), MemoryFile()))

    registry.prepare("gone/model")
    registry.prepare("scripted/script")

    await registry.close()


LOADS = """
import sys
from pathlib import Path
from api.agents.mcp.servers import Servers
from api.agents.mcp.tools import McpTools
from api.agents.providers import Providers
from api.agents.registry import Registry

class Nothing:
    def read(self): return {}
    def write(self, document): raise AssertionError

registry = Registry(Providers(Nothing(), Nothing()), scripted=True)
assert not McpTools(Servers(Nothing()), folder=Path(), env={}, mark="").on()
libraries = ("httpx2", "pydantic", "pydantic_ai", "openai", "xllamacpp", "acp", "mcp", "mcp_types", "ssl")
print([name for name in libraries if name in sys.modules])
"""


def test_building_the_agents_loads_none_of_their_libraries():
    loaded = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() in ("[]", "['ssl']")
