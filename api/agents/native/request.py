"""One request to a provider's model: from messages to events. Imports pydantic-ai, so it is itself imported late."""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from msgspec.structs import replace
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from api.agents import failures
from api.agents.limits import Limits
from api.agents.native.calls import ToolRequest
from api.agents.native.models import left_out, settings_for
from api.agents.native.showing import Showing, shown
from api.agents.native.speech import Speech
from api.agents.provider import Provider
from api.agents.transport import WATCH, Watch
from api.domain import events as ev
from api.domain.parameters import Parameters

log = logging.getLogger(__name__)

_CREDIBLE_TOKENS = 1 << 53
_FAR_TOKENS = 4096

NOTHING_SET = Parameters()


class Request:
    """What is asked of a model. `continues`: the cut-off answer that this one goes on from, or empty.

    `window` is how many tokens the model can read, where that is known; `most_output` how many it may write, where a
    budget leaves few. `number` is that of the step, `taken` the ids that calls of the run have already. `showing` puts
    in what the messages show. Afterwards
    `response` is what the model said, `calls` what it asks for, and `usage` what that took; there is no response where
    it failed.
    """

    def __init__(
        self,
        provider: Provider,
        model: Model,
        messages: list[ModelMessage],
        *,
        limits: Limits,
        parameters: Parameters = NOTHING_SET,
        continues: str = "",
        tools: Sequence[ToolDefinition] = (),
        number: int = 1,
        taken: Iterable[str] = (),
        prefix: str = "",
        started: float | None = None,
        window: int | None = None,
        showing: Showing | None = None,
    ) -> None:
        self.provider = provider
        self.model = model
        self.messages = messages
        self.limits = limits
        self.parameters = parameters
        self.continues = continues
        self.tools = list(tools)
        self.number = number
        self.taken = set(taken)
        self.prefix = prefix
        self.started = time.monotonic() if started is None else started
        self.window = window
        self.showing = showing
        self.most_output: int | None = None
        self.response: ModelResponse | None = None
        self.calls: list[ToolRequest] = []
        self.usage: ev.Usage | None = None

    @property
    def settings(self) -> ModelSettings:
        parameters, most = self.parameters, self.most_output
        # More than a model can write is refused by some, so what is far away limits nothing yet.
        if most is not None and most < min(parameters.max_tokens or _FAR_TOKENS, _FAR_TOKENS):
            parameters = replace(parameters, max_tokens=most)
        if self.tools:
            return settings_for(self.provider, set(), parameters)
        responses = (m for m in self.messages if isinstance(m, ModelResponse))
        names = {part.tool_name for m in responses for part in m.parts if isinstance(part, ToolCallPart)}
        return settings_for(self.provider, names, parameters)


class ToolsRefused(Exception):
    """The model takes no tools. Nothing of an answer was shown."""


async def answer(request: Request) -> AsyncGenerator[ev.Event, None]:
    """Send the request, again after a refusal that may pass, and yield what comes of it.

    A request is sent again only while nothing of its answer has been shown. One that is refused because of what it
    shows is sent with words in its place.

    Raises:
        ToolsRefused: the same request may go through without tools.
    """
    if refused := left_out(request.provider, request.model, request.parameters):
        yield _ended(failures.parameter_refused(request.provider, request.model.model_name, refused[0]))
        return
    attempt = 1
    while True:
        speech = Speech(
            started=request.started,
            step=request.number,
            attempt=attempt,
            limits=request.limits,
            continues=request.continues,
            taken=request.taken,
            prefix=request.prefix,
        )
        try:
            async with aclosing(_attempt(request, speech)) as events:
                async for event in events:
                    for notice in request.showing.answered() if request.showing else ():
                        yield notice
                    yield event
            return
        except Exception as error:
            if request.tools and speech.is_empty and failures.is_about_tools(error):
                raise ToolsRefused from error
            if speech.is_empty and _goes_without_pictures(error, request):
                continue
            wait_s = _wait(error, request, speech, attempt)
            if wait_s is None:
                yield _ended(_explain(error, request, speech))
                return
        notice = f"{request.provider.name} is busy or out of order. Trying again in {max(1, round(wait_s))} s."
        for event in speech.open(ev.Notice(code="retrying", message=notice)):
            yield event
        await asyncio.sleep(wait_s)
        attempt += 1


def _goes_without_pictures(error: Exception, request: Request) -> bool:
    """Put words in place of what the request shows, if that may be why it was refused."""
    showing = request.showing
    if showing is None or not shown(request.messages):
        return False
    if not failures.is_about_pictures(error) or failures.refused_parameter(error, _names_set(request.parameters)):
        return False
    request.messages = showing.refuse(request.messages, failures.refusal(error, request.provider))
    return True


async def _attempt(request: Request, speech: Speech) -> AsyncGenerator[ev.Event, None]:
    WATCH.set(speech.watch)
    offered = ModelRequestParameters(function_tools=request.tools)
    messages = request.messages if request.showing is None else await request.showing.filled(request.messages)
    async with model_request_stream(
        request.model, messages, model_settings=request.settings, model_request_parameters=offered
    ) as stream:
        async with aclosing(_hear(stream, request.limits, speech)) as events:
            async for event in events:
                yield event
        for event in _ending(stream, request, speech):
            yield event


async def _hear(stream: StreamedResponse, limits: Limits, speech: Speech) -> AsyncGenerator[ev.Event, None]:
    pieces = aiter(stream)
    while (piece := await _next(pieces, limits, speech)) is not None:
        for event in speech.hear(piece):
            yield event
    for event in speech.rest():
        yield event


async def _next(pieces: AsyncIterator[Any], limits: Limits, speech: Speech) -> Any:
    """The next piece, or None after the last one."""
    left_s = speech.began + limits.answer_s - time.monotonic()
    async with asyncio.timeout(min(limits.wordless_s, max(0.0, left_s))):
        return await anext(pieces, None)


def _ending(stream: StreamedResponse, request: Request, speech: Speech) -> Iterator[ev.Event]:
    response, provider = stream.get(), request.provider
    request.usage = _usage(stream, provider)
    if speech.is_empty and response.finish_reason != "content_filter":
        yield _ended(failures.empty_answer(speech.watch, provider))
    elif response.finish_reason == "content_filter":
        yield _withheld(provider, response)
    elif _is_cut(stream, response, speech.watch, provider):
        yield _ended(failures.cut_off(provider))
    else:
        request.response, request.calls = response, speech.calls
        yield from _remarks(response, speech)


def _is_cut(stream: StreamedResponse, response: ModelResponse, watch: Watch, provider: Provider) -> bool:
    """Whether the stream ended without a word about why. pydantic-ai fills in a reason for the OpenAI-compatible."""
    if provider.kind in ("anthropic", "google"):
        return response.finish_reason is None
    return not watch.is_done and not (stream.provider_details or {}).get("finish_reason")


def _withheld(provider: Provider, response: ModelResponse) -> ev.Event:
    words = str((response.provider_details or {}).get("refusal") or "")[:300]
    said = f" It says: {words}" if words else ""
    message = f"{provider.name} withheld the answer.{failures.redact(said, provider)}"
    return _ended(ev.Failure("answer_withheld", message, "Put it in other words, or choose another model."))


def _remarks(response: ModelResponse, speech: Speech) -> Iterator[ev.Event]:
    if response.finish_reason == "length":
        message = "The model stopped at its longest output. Ask it to go on."
        yield from speech.open(ev.Notice(code="output_limit", message=message))
    elif not speech.has_text and not speech.calls:
        message = "The model reasoned but gave no answer."
        yield from speech.open(ev.Notice(code="only_reasoning", message=message))


def _usage(stream: StreamedResponse, provider: Provider) -> ev.Usage | None:
    """What the request took, or None where the provider says nothing that can be believed."""
    counted = stream.usage
    given, made = counted.input_tokens, counted.output_tokens
    if not all(isinstance(n, int) and 0 <= n < _CREDIBLE_TOKENS for n in (given, made)) or given + made == 0:
        return None
    cost = price(given, made, counted.cache_read_tokens or 0, model=stream.model_name, base_url=provider.base_url)
    return ev.Usage(input_tokens=given, output_tokens=made, cost=cost)


def price(given: int, made: int, cached: int, *, model: str, base_url: str) -> float | None:
    """US dollars for tokens in, out, and read from a cache; None where the price is not known.

    From the table that is installed; by the address, because a local model may bear the name of a paid one.
    """
    usage = PricedUsage(input_tokens=given, output_tokens=made, cache_read_tokens=cached)
    try:
        return float(calc_price(usage, model, provider_api_url=base_url).total_price)
    except (LookupError, ValueError):
        return None


def _wait(error: Exception, request: Request, speech: Speech, attempt: int) -> float | None:
    if not speech.is_empty or attempt > request.limits.retries:
        return None
    return failures.wait_before_retry(error, attempt=attempt, longest_s=request.limits.longest_wait_s)


def _explain(error: Exception, request: Request, speech: Speech) -> ev.Failure:
    said, provider = not speech.is_empty, request.provider
    if isinstance(error, TimeoutError):
        return failures.silent(provider, request.limits.wordless_s, said=said)
    if isinstance(error, UnexpectedModelBehavior) and not said:
        return failures.empty_answer(speech.watch, provider)
    if not said and (name := failures.refused_parameter(error, _names_set(request.parameters))):
        return failures.parameter_refused(provider, request.model.model_name, name, error)
    failure = failures.failure_of(error, provider, model=request.model.model_name, said=said)
    if failure is not None:
        return failure
    trace = failures.redact("".join(traceback.format_exception(error)), provider)
    log.error("agent.failed", extra={"agent": "native", "error": type(error).__name__, "trace": trace})
    return ev.Failure("agent_failed", "The answer broke off because of a fault in Fireside.", "Try again.")


def _names_set(parameters: Parameters) -> list[str]:
    return [name for name in parameters.__struct_fields__ if getattr(parameters, name) is not None]


def _ended(failure: ev.Failure) -> ev.RunEnded:
    return ev.RunEnded(outcome="failed", failure=failure)
