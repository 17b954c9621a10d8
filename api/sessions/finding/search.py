"""Finding sessions by what was said in them."""

import re
import time
from collections.abc import Mapping

import msgspec

from api.sessions.documents.rows import Row
from api.sessions.finding.index import Index
from api.sessions.finding.paging import cursor_for, parse_cursor
from api.sessions.finding.query import Query, match_expression, parse_query

LARGEST_PAGE = 100
_MOST_HITS = 1000
_MOST_WEIGHED = 20_000
_SNIPPET = 160
_MOST_PASSAGES = 3


class Piece(msgspec.Struct, frozen=True):
    """A part of a snippet. `mark`: it is what was looked for."""

    text: str
    mark: bool


class Passage(msgspec.Struct, frozen=True):
    """A message that fits."""

    message_id: str
    role: str
    snippet: list[Piece]


class Hit(msgspec.Struct, frozen=True):
    """A session that was found, with the message that fits best; `message_id` None: its title or fields fit.

    `passages`: the messages in it that fit best, best first; in a search of one session all of them, in their order.
    """

    session: Row
    message_id: str | None
    snippet: list[Piece]
    passages: list[Passage]


class SearchPage(msgspec.Struct, frozen=True):
    results: list[Hit]
    next_cursor: str | None
    took_ms: float


def search(
    index: Index,
    text: str,
    *,
    owner: str,
    limit: int = 20,
    cursor: str | None = None,
    projects: Mapping[str, str] | None = None,
) -> SearchPage:
    """The sessions of `owner` that fit, those whose title fits first, then the best message first.

    Anything may be typed: there is no wrong query. `projects`: ids by names in small letters, so that `project:` may
    give either.

    Raises:
        BadRequest: the cursor is none of ours.
    """
    began = time.perf_counter()
    limit = max(1, min(limit, LARGEST_PAGE))
    start = parse_cursor(cursor, int) if cursor else 0
    query = parse_query(text)
    if query.project and projects:
        query.project = projects.get(query.project.lower(), query.project)
    keys = _ranked(index, query, owner)
    page = keys[start : start + limit] if start >= 0 else []
    hits = [hit for found in page if (hit := _hit(index, query, found))]
    following = cursor_for(start + limit) if len(keys) > start + limit else None
    return SearchPage(hits, following, (time.perf_counter() - began) * 1000)


class _Found(msgspec.Struct):
    """A session that fits, by keys of the index: whether its title does, and its messages that do, best first."""

    session: int
    by_title: bool
    messages: list[int]


def _ranked(index: Index, query: Query, owner: str) -> list[_Found]:
    """Each session that fits, once, best first."""
    where, values = _filters(query, owner)
    expression = match_expression(query)
    if not expression:
        return _by_fields(index, query, where, values)
    best: dict[int, _Found] = {}
    if not query.asks_about_messages:
        titles = index.searches.all(
            "SELECT session.id FROM titles JOIN session ON session.id = titles.rowid"
            f" WHERE titles MATCH ? AND {where} ORDER BY titles.rank LIMIT ?",
            [expression, *values, _MOST_HITS],
        )
        best.update((key, _Found(key, True, [])) for (key,) in titles)
    is_everywhere = _is_everywhere(index, expression)
    messages = index.searches.all(
        "SELECT message.session, message.id, session.last_message_at FROM words"
        " JOIN message ON message.id = words.rowid JOIN session ON session.id = message.session"
        f" WHERE words MATCH ? AND {where}{_message_filters(query)}"
        f" ORDER BY {_order(query, is_everywhere)} LIMIT ?",
        [expression, *values, *_message_values(query), _MOST_HITS],
    )
    if is_everywhere and not query.session:
        messages.sort(key=lambda hit: hit[2], reverse=True)
    for session, message, _ in messages:
        found = best.setdefault(session, _Found(session, False, []))
        if query.session or len(found.messages) < _MOST_PASSAGES:
            found.messages.append(message)
    return list(best.values())


def _order(query: Query, is_everywhere: bool) -> str:
    if query.session:
        return "message.position"
    return "words.rowid" if is_everywhere else "words.rank"


def _is_everywhere(index: Index, expression: str) -> bool:
    """Whether so many messages fit that weighing them all takes long and tells nothing; the newest do as well."""
    found = index.searches.all(
        "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)", [expression, _MOST_WEIGHED]
    )
    return found[0][0] == _MOST_WEIGHED


def _by_fields(index: Index, query: Query, where: str, values: list[object]) -> list[_Found]:
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
    return [_Found(key, True, []) for (key,) in found]


def _filters(query: Query, owner: str) -> tuple[str, list[object]]:
    where, values = ["session.owner = ? AND session.shown = 1"], [owner]
    if query.session:
        where.append("session.session_id = ?")
        values.append(query.session)
    where += ["session.pinned = 1"] * query.is_pinned + ["session.archived = 1"] * query.is_archived
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


def _hit(index: Index, query: Query, found: _Found) -> Hit | None:
    """None when it went away since it was found."""
    sessions = index.searches.all("SELECT row, title FROM session WHERE id = ?", [found.session])
    if not sessions:
        return None
    row, title = sessions[0]
    passages = [passage for key in found.messages for passage in _passages(index, query, key)]
    row = msgspec.json.decode(row)
    if found.by_title or not passages:
        return Hit(row, None, snippet(title, query.marks), passages)
    return Hit(row, passages[0].message_id, passages[0].snippet, passages)


def _passages(index: Index, query: Query, message: int) -> list[Passage]:
    """The message as a passage; none when it went away."""
    rows = index.searches.all("SELECT message_id, role, text FROM message WHERE id = ?", [message])
    return [Passage(message_id, role, snippet(text, query.marks)) for message_id, role, text in rows]


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
