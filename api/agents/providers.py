"""Which providers are connected: their configurations, kept in two files, the keys apart from all else."""

import asyncio
import importlib
import re
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from api.agents.address import check_address, check_key, origin_of, with_version
from api.agents.provider import HOME, KINDS, NAMES, Kind, Provider, kind_at
from api.domain.errors import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from api.agents.listing import Listing

ENVIRONMENT = "environment"
"""The id of the provider that the environment names."""

_RESERVED = frozenset({ENVIRONMENT, "embedded", "scripted", "native"})


class DocumentFile(Protocol):
    """A JSON document on disk. `write` is durable when it returns."""

    def read(self) -> dict[str, Any]: ...

    def write(self, document: dict[str, Any]) -> None: ...


class Tested(msgspec.Struct, frozen=True):
    """A provider that answered, as it may be saved, and what it offers."""

    provider: Provider
    models: list[dict[str, str]]
    total: int
    took_ms: int


class Providers:
    """Reads its files when first asked and then holds what they say: nobody else writes them.

    `settings` holds everything but keys, and may hold other things, which are left alone; `secrets` holds keys only.
    `environment_*` come from the settings of the server and are the default as long as they are set.
    """

    def __init__(
        self,
        settings: DocumentFile,
        secrets: DocumentFile,
        *,
        environment_url: str = "",
        environment_key: str = "",
        environment_model: str = "",
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._environment = (environment_url, environment_key, environment_model)
        self._providers: dict[str, Provider] | None = None
        self._default_model: str | None = None
        self.environment_problem: str | None = None
        self._writing = asyncio.Lock()

    def all(self) -> list[Provider]:
        """In the order in which they were connected, the environment's first. With keys: for use, not for show."""
        return list(self._loaded().values())

    def find(self, provider_id: str) -> Provider | None:
        return self._loaded().get(provider_id)

    def list_public(self) -> list[dict[str, Any]]:
        """What may be shown of each."""
        return [public(provider) for provider in self.all()]

    @property
    def environment_model(self) -> str | None:
        """The model that the environment names, as `<provider id>/<name>`."""
        name = self._environment[2]
        return f"{ENVIRONMENT}/{name}" if name and self.find(ENVIRONMENT) else None

    @property
    def default_model(self) -> str | None:
        """The model that the person chose, if they did."""
        self._loaded()
        return self._default_model

    async def choose_default(self, model: str) -> None:
        async with self._writing:
            await asyncio.to_thread(self._update_settings, default_model=model)
            self._default_model = model

    async def test(
        self,
        kind: str,
        base_url: str | None = None,
        key: str | None = None,
        provider_id: str | None = None,
        *,
        name: str | None = None,
        models: list[str] | None = None,
    ) -> Tested:
        """Ask the provider live for its models. Saves nothing.

        With the id of a connected provider, what is not given is taken from it; its key only for the same host.

        Raises:
            BadRequest: what was given cannot be used.
            AppError: `provider_refused`, `provider_unreachable` or `provider_nonsense`, with what to do.
        """
        provider = self._candidate(kind, base_url, key, provider_id, name=name, models=models)
        listing = await ask(provider)
        rows = [{"id": model.id, "name": model.name} for model in listing.models]
        listed = {row["id"] for row in rows}
        rows = [{"id": name, "name": name} for name in provider.models if name not in listed] + rows
        provider = msgspec.structs.replace(provider, base_url=listing.base_url)
        return Tested(provider=provider, models=rows, total=max(listing.total, len(rows)), took_ms=listing.took_ms)

    async def save(
        self,
        kind: str,
        base_url: str | None = None,
        key: str | None = None,
        provider_id: str | None = None,
        *,
        name: str | None = None,
        models: list[str] | None = None,
    ) -> Tested:
        """Test, then keep. An unknown or missing id makes a new provider. Raises as `test` does."""
        tested = await self.test(kind, base_url, key, provider_id, name=name, models=models)
        async with self._writing:
            provider = tested.provider
            if not provider.id:
                provider = msgspec.structs.replace(provider, id=self._new_id(provider))
            providers = {**self._loaded(), provider.id: provider}
            await asyncio.to_thread(self._write, providers)
            self._providers = providers
        return msgspec.structs.replace(tested, provider=provider)

    async def delete(self, provider_id: str) -> None:
        """Forget a provider and its key. Forgetting one that is not there succeeds.

        Raises:
            Conflict: it comes from the environment.
        """
        if provider_id == ENVIRONMENT:
            raise _from_environment()
        async with self._writing:
            providers = {name: one for name, one in self._loaded().items() if name != provider_id}
            await asyncio.to_thread(self._write, providers)
            self._providers = providers

    def _candidate(
        self,
        kind: str,
        base_url: str | None,
        key: str | None,
        provider_id: str | None,
        *,
        name: str | None,
        models: list[str] | None,
    ) -> Provider:
        if provider_id == ENVIRONMENT:
            raise _from_environment()
        known = self.find(provider_id) if provider_id else None
        if provider_id and known is None:
            raise NotFound("That provider is not connected any more. Connect it anew.", code="provider_not_found")
        chosen = _kind(kind)
        address = check_address(base_url or (known.base_url if known else "") or HOME[chosen])
        return Provider(
            id=known.id if known else "",
            kind=chosen,
            name=_name(name, chosen, address, known),
            base_url=address,
            key=_key(key, chosen, address, known),
            models=_names(models) if models is not None else (known.models if known else ()),
        )

    def _new_id(self, provider: Provider) -> str:
        """A short id that can be read in a model's name, and that nothing else bears."""
        stem = re.sub(r"[^a-z0-9]+", "-", provider.name.lower().encode("ascii", "ignore").decode()).strip("-")[:40]
        stem = stem or "provider"
        taken = {*self._loaded(), *_RESERVED}
        number = next(n for n in range(1, len(taken) + 2) if (stem if n == 1 else f"{stem}-{n}") not in taken)
        return stem if number == 1 else f"{stem}-{number}"

    def _loaded(self) -> dict[str, Provider]:
        if self._providers is None:
            settings, keys = self._settings.read(), self._secrets.read().get("keys")
            self._providers = dict(self._from_environment())
            keys = keys if isinstance(keys, dict) else {}
            for entry in _list_of(settings, "providers"):
                if (provider := _provider(entry, keys)) is not None:
                    self._providers.setdefault(provider.id, provider)
            default = settings.get("default_model")
            self._default_model = default if isinstance(default, str) else None
        return self._providers

    def _from_environment(self) -> dict[str, Provider]:
        url, key, model = self._environment
        if not url:
            return {}
        try:
            address, secret = check_address(url), check_key(key)
        except BadRequest as error:
            self.environment_problem = f"The provider from the environment cannot be used. {error.message}"
            return {}
        kind = kind_at(address)
        provider = Provider(
            id=ENVIRONMENT,
            kind=kind,
            name=_name(None, kind, address, None),
            base_url=with_version(address, kind),
            key=secret,
            from_environment=True,
            models=(model,) if model else (),
        )
        return {ENVIRONMENT: provider}

    def _write(self, providers: dict[str, Provider]) -> None:
        own = [provider for provider in providers.values() if not provider.from_environment]
        keys = {provider.id: provider.key for provider in own if provider.key}
        # Keys first: if only one of the two files is written, a key is left over rather than a provider without one.
        self._secrets.write({**self._secrets.read(), "keys": keys})
        entries = [
            {"id": p.id, "kind": p.kind, "name": p.name, "base_url": p.base_url, "models": p.models} for p in own
        ]
        self._update_settings(providers=entries)

    def _update_settings(self, **fields: Any) -> None:
        self._settings.write({**self._settings.read(), **fields})


async def ask(provider: Provider) -> "Listing":
    """What `provider` offers, asked live. Raises as `listing.list_models` does."""
    # In a thread, because the HTTP library is loaded on the way.
    listing = await asyncio.to_thread(importlib.import_module, "api.agents.listing")
    return await listing.list_models(provider)


def public(provider: Provider) -> dict[str, Any]:
    """What may be shown of a provider. Of a key only that it is set, and how it ends where that gives little away."""
    return {
        "id": provider.id,
        "kind": provider.kind,
        "name": provider.name,
        "base_url": provider.base_url,
        "key_set": bool(provider.key),
        "key_last4": provider.key[-4:] if len(provider.key) >= 12 else None,
        "from_environment": provider.from_environment,
    }


def _kind(kind: str) -> Kind:
    found = next((known for known in KINDS if known == kind), None)
    if found is None:
        raise BadRequest(f"A provider is one of {', '.join(KINDS)}.", field="kind")
    return found


def _name(name: str | None, kind: Kind, address: str, known: Provider | None) -> str:
    given = " ".join((name or "").split())[:80]
    if given:
        return given
    if known is not None:
        return known.name
    host = urlsplit(address).hostname or ""
    return NAMES[kind] if kind_at(address) == kind != "openai_compatible" else host


def _key(key: str | None, kind: Kind, address: str, known: Provider | None) -> str:
    if key is not None:
        key = check_key(key)
    elif known is not None and known.key:
        if origin_of(known.base_url) != origin_of(address):
            message = "The address leads to another machine, so the key is needed again."
            raise BadRequest(message, code="key_needed", field="key")
        key = known.key
    if not key and kind != "openai_compatible":
        raise BadRequest(f"{NAMES[kind]} needs a key.", code="key_needed", field="key")
    return key or ""


def _names(models: list[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in models if name.strip()))
    if len(names) > 100 or any(len(name) > 200 or not name.isprintable() for name in names):
        raise BadRequest("A model's name is one line of at most 200 characters.", field="models")
    return names


def _provider(entry: Any, keys: dict[str, Any]) -> Provider | None:
    """A stored entry, or None for one that is not ours to understand; it stays in the file until the next save."""
    try:
        provider = msgspec.convert({"name": "", **entry}, Provider) if isinstance(entry, dict) else None
        if provider is None or provider.id in _RESERVED:
            return None
        key = keys.get(provider.id)
        key = key if isinstance(key, str) else ""
        address = check_address(provider.base_url)
    except (msgspec.ValidationError, BadRequest):
        return None
    name = provider.name or NAMES[provider.kind]
    return msgspec.structs.replace(provider, base_url=address, name=name, key=key, from_environment=False)


def _list_of(document: dict[str, Any], field: str) -> list[Any]:
    value = document.get(field)
    return value if isinstance(value, list) else []


def _from_environment() -> Conflict:
    message = "This provider comes from the environment of the server. Change it there and start the server again."
    return Conflict(message, code="from_environment")
