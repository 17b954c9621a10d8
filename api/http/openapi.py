"""OpenAPI: the routes, and the events of a run as the domain declares them."""

import asyncio
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from fastapi import Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api import __version__
from api.commands.base import Effect
from api.domain import events as ev
from api.domain.transcript import Transcript
from api.http.answers import STREAMED
from api.http.rooms import reply
from api.http.routing import Route, describable

_REF = "#/components/schemas/{model}"
_EVENTS = (*get_args(ev.Event), *get_args(Effect), Transcript)


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole description, in a stable order."""
    app = describable(routes)
    document = get_openapi(
        title="Fireside",
        version=__version__,
        description="A self-hosted home for conversations with AI agents.",
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    _, schemas = msgspec.json.schema_components(_EVENTS, ref_template=_REF.format(model="{name}"))
    components = document.setdefault("components", {}).setdefault("schemas", {})
    _, streamed = models_json_schema([(model, "validation") for model in STREAMED], ref_template=_REF)
    components |= schemas | streamed["$defs"]
    for name in ("RunSnapshot", "Aside"):
        components[name]["properties"]["transcript"] = {"$ref": "#/components/schemas/Transcript"}
    asking = components["Asking"]["properties"]
    asking["approvals"]["items"] = {"$ref": "#/components/schemas/ApprovalRequested"}
    asking["question"] = {"anyOf": [{"$ref": "#/components/schemas/QuestionAsked"}, {"type": "null"}]}
    effects = [{"$ref": _REF.format(model=effect.__name__)} for effect in get_args(Effect)]
    components["Effects"]["properties"]["effects"] = {"type": "array", "items": {"anyOf": effects}}
    document["components"]["schemas"] = {
        name: schema for name, schema in sorted(components.items()) if "ValidationError" not in name
    }
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = _ERROR
    return document


async def openapi(request: Request) -> Response:
    """This description."""
    state = request.app.state
    if not hasattr(state, "description"):
        # In a thread: it takes long enough for every stream to falter.
        state.description = await asyncio.to_thread(describe, state.routes)
    return reply(state.description)


_ERROR = {
    "description": "A failure, explained.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
