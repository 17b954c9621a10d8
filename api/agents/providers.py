"""Which providers are connected: their configurations, kept in two files, the keys apart from all else."""

import asyncio
import importlib
import re
import threading
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from api.agents.address import check_address, check_key, origin_of, with_version
from api.agents.provider import HOME, KINDS, NAMES, Kind, Provider, kind_at, split_model
from api.domain.errors import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from api.agents.listing import Listing

ENVIRONMENT = "environment"
"""The id of the provider that the environment names."""

OWN = frozenset({"embedded", "scripted", "acp"})
"""Ids that stand before the models of this server itself."""

_RESERVED = frozenset({ENVIRONMENT, "native", *OWN})


class DocumentFile(Protocol):
    """A JSON document on disk. `write` is durable when it returns."""

    def read(self) -> dict[str, Any]: ...

    def write(self, value: dict[str, Any], /) -> None: ...


class ModelChoice(msgspec.Struct, frozen=True):
    """`id` as the provider knows the model, `name` as a person reads it."""

    id: str
    name: str


class PublicProvider(msgspec.Struct, frozen=True):
    """What may be shown of a provider. Of a key that it is set, and how it ends where that gives little away."""

    id: str
    kind: Kind
    name: str
    base_url: str
    key_set: bool
    key_last4: str | None
    from_environment: bool


class Tested(msgspec.Struct, frozen=True):
    """A provider that answered, at the address that did, and what it offers. `total`: how many models it lists."""

    provider: Provider
    models: list[ModelChoice]
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
        self._fallback_model: str | None = None
        self._hidden_models: frozenset[str] = frozenset()
        self.environment_problem: str | None = None
        self._changing = threading.Lock()

    def all(self) -> list[Provider]:
        """In the order in which they were connected, the environment's first. With keys: for use, not for show."""
        return list(self._loaded().values())

    def find(self, provider_id: str) -> Provider | None:
        return self._loaded().get(provider_id)

    def list_public(self) -> list[PublicProvider]:
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

    def set_default_model(self, model: str) -> None:
        """Make `model` the default. Blocks for a write.

        Raises:
            BadRequest: it belongs to no connected provider. A name that its provider does not list is allowed.
        """
        provider_id, name = split_model(model)
        if not name or (provider_id not in OWN and self.find(provider_id) is None):
            message = "That model belongs to no connected provider. Choose one of the list."
            raise BadRequest(message, code="unknown_model", field="model")
        with self._changing:
            self._update_settings(default_model=model)
            self._default_model = model

    @property
    def fallback_model(self) -> str | None:
        """The model that the person chose for where another one fails, if they did."""
        self._loaded()
        return self._fallback_model

    @property
    def hidden_models(self) -> frozenset[str]:
        """The models that the person does not want to be offered."""
        self._loaded()
        return self._hidden_models

    def set_fallback_model(self, model: str | None) -> None:
        """Make `model` the one to ask where another one fails; None is none. Blocks for a write.

        Raises:
            BadRequest: it belongs to no connected provider.
        """
        if model is not None and (not split_model(model)[1] or self.find(split_model(model)[0]) is None):
            message = "That model belongs to no connected provider. Choose one of the list."
            raise BadRequest(message, code="unknown_model", field="model")
        with self._changing:
            self._update_settings(fallback_model=model)
            self._fallback_model = model

    def hide_model(self, model: str, *, is_hidden: bool) -> None:
        """Offer `model` no longer, or again. It can still be used where it is chosen. Blocks for a write."""
        with self._changing:
            self._loaded()
            hidden = self._hidden_models | {model} if is_hidden else self._hidden_models - {model}
            self._update_settings(hidden_models=sorted(hidden))
            self._hidden_models = hidden

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
        `models` are names given by hand, for a server without a list.

        Raises:
            BadRequest: what was given cannot be used.
            AppError: `provider_refused`, `provider_unreachable` or `provider_nonsense`, with what to do.
        """
        provider = self._candidate(kind, base_url, key, provider_id, name=name, models=models)
        listing = await ask(provider)
        choices = _choices(provider, listing)
        first = choices[0].id if choices else ""
        answered = msgspec.structs.replace(provider, base_url=listing.base_url, first_model=first)
        return Tested(answered, choices, max(listing.total, len(choices)), listing.took_ms)

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
        """Test, then keep. Without an id, a new provider. Raises as `test` does."""
        tested = await self.test(kind, base_url, key, provider_id, name=name, models=models)
        kept = await asyncio.to_thread(self._keep, tested.provider)
        return msgspec.structs.replace(tested, provider=kept)

    async def delete(self, provider_id: str) -> None:
        """Forget a provider and its key. Forgetting one that is not there succeeds.

        Raises:
            Conflict: it comes from the environment.
        """
        if provider_id == ENVIRONMENT:
            raise _from_environment()
        await asyncio.to_thread(self._forget, provider_id)

    def _forget(self, provider_id: str) -> None:
        with self._changing:
            self._write({name: one for name, one in self._loaded().items() if name != provider_id})

    def _keep(self, provider: Provider) -> Provider:
        with self._changing:
            if not provider.id:
                provider = msgspec.structs.replace(provider, id=self._new_id(provider))
            self._write({**self._loaded(), provider.id: provider})
        return provider

    def _candidate(
        self,
        kind: str,
        base_url: str | None,
        key: str | None,
        provider_id: str | None,
        *,
        name: str | None = None,
        models: list[str] | None = None,
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
            settings, keys = self._settings.read(), _dict_of(self._secrets.read(), "keys")
            self._providers = self._from_environment()
            for entry in _list_of(settings, "providers"):
                if (provider := _provider(entry, keys)) is not None:
                    self._providers.setdefault(provider.id, provider)
            default = settings.get("default_model")
            self._default_model = default if isinstance(default, str) else None
            fallback = settings.get("fallback_model")
            self._fallback_model = fallback if isinstance(fallback, str) else None
            self._hidden_models = frozenset(filter(_is_text, _list_of(settings, "hidden_models")))
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
        own = {name: one for name, one in providers.items() if not one.from_environment}
        known = {*self._loaded(), *own}
        # What was not understood (a newer version's, a slip of the hand) is kept as it is, with its key.
        strangers = [one for one in _list_of(self._settings.read(), "providers") if _id_of(one) not in known]
        stored = self._secrets.read()
        keys = {name: key for name, key in _dict_of(stored, "keys").items() if name not in known}
        keys |= {name: one.key for name, one in own.items() if one.key}
        # Keys first: if only one of the two files is written, a key is left over rather than a provider without one.
        self._secrets.write({**stored, "keys": keys})
        fields = ("id", "kind", "name", "base_url", "models", "first_model")
        entries = [{field: getattr(one, field) for field in fields} for one in own.values()]
        self._update_settings(providers=entries + strangers)
        self._providers = providers

    def _update_settings(self, **fields: Any) -> None:
        self._settings.write({**self._settings.read(), **fields})


async def ask(provider: Provider) -> "Listing":
    """What `provider` offers, asked live. Raises as `listing.list_models` does."""
    # In a thread, because the HTTP library is loaded on the way.
    listing = await asyncio.to_thread(importlib.import_module, "api.agents.listing")
    return await listing.list_models(provider)


def public(provider: Provider) -> PublicProvider:
    """`provider` as it may be shown."""
    key = provider.key
    return PublicProvider(
        id=provider.id,
        kind=provider.kind,
        name=provider.name,
        base_url=provider.base_url,
        key_set=bool(key),
        key_last4=key[-4:] if len(key) >= 12 else None,
        from_environment=provider.from_environment,
    )


def _choices(provider: Provider, listing: "Listing") -> list[ModelChoice]:
    """The models named by hand, then those that were listed."""
    listed = {model.id for model in listing.models}
    by_hand = [ModelChoice(name, name) for name in provider.models if name not in listed]
    return by_hand + [ModelChoice(model.id, model.name) for model in listing.models]


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
    """A stored entry, or None for one that cannot be understood."""
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


def _dict_of(document: dict[str, Any], field: str) -> dict[str, Any]:
    value = document.get(field)
    return value if isinstance(value, dict) else {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _id_of(entry: Any) -> Any:
    return entry.get("id") if isinstance(entry, dict) else None


def _from_environment() -> Conflict:
    message = "This provider comes from the environment of the server. Change it there and start the server again."
    return Conflict(message, code="from_environment")
