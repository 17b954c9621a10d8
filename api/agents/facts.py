"""What is known of a model: what its provider's list says, and what stands in the table that is installed."""

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from api.agents.provider import Kind

_MOST_TOKENS = 1 << 31


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """None is not known. `window`: tokens that it reads; prices in US dollars for a million tokens in and out."""

    window: int | None = None
    tools: bool | None = None
    images: bool | None = None
    reasoning: bool | None = None
    input_price: float | None = None
    output_price: float | None = None


def facts_in(row: dict[str, Any], kind: Kind) -> Facts:
    """What an entry of a provider's list says, in any of the ways that are about."""
    said, heard = (
        _texts(row.get("supported_parameters")),
        _texts(_dict(row.get("architecture")).get("input_modalities")),
    )
    able = _dict(row.get("capabilities"))
    return Facts(
        window=next(_windows(row), None),
        tools=_first(kind != "openai_compatible" or None, _has(said, "tools"), able.get("function_calling")),
        images=_first(_has(heard, "image"), able.get("vision"), _supported(able.get("image_input"))),
        reasoning=_first(
            _has(said, "reasoning"), able.get("reasoning"), _supported(able.get("thinking")), row.get("thinking")
        ),
    )


def with_table(facts: Facts, name: str, base_url: str) -> Facts:
    """`facts`, and what the installed table adds to them. The first time loads the table, which takes half a second.

    By the address, because a local model may bear the name of a paid one.
    """
    if _is_local(base_url):
        return facts
    from genai_prices import Usage, calc_price

    try:
        asked = calc_price(Usage(input_tokens=1000), name, provider_api_url=base_url)
        answered = calc_price(Usage(output_tokens=1000), name, provider_api_url=base_url)
    except (LookupError, ValueError):
        return facts
    return msgspec.structs.replace(
        facts,
        window=facts.window or asked.model.context_window,
        input_price=float(asked.total_price) * 1000,
        output_price=float(answered.total_price) * 1000,
    )


def _windows(row: dict[str, Any]) -> Iterator[int]:
    names = ("loaded_context_length", "max_model_len", "context_length", "context_window", "max_context_length")
    values = [row.get(name) for name in (*names, "inputTokenLimit", "max_input_tokens")]
    meta = _dict(row.get("meta"))
    for value in [*values, meta.get("n_ctx"), meta.get("n_ctx_train")]:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS:
            yield value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _has(names: list[Any] | None, name: str) -> bool | None:
    return None if names is None else name in names


def _supported(value: Any) -> Any:
    return _dict(value).get("supported")


def _first(*values: Any) -> bool | None:
    return next((value for value in values if isinstance(value, bool)), None)


def _is_local(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan"))
