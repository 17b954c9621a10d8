"""Pictures that an agent program sends: kept with the session before anything names them."""

import asyncio
import base64
from typing import Any, NamedTuple

from msgspec.structs import replace

from api.agents.base import Attach
from api.domain import events as ev
from api.domain.attachments import Attachment
from api.domain.errors import AppError
from api.domain.pictures import PictureRefused
from api.tools.pictures import picture_in

MOST_OF_A_CALL = 8


class Sent(NamedTuple):
    """A picture as it came, for the call of that id: base64, what it is called by, and its number in the call."""

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


class Pictures:
    """Those of one turn."""

    def __init__(self, attach: Attach) -> None:
        self._attach = attach
        self._kept: dict[str, list[Attachment]] = {}
        self._words: dict[str, list[str]] = {}
        self._told: dict[str, int] = {}

    async def told(self, said: Said) -> list[ev.Event]:
        """What is said to the person: a call's pictures with its end, and words about those that cannot be kept."""
        match said:
            case Sent():
                await self._keep(said)
                return []
            case ev.ToolEnded():
                return self._ended(said)
        return [said]

    async def _keep(self, sent: Sent) -> None:
        try:
            kept = await asyncio.to_thread(self._kept_of, sent)
            self._kept.setdefault(sent.call_id, []).append(kept)
        except AppError as error:
            self._words.setdefault(sent.call_id, []).append(f"[Picture {sent.number} is not shown. {error.message}]")
        except ValueError as error:  # no base64, or no picture
            why = str(error) if isinstance(error, PictureRefused) else "It came damaged."
            self._words.setdefault(sent.call_id, []).append(f"[Picture {sent.number} is not shown. {why}]")

    def _kept_of(self, sent: Sent) -> Attachment:
        picture = picture_in(base64.b64decode(sent.data), called=sent.called, number=sent.number)
        return self._attach(picture.name, picture.data)

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
