"""What the index is told of a document, read from the disk."""

from api.domain.ids import OWNER_LOCAL
from api.sessions.disk.loading import SessionNotFound, SessionUnreadable, read_document
from api.sessions.disk.quarantine import LARGEST_INDEXED, Found, stamp_of
from api.sessions.documents.document import Document, Header, Unreadable, decode, decode_header, header_of
from api.sessions.documents.rows import row_of
from api.sessions.finding.index import Entry


def read_entry(found: Found, now: float, *, with_messages: bool) -> Entry | None:
    """The entry for a document, None when it is gone meanwhile. Without messages it is several times faster.

    The stamp is that of the very bytes that were read.
    """
    stamp = found.stamp
    if stamp[1] > LARGEST_INDEXED:
        return problem_entry(found, f"It is larger than {LARGEST_INDEXED >> 20} MB, too large for lists and searches.")
    try:
        raw, status = read_document(found.path, found.session_id)
        stamp = stamp_of(status)
        if with_messages:
            document = decode(raw, found.session_id)
            return _entry(found.session_id, stamp, header_of(document), document, now)
        return _entry(found.session_id, stamp, decode_header(raw, found.session_id), None, now)
    except SessionNotFound:
        return None
    except SessionUnreadable as error:
        return problem_entry(found, error.reason)
    except Unreadable as error:
        return problem_entry(Found(found.session_id, found.path, stamp), str(error))


def _entry(
    session_id: str, stamp: tuple[int, int, int], header: Header, document: Document | None, now: float
) -> Entry:
    header.session_id = session_id
    row = row_of(header, [message.timestamp for message in header.messages], now)
    messages = None if document is None else document["messages"]
    return Entry(session_id, stamp, header.owner or OWNER_LOCAL, row, messages)


def problem_entry(found: Found, reason: str) -> Entry:
    row = row_of(Header(messages=[], session_id=found.session_id), [], 0.0)
    return Entry(found.session_id, found.stamp, OWNER_LOCAL, row, None, reason)
