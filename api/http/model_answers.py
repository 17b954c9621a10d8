"""What answers about models, their providers, and what they cost carry; see `answers`."""

from typing import Literal

from pydantic import BaseModel

from api.http.bodies import Kind


class UsageDay(BaseModel):
    """What was spent on a day of the server's clock. `cost` in US dollars is that of all but `unpriced_tokens`."""

    day: str
    answers: int
    input_tokens: int
    output_tokens: int
    unpriced_tokens: int
    cost: float


class Budget(BaseModel):
    """What an answer, a session, and a day in all of them may take. What is absent is not limited."""

    answer_dollars: float | None = None
    answer_tokens: int | None = None
    chat_dollars: float | None = None
    chat_tokens: int | None = None
    day_dollars: float | None = None
    day_tokens: int | None = None


class UsageAnswer(BaseModel):
    """Days newest first; `began` is the first day that was counted, `today` the one it is for the server."""

    began: str
    today: str
    days: list[UsageDay]
    budget: Budget


class ModelFacts(BaseModel):
    """What is known of a model; what is absent is not. `window` in tokens, prices in US dollars for a million."""

    window: int | None = None
    tools: bool | None = None
    images: bool | None = None
    reasoning: bool | None = None
    input_price: float | None = None
    output_price: float | None = None


class Model(BaseModel):
    id: str
    name: str
    provider: str
    provider_name: str
    is_demo: bool
    is_hidden: bool
    facts: ModelFacts


class ModelProblem(BaseModel):
    """`code` and `facts` are what an error has."""

    provider: str
    code: str
    message: str
    facts: dict[str, int]


class Models(BaseModel):
    models: list[Model]
    default: str | None
    fallback: str | None
    problems: list[ModelProblem]


class Provider(BaseModel):
    """A connected provider. The key itself never leaves the server."""

    id: str
    kind: Kind
    name: str
    base_url: str | None
    key_set: bool
    key_last4: str | None
    from_environment: bool


class Providers(BaseModel):
    providers: list[Provider]


class FoundModel(BaseModel):
    id: str
    name: str


class ProviderTested(BaseModel):
    """`total` counts what the provider listed, which may be more than is shown."""

    ok: Literal[True]
    models: list[FoundModel]
    total: int
    took_ms: int


class ProviderSaved(BaseModel):
    provider: Provider
    models: list[FoundModel]
