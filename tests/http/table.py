"""The table of routes as tests read it: which bodies a route takes, and one that would be good."""

import typing
from typing import Any

from pydantic import BaseModel

from api.http.answers import Error
from api.http.bodies import FromWorkspace
from api.routes import ROUTES

GOOD = {
    "session_id": "0" * 32,
    "stream_id": "run-" + "0" * 32,
    "id": "nobody",
    "title": "A title",
    "pinned": True,
    "archived": True,
    "message": "A message",
    "model": "scripted/script",
    "kind": "openai_compatible",
    "code": "no-code",
    "token": "no-token",
    "message_id": "msg-nobody",
    "message_ids": ["msg-nobody"],
    "before": None,
    "path": None,
    "version": 1,
    "project_id": "project-0000000000000000",
    "task_id": "task-0000",
    "tags": ["a"],
    "text": "/nothing",
    "name": "A name",
    "question": "A question",
    "command": "/no/such/program",
    "prompt": "A prompt",
    "approval_id": "approval-nothing",
    "arguments_sha256": "0" * 64,
    "choice": "once",
    "mode": "ask",
    "question_id": "question-1",
    "rule_id": "rule-nothing",
    "revision": 0,
    "is_hidden": True,
    "is_on": True,
    "servers": [],
}
"""Values that are right by their form; none of them names anything that exists."""
GOOD_FOR: dict[type[BaseModel], dict[str, Any]] = {FromWorkspace: {"path": "notes.txt"}}
"""Where a field means something else than in other bodies."""


def body_of(handler: Any) -> type[BaseModel] | None:
    """The model of the body that a route's handler takes."""
    return typing.get_type_hints(handler).get("body")


BODIES: dict[str, type[BaseModel]] = {
    route.path: model for route in ROUTES if (model := body_of(route.handler)) is not None
}
"""Every route that takes a body, and the model of it."""

READING = [route.path for route in ROUTES if route.method == "GET"]


def good_body(model: type[BaseModel]) -> dict[str, Any]:
    good = GOOD | GOOD_FOR.get(model, {})
    return {name: good[name] for name, field in model.model_fields.items() if field.is_required()}


def check_error(status: int, body: dict[str, Any]) -> Error:
    """The one shape of every failure."""
    error = Error.model_validate(body, strict=True)
    assert 400 <= status < 500, body
    assert error.code.isascii() and error.code == error.code.lower() and error.code.replace("_", "").isalnum()
    assert error.error[0].isupper() and error.error[-1] in ".!", error.error
    assert "Traceback" not in error.error and "pydantic" not in error.error
    return error
