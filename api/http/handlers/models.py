"""Models and the providers they come from."""

import asyncio

from fastapi import Response

from api.agents.providers import public
from api.http.bodies import DefaultModel, FallbackModel, HideModel, ProviderDelete, ProviderSave, ProviderTest
from api.http.rooms import House, reply


async def list_models(house: House) -> Response:
    """Every model that can be used now, and which providers could not be asked."""
    return reply(await house.agents.catalog.models())


async def set_default(body: DefaultModel, house: House) -> Response:
    """Choose the model of new sessions."""
    await house.agents.catalog.choose_default(body.model)
    house.changes.note_topic("models")
    return reply({"ok": True})


async def set_fallback(body: FallbackModel, house: House) -> Response:
    """Choose the model to ask where another one fails before its first word."""
    await asyncio.to_thread(house.providers.set_fallback_model, body.model)
    house.changes.note_topic("models")
    return reply({"ok": True})


async def hide(body: HideModel, house: House) -> Response:
    """Offer a model no longer, or again."""
    await asyncio.to_thread(house.providers.hide_model, body.model, is_hidden=body.is_hidden)
    house.changes.note_topic("models")
    return reply({"ok": True})


async def list_providers(house: House) -> Response:
    """Connected providers, without their keys."""
    return reply({"providers": house.providers.list_public()})


async def test(body: ProviderTest, house: House) -> Response:
    """Ask a provider for its models. Stores nothing."""
    tested = await house.providers.test(body.kind, body.base_url, body.key, body.id, models=body.models)
    return reply({"ok": True, "models": tested.models, "total": tested.total, "took_ms": tested.took_ms})


async def save(body: ProviderSave, house: House) -> Response:
    """Connect a provider, once it has answered."""
    saved = await house.providers.save(body.kind, body.base_url, body.key, body.id, name=body.name, models=body.models)
    house.changes.note_topic("models")
    return reply({"provider": public(saved.provider), "models": saved.models})


async def delete(body: ProviderDelete, house: House) -> Response:
    """Disconnect a provider and forget its key."""
    await house.providers.delete(body.id)
    house.changes.note_topic("models")
    return reply({"ok": True})
