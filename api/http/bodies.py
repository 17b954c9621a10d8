"""The bodies of requests, as types.

They are strict: a number is no text and `true` is no number. Unknown fields are ignored and never stored.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.domain.approvals import Mode
from api.domain.attachments import MOST_WITH_A_MESSAGE
from api.domain.ids import is_safe_id
from api.domain.messages import clean_text
from api.domain.parameters import Effort

MAX_TITLE = 300


def _safe_id(value: str) -> str:
    if not is_safe_id(value):
        raise ValueError("this cannot be an id")
    return value


def _plain(value: str) -> str:
    # Whatever is written in C reads a text with a NUL as a shorter one.
    if "\x00" in value:
        raise ValueError("this cannot have a NUL in it")
    return value


Id = Annotated[str, AfterValidator(_safe_id), Field(max_length=128)]
Plain = Annotated[str, AfterValidator(_plain)]
Prose = Annotated[str, AfterValidator(clean_text)]
MessageRef = Annotated[str, Field(min_length=1, max_length=300)]
"""An id that is looked for among messages and never becomes a path: documents from elsewhere have ids of any form."""

ModelId = Annotated[Plain, Field(min_length=1, max_length=300)]
Attached = Annotated[list[Id], Field(max_length=MOST_WITH_A_MESSAGE)]
Revision = Annotated[int, Field(ge=0, le=2**53)]
Name = Annotated[Plain, Field(min_length=1, max_length=100)]
Folder = Annotated[Plain, Field(max_length=4096)]
Kind = Literal["openai_compatible", "openai", "anthropic", "google"]


class Request(BaseModel):
    """What every change may carry: an id that makes repeating it harmless."""

    model_config = ConfigDict(strict=True, extra="ignore")

    request_id: str | None = Field(None, max_length=128)


class Parameters(BaseModel):
    """What is absent or null is left to the model."""

    model_config = ConfigDict(strict=True, extra="ignore")

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=2**31)
    effort: Effort | None = None


class NewSession(Request):
    workspace: Folder | None = None
    model: ModelId | None = None
    agent: Name | None = None
    project_id: Id | None = None
    profile: Name | None = None
    system_prompt: Prose | None = Field(None, max_length=100_000)
    parameters: Parameters | None = None
    approval_mode: Mode | None = None


class OneSession(Request):
    session_id: Id


class OneFile(Request):
    name: str = Field(min_length=1, max_length=300)


class Change(OneSession):
    """`revision` is what the client saw; another one by now is a conflict."""

    revision: Revision | None = None


class Rename(Change):
    title: Prose = Field(min_length=1, max_length=MAX_TITLE)


class Pin(Change):
    pinned: bool


class Archive(Change):
    archived: bool


class QueueAdd(OneSession):
    """`message` may be empty where there are `attachments`, which are ids."""

    message: Prose
    message_id: Id | None = None
    model: ModelId | None = None
    agent: Name | None = None
    attachments: Attached = Field(default_factory=list)


class ChatStart(QueueAdd):
    workspace: Folder | None = None


class Steer(OneSession):
    text: Prose
    message_id: Id | None = None


class QueueEdit(OneSession):
    """`revision` is the one of the message that the client saw; another one by now is a conflict.

    Without `attachments` it has those that it had.
    """

    message_id: Id
    message: Prose
    attachments: Attached | None = None
    revision: Revision | None = None


class QueueReorder(OneSession):
    """`before` is the message to wait before; null is after all."""

    message_id: Id
    before: Id | None


class QueueDelete(OneSession):
    message_ids: list[Id] = Field(min_length=1, max_length=100)


class ChooseFolder(Change):
    """`path` in full, or from `~` on; null is no folder."""

    path: Folder | None


class ApprovalMode(Change):
    mode: Mode


class ChatSettings(Change):
    """Both are replaced as a whole; an empty `system_prompt` is none."""

    system_prompt: Prose = Field("", max_length=100_000)
    parameters: Parameters = Field(default_factory=Parameters)


class Approve(Request):
    """`arguments_sha256` is that of the request that was shown. `note` is a word to the agent."""

    approval_id: Id
    arguments_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    choice: Literal["once", "session", "always", "deny"]
    note: Prose = Field("", max_length=4000)


class Answer(Request):
    stream_id: Id
    question_id: Name
    text: Prose


class FilesRestore(OneSession):
    """`stream_id` is the run before which the files were as they are to be. `force`: also where others changed them."""

    stream_id: Id
    force: bool = False


class MemoryPut(Request):
    """`revision` is that of the memory that was shown."""

    text: Prose = Field(max_length=100_000)
    revision: Revision


class RuleRevoke(Request):
    rule_id: Id


class TurnChange(Change):
    """`message_id` is the message of the turn that is meant, by default the last one; another by now is a conflict."""

    message_id: MessageRef | None = None


class Again(TurnChange):
    model: ModelId | None = None


class ChatEdit(Change):
    """`message_id` is the message to replace, `new_message_id` the id of the new one.

    Without `attachments` it has those of the one that it replaces.
    """

    message_id: MessageRef
    message: Prose
    attachments: Attached | None = None
    new_message_id: Id | None = None
    model: ModelId | None = None
    agent: Name | None = None


class Copy(OneSession):
    title: Prose | None = Field(None, min_length=1, max_length=MAX_TITLE)


class Branch(Copy):
    """Up to `message_id`, that one included; without it, all of the session."""

    message_id: MessageRef | None = None


class Truncate(Change):
    message_id: MessageRef


class ChooseVersion(Truncate):
    """`version` counts from 1, the oldest."""

    version: int = Field(ge=1, le=2**31)


class Move(Change):
    project_id: Id | None


class Tag(Change):
    tags: list[Annotated[Plain, Field(min_length=1, max_length=50)]] = Field(max_length=30)


class DraftPut(OneSession):
    text: Prose = Field(max_length=400_000)
    attachments: list[Annotated[Plain, Field(max_length=300)]] = Field(default_factory=list, max_length=100)
    revision: Revision | None = None


class OneAttachment(OneSession):
    id: Id


class FromWorkspace(OneSession):
    """`path` is relative to the folder of the session."""

    path: Plain = Field(min_length=1, max_length=4096)


class ProjectCreate(Request):
    name: Name
    color: Name | None = None


class ProjectChange(Request):
    project_id: Id
    name: Name | None = None
    color: Name | None = None


class ProjectDelete(Request):
    project_id: Id


class Btw(OneSession):
    question: Prose
    model: ModelId | None = None


class OneStream(Request):
    stream_id: Id


class Background(OneSession):
    prompt: Prose
    model: ModelId | None = None


class OneTask(Request):
    task_id: Id


class CommandRun(Request):
    """`text` is the whole line, slash included. `session_id` is absent in a new chat."""

    text: Prose = Field(min_length=1, max_length=400_000)
    session_id: Id | None = None
    model: ModelId | None = None


class Prepare(Request):
    model: ModelId | None = None


class Cancel(Request):
    stream_id: Id


class DefaultModel(Request):
    model: ModelId


class FallbackModel(Request):
    """Null is none."""

    model: ModelId | None


class HideModel(DefaultModel):
    is_hidden: bool


class BudgetChange(Request):
    """The whole budget: what is absent or null is not limited. US dollars, and tokens in and out."""

    answer_dollars: float | None = Field(None, ge=0, le=1e9)
    answer_tokens: int | None = Field(None, ge=0, le=2**53)
    chat_dollars: float | None = Field(None, ge=0, le=1e9)
    chat_tokens: int | None = Field(None, ge=0, le=2**53)
    day_dollars: float | None = Field(None, ge=0, le=1e9)
    day_tokens: int | None = Field(None, ge=0, le=2**53)


class ProviderTest(Request):
    """`id` names a saved provider whose key is to be used when `key` is absent. `models`: names it does not list."""

    kind: Kind
    base_url: Plain | None = Field(None, max_length=2048)
    key: Plain | None = Field(None, max_length=4096)
    id: Id | None = None
    models: list[ModelId] | None = Field(None, max_length=100)


class ProviderSave(ProviderTest):
    name: Name | None = None


class ProviderDelete(Request):
    id: Id


class OneAgent(Request):
    name: Name


class AgentAdd(OneAgent):
    """With `confirm`, `argv` is the exact command that was shown without it."""

    command: Plain = Field(min_length=1, max_length=4096)
    args: list[Plain] = Field([], max_length=64)
    env: dict[str, Plain] = Field({}, max_length=50)
    title: Plain = Field("", max_length=100)
    confirm: bool = False
    argv: list[Plain] = Field([], max_length=64)


class AgentServers(OneAgent):
    """The MCP servers that an agent is given, all of them."""

    servers: list[Name] = Field(max_length=50)


class OneMcp(Request):
    name: Name


class McpAdd(OneMcp):
    """A program by its `command`, or an address by its `url`.

    With `confirm`, `argv` is the exact command that was shown without it, and `token` proves once more who asks.
    """

    command: Plain = Field("", max_length=4096)
    args: list[Plain] = Field([], max_length=64)
    env: dict[str, Plain] = Field({}, max_length=50)
    url: Plain = Field("", max_length=4096)
    headers: dict[str, Plain] = Field({}, max_length=50)
    confirm: bool = False
    argv: list[Plain] = Field([], max_length=64)
    token: str = Field("", max_length=1000)


class McpSwitch(OneMcp):
    """`on` is for the tools that `tools` names, or for all; `only_reads`, whether to believe what the server says."""

    on: bool | None = None
    tools: list[Prose] | None = Field(None, max_length=1000)
    only_reads: bool | None = None


class SkillSwitch(Request):
    """`id` is of the list that was asked for with the same `session_id`."""

    id: Id
    is_on: bool
    session_id: Id | None = None


class CodeExchange(Request):
    code: str = Field(min_length=1, max_length=200)


class Login(Request):
    token: str = Field(min_length=1, max_length=1000)
