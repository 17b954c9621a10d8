"""A first request that goes nowhere, so that the first real one finds everything loaded. Run it in a thread."""

import asyncio
import json
import time

import httpx2
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart

from api.agents.limits import Limits
from api.agents.native.models import build_model
from api.agents.native.request import Request, answer, price
from api.agents.provider import HOME, Provider


def rehearse(provider: Provider) -> None:
    """Have a model of this kind answer one word from a canned response. Blocks for about 0.1 s; sends nothing."""
    asyncio.run(_rehearse(provider))


async def _rehearse(provider: Provider) -> None:
    stand_in = Provider(
        id=provider.id, kind=provider.kind, name="", base_url=HOME[provider.kind] or "http://x/v1", key="-"
    )
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(_answer)) as http:
        model = build_model(stand_in, "rehearsal", http)
        messages: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(content="Hello")], instructions="Hello")]
        async for _ in answer(Request(stand_in, model, messages, limits=Limits(retries=0))):
            pass
    price(1, 1, 0, model="gpt-4o", base_url=HOME["openai"])


def _answer(request: httpx2.Request) -> httpx2.Response:
    """An OpenAI-compatible stream; the other kinds take it for an empty answer, which loads them as well."""
    choice = {"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": int(time.time()), "model": "rehearsal"}
    body = f"data: {json.dumps({**chunk, 'choices': [choice], 'usage': usage})}\n\ndata: [DONE]\n\n"
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=body.encode())
