"""Finding sessions by what was said in them."""

import re
import time

import msgspec

from api.sessions.index import Index
from api.sessions.paging import cursor_for, parse_cursor
from api.sessions.query import Query, match_expression, parse_query
from api.sessions.rows import Row

LARGEST_PAGE = 100
_MOST_HITS = 1000
_MOST_WEIGHED = 20_000
_SNIPPET = 160


class Piece(msgspec.Struct, frozen=True):
    """A part of a snippet. `mark`: it is what was looked for."""

    text: str
    mark: bool


class Hit(msgspec.Struct, frozen=True):
    """A session that was found, with the message that fits best; `message_id` None: its title or fields fit."""

    session: Row
    message_id: str | None
    snippet: list[Piece]


class SearchPage(msgspec.Struct, frozen=True):
    results: list[Hit]
    next_cursor: str | None
    took_ms: float


def search(index: Index, text: str, *, owner: str, limit: int = 20, cursor: str | None = None) -> SearchPage:
    """The sessions of `owner` that fit, those whose title fits first, then the best message first.

    Anything may be typed: there is no wrong query.

    Raises:
        BadRequest: the cursor is none of ours.
    """
    began = time.perf_counter()
    limit = max(1, min(limit, LARGEST_PAGE))
    start = parse_cursor(cursor, int) if cursor else 0
    query = parse_query(text)
    keys = _ranked(index, query, owner)
    page = keys[start : start + limit] if start >= 0 else []
    hits = [hit for key, message in page if (hit := _hit(index, query, key, message))]
    following = cursor_for(start + limit) if len(keys) > start + limit else None
    return SearchPage(hits, following, (time.perf_counter() - began) * 1000)


def _ranked(index: Index, query: Query, owner: str) -> list[tuple[int, int | None]]:
    """Each session that fits, once, as (its key, the key of its best message), best first."""
    where, values = _filters(query, owner)
    expression = match_expression(query)
    if not expression:
        return _by_fields(index, query, where, values)
    best: dict[int, int | None] = {}
    if not query.asks_about_messages:
        titles = index.searches.all(
            "SELECT session.id FROM titles JOIN session ON session.id = titles.rowid"
            f" WHERE titles MATCH ? AND {where} ORDER BY titles.rank LIMIT ?",
            [expression, *values, _MOST_HITS],
        )
        best.update((key, None) for (key,) in titles)
    is_everywhere = _is_everywhere(index, expression)
    messages = index.searches.all(
        "SELECT message.session, message.id, session.last_message_at FROM words"
        " JOIN message ON message.id = words.rowid JOIN session ON session.id = message.session"
        f" WHERE words MATCH ? AND {where}{_message_filters(query)}"
        f" ORDER BY words.{'rowid' if is_everywhere else 'rank'} LIMIT ?",
        [expression, *values, *_message_values(query), _MOST_HITS],
    )
    if is_everywhere:
        messages.sort(key=lambda hit: hit[2], reverse=True)
    for session, message, _ in messages:
        best.setdefault(session, message)
    return list(best.items())


def _is_everywhere(index: Index, expression: str) -> bool:
    """Whether so many messages fit that weighing them all takes long and tells nothing; the newest do as well."""
    found = index.searches.all(
        "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)", [expression, _MOST_WEIGHED]
    )
    return found[0][0] == _MOST_WEIGHED


def _by_fields(index: Index, query: Query, where: str, values: list[object]) -> list[tuple[int, int | None]]:
    """Filters alone find the newest sessions; a search for nothing finds nothing."""
    if query == Query(excluded=query.excluded):
        return []
    exists = ""
    if query.asks_about_messages:
        exists = f" AND EXISTS (SELECT 1 FROM message WHERE message.session = session.id{_message_filters(query)})"
    found = index.searches.all(
        f"SELECT session.id FROM session WHERE {where}{exists} ORDER BY last_message_at DESC LIMIT ?",
        [*values, *_message_values(query), _MOST_HITS],
    )
    return [(key, None) for (key,) in found]


def _filters(query: Query, owner: str) -> tuple[str, list[object]]:
    where, values = ["session.owner = ? AND session.shown = 1"], [owner]
    if query.tag:
        where.append("EXISTS (SELECT 1 FROM json_each(session.tags) WHERE value = ?)")
        values.append(query.tag)
    if query.project:
        where.append("session.project_id = ?")
        values.append(query.project)
    if query.model:
        where.append("instr(lower(session.model), ?) > 0")
        values.append(query.model.lower())
    return " AND ".join(where), list(values)


def _message_filters(query: Query) -> str:
    return (
        (" AND message.role = ?" if query.role else "")
        + (" AND message.timestamp < ?" if query.before is not None else "")
        + (" AND message.timestamp >= ?" if query.after is not None else "")
    )


def _message_values(query: Query) -> list[object]:
    return [value for value in (query.role, query.before, query.after) if value is not None]


def _hit(index: Index, query: Query, session: int, message: int | None) -> Hit | None:
    """None when it went away since it was found."""
    found = index.searches.all(
        "SELECT session.row, session.title, message.message_id, message.text FROM session"
        " LEFT JOIN message ON message.id = ? WHERE session.id = ?",
        [message, session],
    )
    if not found:
        return None
    row, title, message_id, text = found[0]
    return Hit(msgspec.json.decode(row), message_id, snippet(text or title, query.marks))


def snippet(text: str, marks: list[str]) -> list[Piece]:
    """A part of `text` around the first of `marks`, all of them marked, on one line."""
    pattern = _pattern(marks)
    first = pattern.search(text) if pattern else None
    start = max(0, (first.start() if first else 0) - _SNIPPET // 3)
    part = text[start : start + _SNIPPET]
    pieces = [Piece("…", False)] if start else []
    end = 0
    for found in pattern.finditer(part) if pattern else ():
        pieces += [Piece(part[end : found.start()], False), Piece(found[0], True)]
        end = found.end()
    pieces.append(Piece(part[end:] + ("…" if start + _SNIPPET < len(text) else ""), False))
    return [Piece(piece.text.replace("\n", " "), piece.mark) for piece in pieces if piece.text]


def _pattern(marks: list[str]) -> re.Pattern[str] | None:
    """What to mark: the words as they were typed, longest first, whatever their case."""
    words = sorted({word for mark in marks for word in [mark, *re.findall(r"\w+", mark)]}, key=len, reverse=True)
    if not words:
        return None
    return re.compile(
        "|".join(r"(?<![A-Za-z0-9])" * word[0].isascii() + re.escape(word) for word in words), re.IGNORECASE
    )
