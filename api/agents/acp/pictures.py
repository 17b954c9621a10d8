"""Pictures that an agent program sends: kept with the session before anything names them."""

import asyncio
from typing import Any, NamedTuple

from msgspec.structs import replace

from api.agents.base import Attach
from api.domain import events as ev
from api.domain.attachments import Attachment
from api.domain.errors import AppError
from api.domain.pictures import PictureRefused
from api.tools.pictures import picture_sent

MOST_OF_A_TURN = 500


class Sent(NamedTuple):
    """A picture as it came: base64, what it is called by, and its number in the call of that id, or in the answer."""

    call_id: str
    data: str
    called: str
    number: int


Said = ev.Event | Sent
"""What waits to be told, in its order."""


def data_of(content: Any) -> str | None:
    """The base64 of a content block that is a picture, or is said to be one."""
    match content.type:
        case "image":
            return content.data
        case "resource" if (getattr(content.resource, "mime_type", None) or "").startswith("image/"):
            return getattr(content.resource, "blob", None)
    return None


def raw_data_of(block: Any) -> str | None:
    """The same of a block in the result of an MCP server, which an agent passes on as it came."""
    match block:
        case {"type": "image", "data": str(data)}:
            return data
        case {"type": "resource", "resource": {"blob": str(data), "mimeType": str(kind)}} if kind.startswith("image/"):
            return data
    return None


class Pictures:
    """Those of one turn. `title` is how the agent is called."""

    def __init__(self, attach: Attach, title: str) -> None:
        self._attach = attach
        self._title = title
        self._count = 0
        self._kept: dict[str, list[Attachment]] = {}
        self._words: dict[str, list[str]] = {}
        self._told: dict[str, int] = {}

    async def told(self, said: Said) -> list[ev.Event]:
        """What is said to the person: a call's pictures with its end, and words about those that cannot be kept."""
        match said:
            case Sent():
                self._count += 1
                if self._count > MOST_OF_A_TURN:
                    return [self._too_many()] if self._count == MOST_OF_A_TURN + 1 else []
                kept = await self._kept_or_why(said)
                return self._of_call(said, kept) if said.call_id else [self._in_answer(kept)]
            case ev.ToolEnded():
                return self._ended(said)
        return [said]

    async def _kept_or_why(self, sent: Sent) -> Attachment | str:
        """Or a sentence why it cannot be kept."""
        try:
            return await asyncio.to_thread(self._keep, sent)
        except AppError as error:
            return error.message
        except PictureRefused as error:
            return str(error)

    def _keep(self, sent: Sent) -> Attachment:
        picture = picture_sent(sent.data, sent.called, sent.number)
        return self._attach(picture.name, picture.data)

    def _in_answer(self, kept: Attachment | str) -> ev.Event:
        if isinstance(kept, Attachment):
            return ev.PictureShown(attachment=kept)
        return self._not_shown(kept)

    def _too_many(self) -> ev.Event:
        """Said once, not for each."""
        return self._not_shown(f"Only the first {MOST_OF_A_TURN} of an answer are.")

    def _not_shown(self, why: str) -> ev.Event:
        return ev.Notice(code="not_shown", message=f"{self._title} sent a picture that is not shown. {why}")

    def _of_call(self, sent: Sent, kept: Attachment | str) -> list[ev.Event]:
        """Nothing yet: it is told with the end of the call."""
        if isinstance(kept, Attachment):
            self._kept.setdefault(sent.call_id, []).append(kept)
        else:
            self._words.setdefault(sent.call_id, []).append(f"[Picture {sent.number} is not shown. {kept}]")
        return []

    def _ended(self, event: ev.ToolEnded) -> list[ev.Event]:
        """Its end may be told again: what stands in the output then takes the place of what was told before."""
        words, told = self._words.get(event.call_id, []), self._told.get(event.call_id, 0)
        self._told[event.call_id] = len(words)
        shown: list[ev.Event] = []
        if event.output:
            event = replace(event, output="\n".join([event.output, *words]))
        elif words[told:]:
            shown = [ev.ToolOutput(call_id=event.call_id, text="".join(f"\n{one}" for one in words[told:]))]
        return [*shown, replace(event, attachments=tuple(self._kept.get(event.call_id, ())))]
