"""What went wrong with a provider, as a sentence for a person. Keys never get into it."""

import errno
import json
import re
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2

from api.agents.provider import Provider
from api.agents.redacting import without_keys
from api.agents.transport import AnswerCompressed, AnswerTooBig, Watch
from api.domain.events import Failure

_SETTINGS = "Check the address and the key in Settings, then try again."
_KEEPS = "What came is kept. Continue goes on from there."
# Providers that give this refusal no code of its own say it in these words.
_TOO_LONG = re.compile(
    r"prompt is too long|maximum context length|available context size|token count .{0,40}exceeds", re.IGNORECASE
)
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


def failure_of(error: BaseException, provider: Provider, *, model: str = "", said: bool = False) -> Failure | None:
    """Why a request to `provider` failed, or None for an error that nothing outside explains: a fault of ours.

    `said`: whether some of the answer had come.
    """
    chain = list(_chain(error))
    for one in chain:
        if status := _status(one):
            return _of_status(one, status, provider, model)
    for explain in (_of_transport, _of_content, _of_library):
        for one in chain:
            if failure := explain(one, provider, said=said):
                return failure
    return None


def wait_before_retry(error: BaseException, *, attempt: int, longest_s: float) -> float | None:
    """Seconds to wait before the request is sent again, or None when that would not help.

    Only for a request of which nothing was answered yet.
    """
    chain = list(_chain(error))
    asked = next((a for one in chain if isinstance(a := getattr(one, "retry_after", None), int | float)), None)
    status = next((s for one in chain if (s := _status(one))), None)
    if any("Quota" in type(one).__name__ for one in chain):
        return None
    if status is None and not any(isinstance(one, httpx2.RemoteProtocolError | httpx2.ReadError) for one in chain):
        return None
    if status is not None and status not in _RETRIED:
        return None
    usual_s = 0.5 * 4 ** (attempt - 1)
    wait_s = usual_s if asked is None else max(asked, usual_s)
    return wait_s if wait_s <= longest_s else None


def is_about_tools(error: BaseException) -> bool:
    """Does a provider refuse a request because of the tools in it?"""
    for one in _chain(error):
        if _status(one) in (400, 404, 422, 500, 501) and re.search(
            r"(?i)\btools?\b|tool_choice|function.call", _told(one)
        ):
            return True
    return False


def is_about_pictures(error: BaseException) -> bool:
    """May a provider refuse a request because of the pictures or documents in it? Many do not say so."""
    for one in _chain(error):
        status, told = _status(one), _told(one)
        if status in (400, 413, 415, 422):
            code = getattr(one, "provider_error_code", "")
            is_too_long = _TOO_LONG.search(told) or re.search(r"(?i)context.(length|window)", told)
            return code != "context_length_exceeded" and not is_too_long
        if status in (404, 500, 501):  # as some say it of whole models
            return bool(re.search(r"(?i)\b(images?|vision|multi-?modal|mmproj|documents?|pdf)\b", told))
    return False


def refusal(error: BaseException, provider: Provider) -> str:
    """A sentence about what a provider refused a request with."""
    words = next((said for one in _chain(error) if (said := _words(_body(one), provider))), "")
    return f"{provider.name} did not take it.{f' It says: {words}' if words else ''}"


_SPELLINGS = {
    "temperature": r"temperature",
    "top_p": r"top_?p\b",
    "max_tokens": r"max_?(output_?|completion_?)?tokens",
    "effort": r"reasoning|thinking|effort",
}
_SPOKEN = {
    "temperature": "temperature",
    "top_p": "top P",
    "max_tokens": "longest answer",
    "effort": "reasoning effort",
}


def refused_parameter(error: BaseException, names: list[str]) -> str | None:
    """Which of the parameters `names` a provider refuses a request for, or None where it is for something else."""
    told = [_told(one) for one in _chain(error) if _status(one) in (400, 422)]
    return next((name for name in names if any(re.search(f"(?i){_SPELLINGS[name]}", words) for words in told)), None)


def parameter_refused(provider: Provider, model: str, name: str, error: BaseException | None = None) -> Failure:
    """`error` is what the provider said, where it was asked."""
    words = next((w for one in _chain(error) if (w := _words(_body(one), provider))), "") if error else ""
    said = f" {provider.name} says: {words}" if words else ""
    message = f"{model} does not take the {_SPOKEN[name]} that is set for this chat.{said}"
    return Failure("parameter_refused", message, "Change or clear it in the settings of the chat, then try again.")


def _told(error: BaseException) -> str:
    return f"{_sentence_in(_body(error))} {error}"


def empty_answer(watch: Watch, provider: Provider) -> Failure:
    """Why a response that was accepted held no word of an answer."""
    body = watch.head.decode(errors="replace").strip()
    if "html" in watch.kind or body.startswith("<"):
        return _nonsense(provider, "a web page")
    if words := _words_in(body, provider):
        return Failure("provider_failed", f"{provider.name} reports a problem: {words}", "Try again in a moment.")
    if body and not body.startswith(("data:", ":", "event:", "id:", "retry:")):
        return _nonsense(provider, "something that is no answer of a model")
    hint = "Try again, put it in other words, or choose another model."
    return Failure("empty_answer", "The model ended its answer without a word.", hint)


def cut_off(provider: Provider) -> Failure:
    return Failure("provider_cut", f"{provider.name} broke off in the middle of the answer.", _KEEPS)


def silent(provider: Provider, seconds: float, *, said: bool) -> Failure:
    message = f"{provider.name} said nothing for {_duration(seconds)}."
    return Failure("provider_silent", message, _KEEPS if said else "Try again, or choose another model.")


def too_long(what: str) -> Failure:
    return Failure("answer_too_long", f"The answer was stopped: it passed {what}.", _KEEPS)


def redact(text: str, provider: Provider) -> str:
    """`text` without the key, nor anything that is written like one."""
    if len(provider.key) >= 8:
        text = text.replace(provider.key, "[key]")
    return without_keys(text)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _status(error: BaseException) -> int | None:
    """The HTTP status that `error` carries, wherever the library that raised it keeps it."""
    found = (
        getattr(error, "status_code", None),
        getattr(error, "code", None),
        getattr(_response(error), "status_code", None),
    )
    return next((status for status in found if isinstance(status, int) and 300 <= status < 600), None)


def _response(error: BaseException) -> Any:
    return getattr(error, "response", None)


def _body(error: BaseException) -> Any:
    if (body := getattr(error, "body", None)) is not None:
        return body
    response = _response(error)
    if not isinstance(response, httpx2.Response) or not response.is_closed:
        return None
    try:
        return response.json()
    except (ValueError, httpx2.StreamError):
        return response.text if response.is_stream_consumed else None


def _of_status(error: BaseException, status: int, provider: Provider, model: str) -> Failure:
    name = provider.name
    words = _words(_body(error), provider)
    said = f" It says: {words}" if words else ""
    code = str(getattr(error, "provider_error_code", "") or "")
    if 300 <= status < 400:
        return redirected(provider, _location(error))
    if status in (401, 403):
        refused = f"{name} did not accept the key." if provider.key else f"{name} asks for a key."
        return Failure("key_refused", refused + said, "Put the right key into Settings, then try again.")
    if status == 402 or "quota" in code:
        return Failure(
            "quota_used_up", f"{name} says that the account has nothing left.{said}", "Look at the account there."
        )
    if status == 429:
        return _rate_limited(error, provider, said)
    if status == 404:
        what = f"the model {model!r}" if model else "that address"
        return Failure("model_not_found", f"{name} does not know {what}.{said}", "Choose another model.")
    if code == "context_length_exceeded" or status == 413 or (status in (400, 422) and _TOO_LONG.search(words)):
        hint = "Start a new session, or choose a model that reads more."
        return Failure("context_too_long", f"This conversation is longer than the model can read.{said}", hint)
    if status >= 500:
        hint = "This is on their side. Try again in a moment, or choose another model."
        return Failure("provider_failed", f"{name} is out of order (status {status}).{said}", hint)
    return Failure("provider_refused", f"{name} refused the request (status {status}).{said}", "Try another model.")


def _location(error: BaseException) -> str:
    for one in _chain(error):
        headers = getattr(one, "headers", None) or getattr(_response(one), "headers", None) or {}
        if location := headers.get("location"):
            return location
    return ""


def redirected(provider: Provider, target: str) -> Failure:
    host = urlsplit(target).netloc.rpartition("@")[2]
    to = f" to {_clean(host, provider)}" if host else " to another address"
    message = f"{provider.name} sends us on{to}, and keys are only sent where a person put them."
    return Failure("provider_redirects", message, "If that address is right, put it into Settings.")


def _rate_limited(error: BaseException, provider: Provider, said: str) -> Failure:
    after = next((a for one in _chain(error) if isinstance(a := getattr(one, "retry_after", None), int | float)), None)
    when = f"in {_duration(after)}" if after is not None and 0 < after < 86_400 else "later"
    message = f"{provider.name} takes no more requests for now.{said}"
    return Failure("rate_limited", message, f"Try again {when}, or choose another model.")


def _of_transport(error: BaseException, provider: Provider, *, said: bool) -> Failure | None:
    name = provider.name
    if isinstance(error, AnswerTooBig):
        return too_long("the largest size that is read")
    if isinstance(error, AnswerCompressed):
        return _nonsense(provider, "compressed data that was not asked for")
    if isinstance(error, ssl.SSLError):
        reason = redact(error.reason or type(error).__name__, provider).replace("_", " ").lower()
        return _unreachable(f"No safe connection to {name} could be made: {reason}.")
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return _unreachable(f"{name} could not be reached in time.")
    if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout):
        return silent(provider, _timeout_s(error), said=said)
    if isinstance(error, httpx2.ConnectError):
        return _of_connect_error(error, provider)
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return _unreachable(f"The address of {name} cannot be used.")
    if isinstance(error, httpx2.TransportError):
        return cut_off(provider) if said else _unreachable(f"{name} hung up without an answer.")
    return None


def _of_connect_error(error: httpx2.ConnectError, provider: Provider) -> Failure:
    host = httpx2.URL(provider.base_url).netloc.decode()
    for one in _chain(error):
        if isinstance(one, ssl.SSLError):
            return _of_transport(one, provider, said=False) or _unreachable(f"{provider.name} cannot be reached.")
        if isinstance(one, OSError) and one.errno == errno.ECONNREFUSED:
            return _unreachable(f"Nothing answers at {host}. Is {provider.name} running there?")
    if "refused" in str(error) or "All connection attempts failed" in str(error):
        return _unreachable(f"Nothing answers at {host}. Is {provider.name} running there?")
    return _unreachable(f"{host} cannot be found or reached from this machine.")


def _of_content(error: BaseException, provider: Provider, *, said: bool) -> Failure | None:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | httpx2.DecodingError):
        return _nonsense(provider, "something that is no answer of a model", said=said)
    return None


def _of_library(error: BaseException, provider: Provider, *, said: bool) -> Failure | None:
    if type(error).__module__.startswith(("pydantic_core", "pydantic_ai", "openai", "anthropic", "google.genai")):
        words = _words(_body(error), provider) or _words(str(error), provider)
        return Failure("provider_failed", f"{provider.name} reports a problem: {words}", _KEEPS if said else _SETTINGS)
    return None


def _unreachable(message: str) -> Failure:
    return Failure("provider_unreachable", message, "Check the address and your network, then try again.")


def _nonsense(provider: Provider, what: str, *, said: bool = False) -> Failure:
    hint = _KEEPS if said else "Is this the address of its API? It usually ends in /v1."
    return Failure("provider_nonsense", f"{provider.name} answered with {what}.", hint)


def _timeout_s(error: Exception) -> float:
    request = getattr(error, "_request", None)
    return float(request.extensions.get("timeout", {}).get("read") or 0) if request is not None else 0.0


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "too long"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _words_in(body: str, provider: Provider) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    return _words(value, provider) if isinstance(value, dict) and value.get("error") else ""


def _words(body: Any, provider: Provider) -> str:
    """The provider's own sentence, without markup, control characters and keys; at most 300 characters."""
    text = _sentence_in(body)
    if re.search(r"<(!doctype|html|head|body)\b", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        text = title[1] if title else "a web page"
    text = _clean(text, provider)
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _clean(text: str, provider: Provider) -> str:
    visible = "".join(c if c.isprintable() else " " for c in text[:10_000])
    text = redact(" ".join(visible.split()), provider)
    return text if len(text) <= 300 else text[:299] + "…"


def _sentence_in(body: Any, depth: int = 0) -> str:
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    if isinstance(body, str):
        return body
    if isinstance(body, list) and body and depth < 4:
        return _sentence_in(body[0], depth + 1)
    if isinstance(body, dict) and depth < 4:
        for field in ("error", "message", "detail", "error_message"):
            if body.get(field):
                return _sentence_in(body[field], depth + 1)
    return ""
