"""What can be done to a queue of waiting messages. Decides only: gives the queue as it is to be kept."""

from typing import Any

import msgspec

from api.domain.attachments import Attachment
from api.domain.errors import BadRequest, Conflict, NotFound, StaleRevision, TooMany
from api.domain.messages import clean_text
from api.sessions.queues import Item, Queue, Removed

MOST_ITEMS = 50
MOST_CHARACTERS = 2_000_000


def changed(queue: Queue, **fields: Any) -> Queue:
    return msgspec.structs.replace(queue, **fields)


def added(queue: Queue, item: Item, *, first: bool) -> Queue:
    """With one more message, as the last or the `first` one.

    Raises:
        TooMany: there is no room for it.
    """
    _check_room(queue, item.text)
    return changed(queue, items=[item, *queue.items] if first else [*queue.items, item])


def edited(
    queue: Queue, message_id: str, text: str, attachments: list[Attachment] | None, *, revision: int | None
) -> Queue:
    """With another text for a message; `revision` is the one of it that the person saw.

    With None as `attachments` it has those that it had.

    Raises:
        NotFound: it waits no more. BadRequest: the text is empty. TooMany: it is too long.
        StaleRevision: another page changed it; the error carries its `text` and `revision`.
    """
    text = clean_text(text)
    item = _item(queue, message_id)
    attachments = item.attachments if attachments is None else attachments
    if not text.strip() and not attachments:
        message = "The message is empty. Write something, or take it out."
        raise BadRequest(message, code="empty_message", field="message")
    if revision is not None and revision != item.revision:
        raise StaleRevision(
            "This message was changed in another window. Nothing was overwritten.",
            revision=item.revision,
            text=item.text,
        )
    _check_room(queue, text, instead_of=item)
    again = msgspec.structs.replace(item, text=text, attachments=attachments, revision=item.revision + 1)
    return changed(queue, items=[again if one is item else one for one in queue.items])


def moved(queue: Queue, message_id: str, before: str | None) -> Queue:
    """With a message just before another one, or with None after all of them.

    Raises:
        NotFound: one of them waits no more.
    """
    item = _item(queue, message_id)
    if before == message_id:
        return queue
    others = [one for one in queue.items if one is not item]
    place = others.index(_item(queue, before)) if before else len(others)
    return changed(queue, items=[*others[:place], item, *others[place:]])


def without(queue: Queue, message_ids: list[str]) -> Queue:
    """Without messages, which `put_back` undoes. Those that wait no more are passed over.

    Raises:
        NotFound: none of them waits.
    """
    out = [(place, one) for place, one in enumerate(queue.items) if one.message_id in message_ids]
    if not out:
        raise _not_waiting()
    left = [one for one in queue.items if one.message_id not in message_ids]
    removed = Removed([place for place, _ in out], [one for _, one in out])
    return changed(queue, items=left, removed=removed, is_held=queue.is_held and bool(left))


def put_back(queue: Queue) -> Queue:
    """With what was last taken out, where it stood.

    Raises:
        Conflict: there is nothing to put back.
    """
    if queue.removed is None:
        raise Conflict("There is nothing to put back.", code="nothing_to_put_back")
    items = list(queue.items)
    for place, item in zip(queue.removed.places, queue.removed.items, strict=True):
        items.insert(place, item)
    return changed(queue, items=items, removed=None)


def _item(queue: Queue, message_id: str) -> Item:
    item = queue.find(message_id)
    if item is None:
        raise _not_waiting()
    return item


def _not_waiting() -> NotFound:
    message = "This message waits no more: it was sent or taken out. Look at the conversation again."
    return NotFound(message, code="not_waiting", field="message_id")


def _check_room(queue: Queue, text: str, *, instead_of: Item | None = None) -> None:
    others = [one for one in queue.items if one is not instead_of]
    if len(others) >= MOST_ITEMS:
        message = f"{MOST_ITEMS} messages wait already. Take one out, or let one be answered first."
        raise TooMany(message, code="queue_full")
    if sum(len(one.text) for one in others) + len(text) > MOST_CHARACTERS:
        raise TooMany("The messages that wait are very long already. Let one be answered first.", code="queue_full")
