"""A provider's model as pydantic-ai has it. Imports pydantic-ai, so it is itself imported late."""

from typing import Any

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from api.agents.provider import Provider
from api.domain.parameters import Parameters


def build_model(provider: Provider, name: str, http: httpx2.AsyncClient) -> Model:
    """The model `name`, speaking through `http`, without retries of the library's own.

    Addresses, keys and headers come from `provider` alone: what the libraries would take from the environment is meant
    for their home, not for any address a person connects.
    """
    match provider.kind:
        case "anthropic":
            return _anthropic(provider, name, http)
        case "google":
            return _google(provider, name, http)
        case _:
            return _openai(provider, name, http)


def _openai(provider: Provider, name: str, http: httpx2.AsyncClient) -> Model:
    from openai import AsyncOpenAI
    from pydantic_ai.providers.openai import OpenAIProvider

    from api.agents.native.openai_models import TolerantChatModel, send_messages_as_they_are

    client = AsyncOpenAI(
        base_url=provider.base_url,
        api_key=provider.key or "none",
        http_client=http,
        max_retries=0,
        timeout=http.timeout,
    )
    client.organization = client.project = None
    send_messages_as_they_are(client)
    return TolerantChatModel(name, provider=OpenAIProvider(openai_client=client))


def _anthropic(provider: Provider, name: str, http: httpx2.AsyncClient) -> Model:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(
        base_url=provider.base_url, api_key=provider.key, http_client=http, max_retries=0, timeout=http.timeout
    )
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))


def _google(provider: Provider, name: str, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    home = GoogleProvider(api_key=provider.key or "none", http_client=http, base_url=provider.base_url)
    return GoogleModel(name, provider=home)


def settings_for(provider: Provider, tool_names: set[str], parameters: Parameters) -> ModelSettings:
    """Settings of one request. `tool_names`: the tools that the history called and that are not offered now."""
    settings, body = _set_by_person(provider, parameters)
    if provider.kind == "anthropic" and tool_names:
        # Anthropic refuses a history with calls unless tools are declared; these can be read but not called.
        tools = [{"name": name, "input_schema": {"type": "object"}} for name in sorted(tool_names)]
        body |= {"tools": tools, "tool_choice": {"type": "none"}}
    if provider.kind.startswith("openai") and not provider.key:
        from openai import Omit

        headers: dict[str, Any] = {"Authorization": Omit()}  # the client's own word for a header to leave out
        settings["extra_headers"] = headers
    if body:
        settings["extra_body"] = body
    return settings


def _set_by_person(provider: Provider, parameters: Parameters) -> tuple[ModelSettings, dict[str, Any]]:
    """What a person set, in the provider's own words: as settings, and as fields of the request's body."""
    settings: ModelSettings = {}
    sampling = {"temperature": parameters.temperature, "top_p": parameters.top_p}
    body: dict[str, Any] = {name: value for name, value in sampling.items() if value is not None}
    if parameters.max_tokens is not None:
        settings["max_tokens"] = parameters.max_tokens
    if provider.kind == "openai_compatible" and "max_tokens" in settings:
        body["max_tokens"] = settings.pop("max_tokens")  # the name that all of them know
    if provider.kind.startswith("openai"):
        # Into the body, past the library's opinion of which models take what: it would leave them out in silence,
        # and whoever sets something is to have it or to hear why not.
        return settings, body | ({"reasoning_effort": parameters.effort} if parameters.effort else {})
    if parameters.temperature is not None:
        settings["temperature"] = parameters.temperature
    if parameters.top_p is not None:
        settings["top_p"] = parameters.top_p
    if parameters.effort is not None:
        settings["thinking"] = parameters.effort
    return settings, {}


def left_out(provider: Provider, model: Model, parameters: Parameters) -> list[str]:
    """The names of those parameters that the library would leave out, because it knows that this model refuses them."""
    if provider.kind.startswith("openai"):
        return []
    profile: Any = model.profile
    thinks = profile.get("supports_thinking", False) or profile.get("thinking_always_enabled", False)
    refused = ["effort"] if parameters.effort is not None and not thinks else []
    if profile.get("anthropic_disallows_sampling_settings", False):
        refused += [name for name in ("temperature", "top_p") if getattr(parameters, name) is not None]
    return refused
