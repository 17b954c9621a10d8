"""Connecting providers: tested live, kept in two files, shown without their keys."""

import json

import pytest

from api.agents.listing import MOST_MODELS, ProviderNonsense, ProviderRefused, ProviderUnreachable, list_models
from api.agents.providers import Providers
from api.domain.errors import AppError, BadRequest, Conflict, NotFound
from tests.agents.conftest import KEY, connected
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.anyio


class MemoryFile:
    """A document that survives its `Providers`, as a file would."""

    def __init__(self, document: dict | None = None) -> None:
        self.text = json.dumps(document or {})

    def read(self) -> dict:
        return json.loads(self.text)

    def write(self, document: dict) -> None:
        self.text = json.dumps(document)


@pytest.fixture
def files() -> tuple[MemoryFile, MemoryFile]:
    return MemoryFile({"theme": "dark"}), MemoryFile()


@pytest.fixture
def providers(files) -> Providers:
    return Providers(*files)


@pytest.mark.parametrize("kind", ["openai_compatible", "openai", "anthropic", "google"])
async def test_each_kind_is_tested_saved_and_there_after_a_restart(fake, files, providers, kind):
    base_url = fake.url if kind.startswith("openai") else fake.origin

    saved = await providers.save(kind, base_url, KEY, name="My server")

    assert [model.id for model in saved.models] == ["mock-1", "mock-2"]
    again = Providers(*files).find("my-server")
    assert again == saved.provider
    assert (again.key, again.base_url) == (KEY, base_url)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/models", "/v1/chat/completions"])
async def test_an_address_may_be_given_with_or_without_its_version(fake, providers, path):
    saved = await providers.save("openai_compatible", fake.origin + path, KEY)

    assert saved.provider.base_url == fake.url
    assert len(saved.models) == 2


async def test_testing_saves_nothing(fake, files, providers):
    await providers.test("openai_compatible", fake.url, KEY)

    assert providers.list_public() == []
    assert files[1].read() == {}


async def test_what_is_not_reachable_is_not_saved(files, providers):
    with pytest.raises(ProviderUnreachable, match=r"Nothing answers at 127\.0\.0\.1:9"):
        await providers.save("openai_compatible", "http://127.0.0.1:9/v1", KEY)

    assert files[1].read() == {}


async def test_keys_are_only_in_the_file_of_secrets_and_never_shown(fake, files, providers):
    await providers.save("openai_compatible", fake.url, KEY)

    settings, secrets = files
    assert KEY not in settings.text
    assert KEY in secrets.text
    assert KEY not in str(providers.list_public()) + str(providers.all()) + str(providers)
    assert [(p.key_set, p.key_last4) for p in providers.list_public()] == [(True, KEY[-4:])]


async def test_of_a_short_key_nothing_is_shown():
    with FakeProvider() as fake:
        providers = Providers(MemoryFile(), MemoryFile())
        await providers.save("openai_compatible", fake.url, "short-key")

    assert [(p.key_set, p.key_last4) for p in providers.list_public()] == [(True, None)]


async def test_other_settings_in_the_same_file_are_left_alone(fake, files, providers):
    await providers.save("openai_compatible", fake.url, KEY)
    providers.set_default_model("127-0-0-1/mock-2")
    await providers.delete("127-0-0-1")

    assert files[0].read() == {"theme": "dark", "providers": [], "default_model": "127-0-0-1/mock-2"}
    assert files[1].read() == {"keys": {}}


async def test_saving_without_a_key_keeps_the_old_one_for_the_same_machine_only(fake, providers):
    saved = (await providers.save("openai_compatible", fake.url, KEY)).provider

    renamed = await providers.save("openai_compatible", None, None, saved.id, name="Renamed")
    with FakeProvider() as elsewhere:
        with pytest.raises(BadRequest) as refused:
            await providers.test("openai_compatible", elsewhere.url, None, saved.id)
        assert elsewhere.requests == []

    assert renamed.provider.id == saved.id
    assert providers.find(saved.id).key == KEY
    assert refused.value.code == "key_needed"


async def test_two_providers_of_one_name_get_ids_of_their_own(fake, providers):
    ids = [(await providers.save("openai_compatible", fake.url, KEY, name="Büro!")).provider.id for _ in range(3)]

    assert ids == ["bro", "bro-2", "bro-3"]


async def test_a_reserved_name_does_not_become_an_id(fake, providers):
    saved = await providers.save("openai_compatible", fake.url, KEY, name="Embedded")

    assert saved.provider.id == "embedded-2"


async def test_a_server_without_a_list_is_accepted_when_a_model_is_named(fake, providers):
    with pytest.raises(ProviderNonsense, match="name a model by hand"):
        await providers.test("openai_compatible", f"{fake.origin}/missing", KEY)

    saved = await providers.save("openai_compatible", f"{fake.origin}/missing", KEY, models=["mine", " mine ", ""])

    assert [model.id for model in saved.models] == ["mine"]


# The first part of the fake provider's path -> what a person is told
WRONG = {
    "html": ProviderNonsense,
    "notjson": ProviderNonsense,
    "shape": ProviderNonsense,
    "huge": ProviderNonsense,
    "broken": ProviderUnreachable,
    "echo": ProviderRefused,
    "elsewhere": BadRequest,
}


# Bad input 91
@pytest.mark.parametrize("mode", WRONG)
async def test_a_list_that_is_wrong_is_a_sentence(fake, providers, mode):
    with pytest.raises(AppError) as error:
        await providers.test("openai_compatible", f"{fake.origin}/{mode}/v1", KEY)

    assert type(error.value) is WRONG[mode]
    assert error.value.message.endswith(".")
    assert KEY not in error.value.message


async def test_a_wrong_key_is_refused_with_the_providers_own_words(fake, providers):
    with pytest.raises(ProviderRefused, match=r"did not accept the key\. It says: That key is not known here\."):
        await providers.test("openai_compatible", fake.url, "sk-wrong-0123456789")


@pytest.mark.parametrize("mode", ["silent", "trickle"])
async def test_a_list_that_does_not_come_is_not_waited_for(fake, mode):
    with pytest.raises(ProviderUnreachable, match="did not answer within"):
        await list_models(connected(fake, base_url=f"{fake.origin}/{mode}/v1"), time_limit_s=0.3)


@pytest.mark.parametrize("kind", ["anthropic", "google"])
async def test_a_list_whose_pages_never_end_is_read_to_a_bound(fake, kind):
    listing = await list_models(connected(fake, kind, base_url=f"{fake.origin}/pages"))

    assert 1 <= len(listing.models) <= 20
    assert len(fake.requests) <= 20


# Bad input 91
async def test_a_list_of_fifty_thousand_is_cut_and_says_so(fake):
    listing = await list_models(connected(fake, base_url=f"{fake.origin}/many/v1"))

    assert (len(listing.models), listing.total) == (MOST_MODELS, 50_000)


async def test_names_are_kept_as_they_are_and_unusable_ones_left_out(fake):
    listing = await list_models(connected(fake, base_url=f"{fake.origin}/names/v1"))

    assert {model.id for model in listing.models} == {"<img src=x onerror=alert(1)>", "a/b:c", "ok"}


# Bad input 53
@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:11434",
        "file:///etc/passwd",
        "ftp://example.org",
        "javascript:alert(1)",
        "http://",
        "http://[::1",
        "http://host:99999/v1",
        "http://host:0/v1",
        "http://user:pass@host/v1",
        "http://key@host/v1",
        "http://127.0.0.1\\@ok.example/v1",
        "http://host/v1?x=1",
        "http://host/v1#x",
        "http://host/v1\n",
        "http://ho st/v1",
        "http://host/\x00",
        "http://höst/v1",
        "http://host/" + "x" * 2048,
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://[fe80::1]/",
    ],
)
async def test_an_address_that_cannot_be_used_is_refused_before_anything_is_sent(providers, address):
    with pytest.raises(BadRequest) as error:
        await providers.test("openai_compatible", address, KEY)

    assert error.value.code == "bad_address"


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-ключ", "k" * 3000, "sk one"])
async def test_a_key_that_no_header_can_carry_is_refused(providers, key):
    with pytest.raises(BadRequest) as error:
        await providers.test("openai_compatible", "http://127.0.0.1:9/v1", key)

    assert error.value.code == "bad_key"
    assert key not in error.value.message


@pytest.mark.parametrize("kind", ["openai", "anthropic", "google"])
async def test_a_kind_that_needs_a_key_says_so_before_anything_is_sent(providers, kind):
    with pytest.raises(BadRequest) as error:
        await providers.test(kind)

    assert error.value.code == "key_needed"


async def test_an_unknown_kind_or_provider_is_refused(providers):
    with pytest.raises(BadRequest):
        await providers.test("telepathy", "http://127.0.0.1:9/v1")
    with pytest.raises(NotFound):
        await providers.test("openai_compatible", "http://127.0.0.1:9/v1", KEY, "gone")


async def test_the_provider_of_the_environment_can_be_used_but_not_changed(fake, files):
    providers = Providers(*files, environment_url=fake.origin, environment_key=KEY, environment_model="mine")

    assert providers.environment_model == "environment/mine"
    assert providers.find("environment").base_url == fake.url
    with pytest.raises(Conflict):
        await providers.delete("environment")
    with pytest.raises(Conflict):
        await providers.save("openai_compatible", fake.url, KEY, "environment")
    await providers.save("openai_compatible", fake.url, KEY, name="Other")
    assert KEY in files[1].text and "environment" not in files[0].text + files[1].text


async def test_a_provider_of_the_environment_that_cannot_be_used_is_told(files):
    providers = Providers(*files, environment_url="localhost:11434")

    assert providers.list_public() == []
    assert "http://" in providers.environment_problem


@pytest.mark.parametrize(
    "stored",
    [
        {"providers": "none"},
        {"providers": [None, 5, {}, {"id": "x"}, {"id": "x", "kind": "telepathy", "base_url": "http://h/v1"}]},
        {"providers": [{"id": "x", "kind": "openai", "base_url": "file:///etc/passwd"}], "default_model": 5},
        {"providers": [{"id": "embedded", "kind": "openai_compatible", "base_url": "http://h/v1"}]},
    ],
)
def test_settings_that_were_damaged_by_hand_do_not_stop_the_rest(stored):
    providers = Providers(MemoryFile(stored), MemoryFile({"keys": ["x"]}))

    assert providers.list_public() == []
    assert providers.default_model is None


async def test_what_is_not_understood_in_the_files_is_kept_when_they_are_written(fake):
    stranger = {"id": "new", "kind": "telepathy", "base_url": "x", "more": [1]}
    files = MemoryFile({"providers": [stranger]}), MemoryFile({"keys": {"new": "its key"}, "version": 9})
    providers = Providers(*files)

    saved = await providers.save("openai_compatible", fake.url, KEY)
    await providers.delete(saved.provider.id)

    assert files[0].read()["providers"] == [stranger]
    assert files[1].read() == {"keys": {"new": "its key"}, "version": 9}
