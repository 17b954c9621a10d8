"""A provider's model as pydantic-ai has it. Imports pydantic-ai, so it is itself imported late."""

from typing import Any

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from api.agents.provider import Provider


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


def settings_for(provider: Provider, tool_names: set[str]) -> ModelSettings:
    """Settings of one request. `tool_names`: the tools that the history called."""
    if provider.kind == "anthropic" and tool_names:
        # Anthropic refuses a history with calls unless tools are declared; these can be read but not called.
        tools = [{"name": name, "input_schema": {"type": "object"}} for name in sorted(tool_names)]
        return {"extra_body": {"tools": tools, "tool_choice": {"type": "none"}}}
    if provider.kind.startswith("openai") and not provider.key:
        from openai import Omit

        headers: dict[str, Any] = {"Authorization": Omit()}  # the client's own word for a header to leave out
        return {"extra_headers": headers}
    return {}
