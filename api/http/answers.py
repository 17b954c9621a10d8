"""What answers and streams carry, as types: the source of OpenAPI, and through it of the front end's types."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.domain.approvals import Choice, Mode, ToolKind
from api.domain.attachments import MediaType
from api.http.bodies import Parameters

Outcome = Literal["done", "cancelled", "failed", "interrupted"]


class Error(BaseModel):
    """The one shape of every failure; further fields depend on `code`."""

    model_config = ConfigDict(extra="allow")

    error: str
    code: str
    field: str | None = None


class Ok(BaseModel):
    ok: Literal[True]


class Health(BaseModel):
    status: Literal["ok"]
    version: str
    uptime_seconds: float
    sessions: int
    active_runs: int


class SignedIn(BaseModel):
    signed_in: bool


class Link(BaseModel):
    """`path` is to be put after the address of the server; it works once, for a quarter of an hour."""

    path: str


class SessionRow(BaseModel):
    """A session in a list. Times in seconds since 1970. `held_messages` wait in its queue until someone says so."""

    session_id: str
    title: str
    title_by: str | None
    workspace: str | None
    model: str | None
    agent: str | None
    approval_mode: Mode
    message_count: int
    created_at: float
    updated_at: float
    last_message_at: float | None
    pinned: bool
    archived: bool
    project_id: str | None
    tags: list[str]
    profile: str | None
    input_tokens: int | None
    output_tokens: int | None
    estimated_cost: float | None
    is_streaming: bool
    active_stream_id: str | None
    held_messages: int
    unread: bool
    revision: int


class ToolFunction(BaseModel):
    name: str
    arguments: str


class ToolCall(BaseModel):
    id: str
    type: Literal["function"]
    function: ToolFunction
    parent: str | None = None


class NoticeNote(BaseModel):
    """`at`: how many of its message's thinking, words, pictures and calls come before it; else all but the calls."""

    code: str
    message: str
    at: int | None = None


class FailureNote(BaseModel):
    code: str
    message: str
    hint: str | None = None


class PlanNote(BaseModel):
    text: str
    status: Literal["pending", "in_progress", "completed"]


class UsageNote(BaseModel):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


class ContextNote(BaseModel):
    """How full the model's window was with the last request; see `Context`."""

    filled: int
    window: int | None = None
    instructions: int | None = None
    conversation: int | None = None
    tool_results: int | None = None
    files: int | None = None


class Attachment(BaseModel):
    """A file that was given along with a message. `width` and `height` in pixels, of a picture; `size` in bytes."""

    id: str
    name: str
    media_type: MediaType
    size: int
    width: int | None = None
    height: int | None = None


class AttachmentAnswer(BaseModel):
    attachment: Attachment


class FileList(BaseModel):
    """Names of files, relative to the folder of the session, that which fits best first."""

    files: list[str]


class Message(BaseModel):
    """An entry of a conversation. Documents from elsewhere may bring more fields, or parts as `content`.

    A turn of which there are other `versions` has the ids that they begin with, oldest first, its own among them at
    `version`. What was said to the agent at work is `steered`.
    """

    model_config = ConfigDict(extra="allow")

    id: str
    role: str
    content: str | list[Any] | None = None
    timestamp: float | None = None
    model: str | None = None
    run_id: str | None = None
    reasoning: str | None = None
    reasoning_ms: int | None = None
    tool_calls: list[ToolCall] | None = None
    notices: list[NoticeNote] | None = None
    outcome: Outcome | None = None
    plan: list[PlanNote] | None = None
    failure: FailureNote | None = None
    usage: UsageNote | None = None
    context: ContextNote | None = None
    duration_ms: int | None = None
    tool_call_id: str | None = None
    name: str | None = None
    title: str | None = None
    is_error: bool | None = None
    kind: ToolKind | None = None
    diff: str | None = None
    approval: Choice | None = None
    versions: list[str] | None = None
    version: int | None = None
    steered: bool | None = None
    attachments: list[Attachment] | None = None


class RunSnapshot(BaseModel):
    """A run as shown up to `seq`; its stream is to be followed after that number. `transcript`: see `Transcript`."""

    stream_id: str
    session_id: str
    message_id: str
    seq: int
    started_at: float
    transcript: dict[str, Any]


class Session(SessionRow):
    """A session with some of its messages, and what is set for its model; an empty `system_prompt` is none."""

    system_prompt: str
    parameters: Parameters
    messages: list[Message]


class NewSessionAnswer(BaseModel):
    session: Session


class Draft(BaseModel):
    """What was typed and not sent. `revision` rises with every change."""

    text: str
    attachments: list[Attachment]
    revision: int


class Aside(BaseModel):
    """A question asked aside; follow its stream after `seq`. `transcript`: see `Transcript`."""

    stream_id: str
    session_id: str
    question: str
    model: str
    started_at: float
    seq: int
    is_active: bool
    transcript: dict[str, Any]


class Task(BaseModel):
    """Something worked on in the background; once it runs, its stream can be followed."""

    task_id: str
    session_id: str
    prompt: str
    model: str
    created_at: float
    state: Literal["waiting", "running", "answered"]
    stream_id: str
    attempt: int


class Waiting(BaseModel):
    """A message that waits. `steers`: the agent at work is told it at its next step, unless it ends before."""

    message_id: str
    text: str
    model: str | None
    agent: str | None
    created_at: float
    revision: int
    steers: bool
    attachments: list[Attachment]


class Queue(BaseModel):
    """The messages that wait in a session, first the one to be sent next; held back while `is_held`."""

    session_id: str
    revision: int
    is_held: bool
    can_put_back: bool
    items: list[Waiting]


class SessionAnswer(BaseModel):
    """A session with some of its messages; `_messages_offset` come before them, `_messages_after` after."""

    model_config = ConfigDict(populate_by_name=True)

    session: Session
    messages_offset: int = Field(alias="_messages_offset")
    messages_after: int = Field(alias="_messages_after")
    messages_truncated: bool = Field(alias="_messages_truncated")
    active_run: RunSnapshot | None
    asides: list[Aside]
    tasks: list[Task]
    draft: Draft
    queue: Queue


class FolderList(BaseModel):
    """The folders in one, hidden ones last, and whether there are more.

    `refusal` says why it may not be worked in; `default` is what new sessions work in, if it is a folder to work in.
    """

    path: str
    parent: str | None
    folders: list[str]
    is_cut: bool
    refusal: str | None
    home: str
    default: str | None


class Removed(BaseModel):
    """A session from which messages were taken, which can be put back."""

    session: SessionRow
    removed: list[Message]


class Project(BaseModel):
    project_id: str
    name: str
    color: str


class ProjectAnswer(BaseModel):
    project: Project


class ProjectList(BaseModel):
    projects: list[Project]
    colors: list[str]


class AsideAnswer(BaseModel):
    aside: Aside


class TaskAnswer(BaseModel):
    task: Task


class TaskList(BaseModel):
    tasks: list[Task]


class Command(BaseModel):
    name: str
    help: str
    argument: str
    needs_session: bool


class CommandList(BaseModel):
    commands: list[Command]


class Effects(BaseModel):
    """What the page is to do because of a command; see `Effect`."""

    effects: list[dict[str, Any]]


class Imported(BaseModel):
    imported: list[SessionRow]
    skipped: int


class TrashItem(BaseModel):
    """A deleted session. Without a title it cannot be read. Without `days_left` it is not removed by itself.

    `cleared_from` is the session that this was cleared out of; restored, it is a session of its own.
    """

    session_id: str
    title: str | None
    message_count: int
    deleted_at: float
    days_left: int | None
    cleared_from: str | None


class TrashAnswer(BaseModel):
    """The newest first; `total` counts those beyond the largest list too."""

    items: list[TrashItem]
    total: int
    keep_days: int


class UnreadableFile(BaseModel):
    """A file that looks like a session and cannot be shown. `can_download`: not so for links, pipes and folders.

    `readable_messages`: how many messages of it can be had back.
    """

    name: str
    reason: str
    can_download: bool
    readable_messages: int


class UnreadableFiles(BaseModel):
    files: list[UnreadableFile]


class RowAnswer(BaseModel):
    session: SessionRow


class Counts(BaseModel):
    active: int
    archived: int
    pinned: int


class SessionList(BaseModel):
    """`version` is where to follow `/api/events` from. While `indexing`, older sessions may still be missing."""

    sessions: list[SessionRow]
    next_cursor: str | None
    counts: Counts
    indexing: bool
    version: str


class SnippetPart(BaseModel):
    text: str
    mark: bool


class Passage(BaseModel):
    message_id: str
    role: str
    snippet: list[SnippetPart]


class SearchResult(BaseModel):
    """`message_id` null: its title fits. `passages`: the best messages; in a search of one session all, in order."""

    session: SessionRow
    message_id: str | None
    snippet: list[SnippetPart]
    passages: list[Passage]


class SearchAnswer(BaseModel):
    results: list[SearchResult]
    next_cursor: str | None
    took_ms: float


class Started(BaseModel):
    stream_id: str
    session_id: str
    turn_id: str
    message_id: str
    title: str
    revision: int


class QueueAnswer(BaseModel):
    queue: Queue


class QueueResumed(QueueAnswer):
    """`started` is null while an answer is still being written."""

    started: Started | None


class QueueAdded(QueueResumed):
    """`started`, where nothing had to be waited for."""

    message_id: str


class SteerAnswer(QueueAdded):
    """Not `accepted`, it waits before all others, or was sent."""

    accepted: bool


class Cancelled(BaseModel):
    ok: Literal[True]
    cancelled: bool


class StreamStatus(BaseModel):
    active: bool
    outcome: Outcome | None
    last_seq: int


class McpTool(BaseModel):
    """A tool as its server described it. `name` is the server's name for it, `offered` the model's."""

    name: str
    offered: str
    title: str
    description: str
    reads: bool
    is_on: bool


class McpServer(BaseModel):
    """A program by its `argv`, or an address by its `url`. Of `env` and `headers` the names alone are told."""

    name: str
    kind: Literal["stdio", "http"]
    argv: list[str]
    env: list[str]
    url: str
    headers: list[str]
    only_reads: bool
    version: str
    tools: list[McpTool]


class McpServers(BaseModel):
    """`most_on`: so many tools of all servers together may be on."""

    servers: list[McpServer]
    most_on: int


class McpAdded(BaseModel):
    """`server` is null until what would be started, `argv`, or reached, `url`, is confirmed."""

    server: McpServer | None
    argv: list[str]
    url: str


class McpChecked(BaseModel):
    """`reason` says why it does not work; then `server` is as it was known before."""

    works: bool
    reason: str
    server: McpServer


class McpAnswer(BaseModel):
    server: McpServer


# What streams carry beside the events of the domain


class RunDone(BaseModel):
    """`done`: what an ended run left in its session."""

    session: SessionRow | None
    messages: list[Message]
    usage: UsageNote | None


class SessionsChanged(BaseModel):
    """`sessions_changed`: rows to put in place, ids to take out; go on from `version`."""

    rows: list[SessionRow]
    removed: list[str]
    version: str


STREAMED = (RunDone, SessionsChanged)
