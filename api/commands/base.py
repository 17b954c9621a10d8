"""What a command is: a name, a hint, and what it does; and what it may ask the page to do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from api.domain.attachments import Attachment
from api.domain.errors import BadRequest
from api.runs.asides import Asides
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.queueing import Queueing
from api.runs.tasks import Tasks


class _Effect(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something that the page does because of a command."""


class OpenSession(_Effect, frozen=True, kw_only=True, tag="open_session"):
    """Show this session; null is a new chat."""

    session_id: str | None


class FollowRun(_Effect, frozen=True, kw_only=True, tag="follow_run"):
    """A run has begun in this session."""

    session_id: str
    stream_id: str


class ShowAside(_Effect, frozen=True, kw_only=True, tag="show_aside"):
    """A question is being answered aside."""

    stream_id: str


class ShowTask(_Effect, frozen=True, kw_only=True, tag="show_task"):
    """A task is being worked on in the background."""

    task_id: str


class Reload(_Effect, frozen=True, kw_only=True, tag="reload"):
    """The session has changed: look at it again."""

    session_id: str


class Compose(_Effect, frozen=True, kw_only=True, tag="compose"):
    """Put this text into the composer, with what was given along with it."""

    text: str
    attachments: list[Attachment] = []


class Do(_Effect, frozen=True, kw_only=True, tag="do"):
    """Something that only the page can do."""

    action: Literal["theme", "export", "help", "model"]
    argument: str = ""


class Say(_Effect, frozen=True, kw_only=True, tag="say"):
    """Tell the person. `code` names the sentence, for a page that says it in another language; `count` is in it."""

    message: str
    code: str
    count: int | None = None


Effect = OpenSession | FollowRun | ShowAside | ShowTask | Reload | Compose | Do | Say


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a command works with: the rooms, who asks, in which session (None in a new chat), and the words after it."""

    engine: Engine
    conversing: Conversing
    asides: Asides
    tasks: Tasks
    queueing: Queueing
    owner: str
    session_id: str | None
    argument: str
    model: str | None = None

    @property
    def session(self) -> str:
        """The session.

        Raises:
            BadRequest: there is none yet.
        """
        if self.session_id is None:
            raise BadRequest("This command needs a conversation. Open one, or send a message first.", code="no_session")
        return self.session_id

    @property
    def words(self) -> str:
        """What follows the command.

        Raises:
            BadRequest: nothing does.
        """
        if not self.argument:
            raise BadRequest("This command needs some words after it.", code="no_argument")
        return self.argument


@dataclass(frozen=True, kw_only=True)
class Command:
    """`argument` is a hint at what follows the name, in angle brackets where it must, in square ones where it may."""

    name: str
    help: str
    run: Callable[[Desk], Awaitable[list[Effect]]]
    argument: str = ""
    needs_session: bool = True
