"""Every model that can be chosen, and which one is chosen when nobody does."""

import asyncio
import logging
import time
from typing import Any

import msgspec

from api.agents.provider import Provider
from api.agents.providers import Providers, ask
from api.domain.errors import AppError, BadRequest

log = logging.getLogger(__name__)

_FRESH_S = 60.0
_PROBLEM_FRESH_S = 5.0


class ModelRow(msgspec.Struct, frozen=True):
    """`id` is `<provider id>/<model name>`."""

    id: str
    name: str
    provider: str
    provider_name: str
    is_demo: bool = False


class Problem(msgspec.Struct, frozen=True):
    """Why the models of a provider are not listed, or not all of them. `message` is a sentence."""

    provider: str
    message: str


class Models(msgspec.Struct, frozen=True):
    models: list[ModelRow]
    default: str | None
    problems: list[Problem]


class _Kept(msgspec.Struct):
    at: float
    rows: list[ModelRow]
    problem: Problem | None
    fresh_s: float


class Catalog:
    """`own` are the models of this server itself; `own_problems` says why one of them is missing."""

    def __init__(self, providers: Providers, own: list[ModelRow], own_problems: list[Problem] | None = None) -> None:
        self._providers = providers
        self._own = own
        self._own_problems = own_problems or []
        self._kept: dict[Provider, _Kept] = {}

    async def models(self, *, fresh: bool = False) -> Models:
        """All models, each provider asked at the same time and at most once a minute unless `fresh`.

        A provider that does not answer is a problem, not an error; what it last listed is still there.
        """
        connected = self._providers.all()
        kept = await asyncio.gather(*(self._of(provider, fresh=fresh) for provider in connected))
        self._kept = {provider: one for provider, one in self._kept.items() if provider in connected}
        rows = [row for one in kept for row in one.rows]
        problems = [one.problem for one in kept if one.problem] + self._own_problems
        if self._providers.environment_problem:
            problems.append(Problem(provider="environment", message=self._providers.environment_problem))
        return Models(models=rows + self._own, default=self._default(rows), problems=problems)

    async def default_model(self) -> str | None:
        """The model of a session that names none. Asks providers only when there is neither setting nor choice."""
        certain = self._providers.environment_model or self._chosen()
        return certain or (await self.models()).default

    async def choose_default(self, model: str) -> None:
        """Make `model` the default.

        Raises:
            BadRequest: no connected provider has it. A name that its provider does not list is allowed.
        """
        provider_id, _, name = model.partition("/")
        known = any(row.id == model for row in self._own) or self._providers.find(provider_id) is not None
        if not (known and name) or len(model) > 300:
            message = "That model belongs to no connected provider. Choose one of the list."
            raise BadRequest(message, code="unknown_model", field="model")
        await self._providers.choose_default(model)

    def _default(self, rows: list[ModelRow]) -> str | None:
        first = rows[0].id if rows else self._own[0].id if self._own else None
        return self._providers.environment_model or self._chosen() or first

    def _chosen(self) -> str | None:
        """What the person chose, while it is still connected."""
        model = self._providers.default_model
        if model is None:
            return None
        provider_id = model.partition("/")[0]
        is_own = any(row.id == model for row in self._own)
        return model if is_own or self._providers.find(provider_id) is not None else None

    async def _of(self, provider: Provider, *, fresh: bool) -> _Kept:
        kept = self._kept.get(provider)
        if kept is not None and not fresh and time.monotonic() - kept.at < kept.fresh_s:
            return kept
        try:
            listing = await ask(provider)
            names = {model.id: model.name for model in listing.models}
            problem, fresh_s = _cut_short(provider, listing.total, len(names)), _FRESH_S
        except AppError as error:
            names = {row.id.partition("/")[2]: row.name for row in kept.rows} if kept else {}
            problem, fresh_s = Problem(provider=provider.id, message=error.message), _PROBLEM_FRESH_S
            log.warning("provider.list_failed", extra={"provider": provider.id, "code": error.code})
        names = {**{name: name for name in provider.models}, **names}
        rows = [_row(provider, model_id, name) for model_id, name in names.items()]
        self._kept[provider] = _Kept(at=time.monotonic(), rows=rows, problem=problem, fresh_s=fresh_s)
        return self._kept[provider]


def _row(provider: Provider, model_id: str, name: Any) -> ModelRow:
    return ModelRow(id=f"{provider.id}/{model_id}", name=str(name), provider=provider.id, provider_name=provider.name)


def _cut_short(provider: Provider, total: int, shown: int) -> Problem | None:
    if total <= shown:
        return None
    message = f"{provider.name} lists {total} models; the first {shown} are shown. Any other can be typed by its name."
    return Problem(provider=provider.id, message=message)
