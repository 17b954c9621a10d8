"""Every model that can be chosen, and which one is chosen when nobody does."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from api.agents.facts import Facts
from api.agents.provider import Provider, split_model
from api.agents.providers import Providers, ask
from api.domain.errors import AppError

log = logging.getLogger(__name__)

_FRESH_S = 60.0
_PROBLEM_FRESH_S = 5.0


class ModelRow(msgspec.Struct, frozen=True):
    """`id` is `<provider id>/<model name>`. `is_hidden`: a person does not want to be offered it."""

    id: str
    name: str
    provider: str
    provider_name: str
    is_demo: bool = False
    is_hidden: bool = False
    facts: Facts = Facts()


class Problem(msgspec.Struct, frozen=True):
    """Why the models of a provider are not listed, or not all of them.

    `message` is a sentence; `code`, as of an error, and the numbers in it, `facts`, are for saying it in other words.
    """

    provider: str
    code: str
    message: str
    facts: dict[str, int] = msgspec.field(default_factory=dict)


class Models(msgspec.Struct, frozen=True):
    models: list[ModelRow]
    default: str | None
    fallback: str | None
    problems: list[Problem]


class _Kept(msgspec.Struct):
    at: float
    rows: list[ModelRow]
    problem: Problem | None
    fresh_s: float


class _Known(NamedTuple):
    """A model as it is listed."""

    id: str
    name: str
    facts: Facts = Facts()


class Catalog:
    """`own` are the models of this server itself; `own_problems` says why one of them is missing.

    `programs` tells which agents there are that are programs of their own; it may look at the disk.
    """

    def __init__(
        self,
        providers: Providers,
        own: list[ModelRow],
        own_problems: list[Problem] | None = None,
        *,
        programs: Callable[[], list[ModelRow]] = list,
    ) -> None:
        self._providers = providers
        self._own = own
        self._own_problems = own_problems or []
        self._programs = programs
        self._kept: dict[Provider, _Kept] = {}

    async def models(self, *, fresh: bool = False) -> Models:
        """All models, each provider asked at the same time and at most once a minute unless `fresh`.

        A provider that does not answer is a problem, not an error; what it last listed is still there.
        """
        connected = self._providers.all()
        kept = await asyncio.gather(*(self._of(provider, fresh=fresh) for provider in connected))
        self._kept = {provider: one for provider, one in self._kept.items() if provider in connected}
        programs = await asyncio.to_thread(self._programs)
        rows = [row for one in kept for row in one.rows]
        problems = [one.problem for one in kept if one.problem] + self._own_problems
        if self._providers.environment_problem:
            message = self._providers.environment_problem
            problems.append(Problem(provider="environment", code="environment_unusable", message=message))
        hidden = self._providers.hidden_models
        every = [replace(row, is_hidden=row.id in hidden) for row in rows + self._own + programs]
        return Models(models=every, default=self._default(), fallback=self.fallback_model(), problems=problems)

    def facts_of(self, model: str) -> Facts:
        """What is known of a model since its provider was last asked."""
        rows = (row for one in self._kept.values() for row in one.rows)
        return next((row.facts for row in rows if row.id == model), Facts())

    def fallback_model(self) -> str | None:
        """The model to ask where another one fails before its first word, while its provider is connected."""
        model = self._providers.fallback_model
        return model if model and self._providers.find(split_model(model)[0]) is not None else None

    async def default_model(self) -> str | None:
        """The model of a session that names none: the environment's, else the person's, else the first, else the demo.

        Asks providers only when the first of them names no model and was never asked.
        """
        first = next(iter(self._providers.all()), None)
        if self._certain() is None and first is not None and self._first_of(first) is None:
            await self.models()
        return self._default()

    def _default(self) -> str | None:
        first = next(filter(None, map(self._first_of, self._providers.all())), None)
        return self._certain() or first or (self._own[0].id if self._own else None)

    def _certain(self) -> str | None:
        return self._providers.environment_model or self._chosen()

    async def choose_default(self, model: str) -> None:
        """Make `model` the default. Raises as `Providers.set_default_model` does."""
        await asyncio.to_thread(self._providers.set_default_model, model)

    def _chosen(self) -> str | None:
        """What the person chose, while it is still there to be used."""
        model = self._providers.default_model
        if model is None:
            return None
        is_own = any(row.id == model for row in [*self._own, *self._programs()])
        return model if is_own or self._providers.find(split_model(model)[0]) is not None else None

    def _first_of(self, provider: Provider) -> str | None:
        """The first model of a provider: as it was last listed, or as it was when the provider was connected."""
        kept = self._kept.get(provider)
        if kept is not None and kept.rows:
            return kept.rows[0].id
        name = next(iter(provider.models), provider.first_model)
        return f"{provider.id}/{name}" if name else None

    async def _of(self, provider: Provider, *, fresh: bool) -> _Kept:
        kept = self._kept.get(provider)
        if kept is not None and not fresh and time.monotonic() - kept.at < kept.fresh_s:
            return kept
        try:
            listing = await ask(provider)
            names = {model.id: model for model in listing.models}
            problem, fresh_s = _cut_short(provider, listing.total, len(names)), _FRESH_S
        except AppError as error:
            names = (
                {name: _Known(name, row.name, row.facts) for row in kept.rows if (name := split_model(row.id)[1])}
                if kept
                else {}
            )
            problem, fresh_s = Problem(provider.id, error.code, error.message), _PROBLEM_FRESH_S
            log.warning("provider.list_failed", extra={"provider": provider.id, "code": error.code})
        names = {**{name: _Known(name, name) for name in provider.models}, **names}
        rows = [_row(provider, model) for model in names.values()]
        self._kept[provider] = _Kept(at=time.monotonic(), rows=rows, problem=problem, fresh_s=fresh_s)
        return self._kept[provider]


def _row(provider: Provider, model: Any) -> ModelRow:
    return ModelRow(
        id=f"{provider.id}/{model.id}",
        name=model.name,
        provider=provider.id,
        provider_name=provider.name,
        facts=model.facts,
    )


def _cut_short(provider: Provider, total: int, shown: int) -> Problem | None:
    if total <= shown:
        return None
    message = f"{provider.name} lists {total} models; the first {shown} are shown. Any other can be typed by its name."
    return Problem(provider.id, code="list_cut_short", message=message, facts={"total": total, "shown": shown})
