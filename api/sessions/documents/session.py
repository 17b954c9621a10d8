"""A session in memory: one conversation, whose attributes are the fields of its document."""

import threading
from pathlib import Path
from typing import Any, Protocol

import msgspec

from api.domain.ids import OWNER_LOCAL, new_session_id
from api.domain.messages import Message
from api.domain.titles import UNTITLED
from api.sessions.documents.document import SCHEMA, Document, cleaned, encode, fingerprint, usable_count
from api.sessions.documents.rows import Row, row_of

_DEFAULTS: dict[str, Any] = {
    "session_id": None,
    "owner": OWNER_LOCAL,
    "title": UNTITLED,
    "title_by": None,
    "workspace": None,
    "model": None,
    "agent": None,
    "approval_mode": None,
    "system_prompt": None,
    "parameters": None,
    "messages": [],
    "created_at": None,
    "updated_at": None,
    "pinned": False,
    "archived": False,
    "project_id": None,
    "tags": [],
    "profile": None,
    "input_tokens": 0,
    "output_tokens": 0,
    "estimated_cost": None,
    "pending_user_message": None,
    "active_stream_id": None,
    "tool_calls": [],
    "unread": False,
    "revision": 0,
    "schema": SCHEMA,
}
_NEVER_NULL = ("owner", "title", "messages", "revision", "schema")


class Seen(msgspec.Struct, frozen=True):
    """What is known of a document on disk. `stamp`: mtime in ns, size, inode."""

    path: Path
    stamp: tuple[int, int, int]
    fingerprint: int
    message_count: int
    revision: int


class Home(Protocol):
    """Where a session is kept."""

    def path_of(self, session_id: str) -> Path: ...

    def save(self, session: "Session", reason: str | None = None) -> None: ...

    def make_way(self, session: "Session") -> None: ...

    def now(self) -> float: ...

    def held(self, session_id: str, /) -> int: ...


class Session:
    """Attributes may be set directly; nothing is on disk before `save`.

    Hold `lock` for whatever must be changed and saved together. Fields that this program does not know are in `extra`
    and are saved as they came. Times are seconds since 1970.
    """

    session_id: str
    owner: str
    title: str
    title_by: str | None
    workspace: str | None
    model: str | None
    agent: str | None
    approval_mode: str | None
    system_prompt: str | None
    parameters: dict[str, Any] | None
    messages: list[Message]
    created_at: Any
    updated_at: Any
    pinned: bool
    archived: bool
    project_id: str | None
    tags: list[str]
    profile: str | None
    input_tokens: int
    output_tokens: int
    estimated_cost: float | None
    pending_user_message: str | None
    active_stream_id: str | None
    tool_calls: list[Any]
    unread: bool
    revision: int
    schema: int
    extra: dict[str, Any]

    def __init__(self, session_id: str | None = None, *, home: Home, **fields: Any) -> None:
        self.lock = threading.RLock()
        self.home = home
        self.seen: Seen | None = None
        self.stored_schema = SCHEMA
        self.deleted = False
        self._clean: int | None = None
        self.adopt({"created_at": home.now(), **fields, "session_id": session_id or new_session_id()})

    def __repr__(self) -> str:
        return f"<Session {self.session_id} revision={self.revision} messages={len(self.messages)}>"

    @property
    def path(self) -> Path:
        """Where the document is, or would be, in the store's folder as it is now."""
        return self.home.path_of(self.session_id)

    @property
    def is_blank(self) -> bool:
        """Untitled, without messages and never saved: it exists nowhere else, and lost it would be no loss."""
        return self.seen is None and not self.messages and self.title == UNTITLED

    @property
    def is_streaming(self) -> bool:
        return self.active_stream_id is not None

    @property
    def read_only(self) -> bool:
        """A newer program wrote the document; writing it would lose what this one does not understand."""
        return usable_count(self.schema) > SCHEMA

    @property
    def is_changed(self) -> bool:
        """Whether memory holds what the document does not."""
        return self._clean is None or fingerprint(encode(self.document())) != self._clean

    def save(self, reason: str | None = None) -> None:
        """Write the document; when this returns, a power cut cannot undo it.

        `reason` says why there may be fewer messages than on disk: one of `saving.SHRINKING`.

        Raises:
            Conflict: deleted meanwhile, changed by someone else, or it would silently shrink; see its code.
            StorageFailed: the disk refused. Memory keeps what was to be saved.
        """
        self.home.save(self, reason)

    def row(self) -> Row:
        """What lists show of it."""
        messages = self.messages
        row = row_of(self, [message.get("timestamp") for message in messages], self.home.now())
        return row | {"held_messages": self.home.held(self.session_id)}

    def document(self) -> Document:
        """All fields as they would be stored, known ones first."""
        return {name: getattr(self, name) for name in _DEFAULTS} | self.extra

    def adopt(self, document: Document) -> None:
        """Become what `document` says; it is not copied."""
        for name, default in _DEFAULTS.items():
            value = document.get(name, default)
            if value is None and name in _NEVER_NULL:
                value = default
            setattr(self, name, list(value) if value is default and isinstance(value, list) else value)
        self.extra = {name: value for name, value in document.items() if name not in _DEFAULTS}

    def clean_texts(self) -> None:
        """Make every text storable, in place, so that memory and disk say the same."""
        for name in _DEFAULTS:
            setattr(self, name, cleaned(getattr(self, name)))
        cleaned(self.extra)

    def mark_clean(self, seen: Seen, content: int) -> None:
        """Memory and disk agree. `content` is the fingerprint of the encoded document."""
        self.seen = seen
        self._clean = content
