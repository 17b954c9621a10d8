"""One provider of models: where it is, and how it is spoken to."""

from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

Kind = Literal["openai_compatible", "openai", "anthropic", "google"]

KINDS: tuple[Kind, ...] = get_args(Kind)

HOME: dict[Kind, str] = {
    "openai_compatible": "",
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Where each kind lives when no address is given."""

NAMES: dict[Kind, str] = {
    "openai_compatible": "OpenAI-compatible",
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "google": "Google",
}


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """`base_url` has no slash at its end. `key` is empty where none is needed; `models` are names given by hand.

    `first_model` is the first that it listed when it was connected: the default, until somebody chooses.
    """

    id: str
    kind: Kind
    name: str
    base_url: str
    key: str = ""
    from_environment: bool = False
    models: tuple[str, ...] = ()
    first_model: str = ""

    def __repr__(self) -> str:
        """Without the key, which must not reach a log or a traceback."""
        return f"Provider(id={self.id!r}, kind={self.kind!r}, base_url={self.base_url!r})"


def kind_at(base_url: str) -> Kind:
    """Which kind answers at an address, by its host."""
    host = urlsplit(base_url).hostname or ""
    hosts: dict[str, Kind] = {"api.openai.com": "openai", "api.anthropic.com": "anthropic"}
    if host.endswith("googleapis.com") and "openai" not in base_url:
        return "google"
    return hosts.get(host, "openai_compatible")


def split_model(model: str) -> tuple[str, str]:
    """Provider id and model name of `<provider id>/<model name>`; the name may hold slashes of its own."""
    provider_id, _, name = model.partition("/")
    return provider_id, name
