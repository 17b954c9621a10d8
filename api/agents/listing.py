"""Asking a provider live which models it has. Imports httpx2, so it is itself imported when it is first used."""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import msgspec

from api.agents.facts import Facts, facts_in, with_table
from api.agents.failures import failure_of, redirected
from api.agents.limits import LISTING
from api.agents.provider import Provider
from api.agents.transport import new_client
from api.domain.errors import AppError, BadRequest
from api.domain.events import Failure

_TIME_LIMIT_S = 10.0
_PAGES = 20
_LONGEST_NAME = 200
MOST_MODELS = 1000
"""A list that is longer is cut here; any model's name can still be typed."""

_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|image|moderation|realtime|audio|transcribe|sora|babbage|davinci|rerank", re.IGNORECASE
)


class ProviderRefused(AppError):
    """It answered, and said no: the key, the account, the request."""

    status, code = 422, "provider_refused"


class ProviderUnreachable(AppError):
    status, code = 422, "provider_unreachable"


class ProviderNonsense(AppError):
    """Something answered that is no provider of models."""

    status, code = 422, "provider_nonsense"


class Model(msgspec.Struct, frozen=True):
    """`id` as the provider knows it, `name` as a person reads it, and what is known of it."""

    id: str
    name: str
    facts: Facts = Facts()


class Listing(msgspec.Struct, frozen=True):
    """`base_url`: the address that answered. `total`: how many there are; `models` holds the first `MOST_MODELS`."""

    base_url: str
    models: tuple[Model, ...]
    total: int
    took_ms: int


class _NoList(Exception):
    """There is a server, but no list at this address."""


async def list_models(provider: Provider, *, time_limit_s: float = _TIME_LIMIT_S) -> Listing:
    """What `provider` offers.

    An OpenAI-compatible address may have been given with or without its `/v1`; a server without a list is accepted
    when models were named by hand.

    Raises:
        ProviderRefused, ProviderUnreachable, ProviderNonsense: with a sentence that says what to do.
        BadRequest: `bad_address`, when the address leads on to another one.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(time_limit_s), new_client(LISTING) as http:
            base_url, models = await _first_answer(http, provider)
    except TimeoutError as error:
        message = f"{provider.name} did not answer within {time_limit_s:.0f} seconds. Is it running, and reachable?"
        raise ProviderUnreachable(message) from error
    kept = await asyncio.to_thread(_with_table, models[:MOST_MODELS], base_url)
    took_ms = int((time.monotonic() - started) * 1000)
    return Listing(base_url=base_url, models=tuple(kept), total=len(models), took_ms=took_ms)


def _with_table(models: list[Model], base_url: str) -> list[Model]:
    return [msgspec.structs.replace(one, facts=with_table(one.facts, one.id, base_url)) for one in models]


async def _first_answer(http: httpx2.AsyncClient, provider: Provider) -> tuple[str, list[Model]]:
    for base_url in _candidates(provider):
        try:
            return base_url, await _all_pages(http, provider, base_url)
        except _NoList:
            continue
    if provider.models:
        return provider.base_url, []
    message = (
        f"Something answers at {provider.base_url}, but no list of models. The address usually ends in /v1; "
        "where a server has no list, name a model by hand."
    )
    raise ProviderNonsense(message)


def _candidates(provider: Provider) -> list[str]:
    base_url = provider.base_url
    if not provider.kind.startswith("openai") or re.search(r"/v\d+\w*(/|$)", base_url):
        return [base_url]
    # The longer one first: what llama.cpp's server answers at both is better asked where everyone answers.
    return [f"{base_url}/v1", base_url]


async def _all_pages(http: httpx2.AsyncClient, provider: Provider, base_url: str) -> list[Model]:
    models: dict[str, Model] = {}
    page: dict[str, str] = {}
    for _ in range(_PAGES):
        document = await _page(http, provider, base_url, page)
        found = list(_models_in(document, provider))
        known = len(models)
        models |= {model.id: model for model in found}
        following = _next_page(document)
        if following is None or len(models) == known:
            break
        page = following
    return sorted(models.values(), key=lambda model: model.name.casefold())


async def _page(http: httpx2.AsyncClient, provider: Provider, base_url: str, page: dict[str, str]) -> dict[str, Any]:
    url, headers = _request(provider, base_url, page)
    try:
        response = await http.get(url, headers=headers)
        response.raise_for_status()
        document = msgspec.json.decode(response.content)
    except httpx2.HTTPStatusError as error:
        raise _refusal(error, provider) from error
    except msgspec.DecodeError as error:
        raise _NoList from error
    except Exception as error:
        # Somebody else's server, through somebody else's library: what cannot be explained is not swallowed.
        failure = failure_of(error, provider)
        if failure is None:
            raise
        raise _as_error(failure) from error
    if not isinstance(document, dict) or not isinstance(document.get("data", document.get("models")), list):
        raise _NoList
    return document


def _request(provider: Provider, base_url: str, page: dict[str, str]) -> tuple[str, dict[str, str]]:
    # As the libraries that answer with this provider ask, so that a list that is given shows that they will be heard.
    key = provider.key
    match provider.kind:
        case "anthropic":
            headers = {"Authorization": f"Bearer {key}", "anthropic-version": "2026-10-21"}
            return f"{base_url}/v1/models?{urlencode({'limit': '1000', **page})}", headers
        case "google":
            return f"{base_url}/v1/models?{urlencode({'pageSize': '1000', **page})}", {"x-goog-api-key": key}
        case _:
            return f"{base_url}/models", {"Authorization": f"Bearer {key}"} if key else {}


def _next_page(document: dict[str, Any]) -> dict[str, str] | None:
    if document.get("has_more") and isinstance(last := document.get("last_id"), str):
        return {"after_id": last}
    if isinstance(token := document.get("nextPageToken"), str) and token:
        return {"pageToken": token}
    return None


def _models_in(document: dict[str, Any], provider: Provider) -> Iterator[Model]:
    rows = document.get("data", document.get("models"))
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        model_id = str(row.get("id") or row.get("name") or "").removeprefix("models/")
        methods = row.get("supportedGenerationMethods")
        answers = not isinstance(methods, list) or "generateContent" in methods
        if answers and _is_usable(model_id) and not (provider.kind == "openai" and _NO_CHAT.search(model_id)):
            name = row.get("display_name") or row.get("displayName") or model_id
            yield Model(id=model_id, name=name if _is_usable(name) else model_id, facts=facts_in(row, provider.kind))


def _is_usable(name: object) -> bool:
    """Whether a name can be shown and sent back. Markup in it is no danger: the page writes names as text."""
    return isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()


def _refusal(error: httpx2.HTTPStatusError, provider: Provider) -> Exception:
    status = error.response.status_code
    if status in (404, 405, 501):
        return _NoList()
    if 300 <= status < 400:
        failure = redirected(provider, error.response.headers.get("location", ""))
        return BadRequest(f"{failure.message} {failure.hint}", code="bad_address", field="base_url")
    failure = failure_of(error, provider)
    assert failure is not None
    return _as_error(failure)


def _as_error(failure: Failure) -> AppError:
    text = f"{failure.message} {failure.hint}".strip()
    match failure.code:
        case "provider_unreachable" | "provider_silent" | "provider_cut" | "provider_failed":
            return ProviderUnreachable(text)
        case "provider_nonsense" | "answer_too_long":
            return ProviderNonsense(text)
        case _:
            return ProviderRefused(text)
