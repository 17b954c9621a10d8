"""The rows of a list, a page at a time, from the index."""

from collections.abc import Iterable
from typing import Any

import msgspec

from api.sessions.documents.rows import Row, order
from api.sessions.finding.index import Index
from api.sessions.finding.paging import Page, Position, cursor_for

LARGEST_PAGE = 500


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a list asks for. `q` is a part of the title. `after`: where the page before ended."""

    owner: str
    limit: int
    after: Position | None = None
    archived: bool = False
    q: str | None = None
    project_id: str | None = None
    tag: str | None = None

    def covers(self, row: Row) -> bool:
        return (
            row["archived"] is self.archived
            and (not self.q or self.q.casefold() in row["title"].casefold())
            and (not self.project_id or row["project_id"] == self.project_id)
            and (not self.tag or self.tag in row["tags"])
        )


class Listed(msgspec.Struct, frozen=True):
    """A row together with the stamp of the document that it was read from."""

    row: Row
    stamp: str


def list_rows(index: Index, wanted: Wanted) -> list[Listed]:
    """The wanted rows after the cursor, one more than the limit where there are more."""
    where = ["owner = ?", "shown = 1", "archived = ?"]
    values: list[Any] = [wanted.owner, wanted.archived]
    if wanted.after is not None:
        where.append("(pinned, last_message_at, session_id) < (?, ?, ?)")
        values += wanted.after
    if wanted.q:
        where.append("instr(title_folded, ?) > 0")
        values.append(wanted.q.casefold())
    if wanted.project_id:
        where.append("project_id = ?")
        values.append(wanted.project_id)
    if wanted.tag:
        where.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)")
        values.append(wanted.tag)
    found = index.lists.all(
        f"SELECT row, stamp FROM session WHERE {' AND '.join(where)}"
        " ORDER BY pinned DESC, last_message_at DESC, session_id DESC LIMIT ?",
        [*values, wanted.limit + 1],
    )
    return [Listed(msgspec.json.decode(row), stamp) for row, stamp in found]


def count_rows(index: Index, owner: str) -> dict[str, int]:
    """How many sessions each list of `owner` has."""
    found = index.lists.all(
        "SELECT archived, pinned, count(*) FROM session WHERE owner = ? AND shown = 1 GROUP BY archived, pinned",
        [owner],
    )
    return _counts((archived, pinned, count) for archived, pinned, count in found)


def count_all(index: Index) -> int:
    """How many documents the index knows that can be shown, of all owners."""
    return index.lists.all("SELECT count(*) FROM session WHERE shown = 1")[0][0]


def known_rows(index: Index, owner: str) -> dict[str, tuple[str, Row | None]]:
    """By session: the stamp of its document and its row, None where `owner` is not to see it."""
    found = index.lists.all("SELECT session_id, stamp, row, owner = ? AND problem IS NULL FROM session", [owner])
    return {name: (stamp, msgspec.json.decode(row) if is_seen else None) for name, stamp, row, is_seen in found}


def known_problems(index: Index) -> dict[str, tuple[str, str | None]]:
    """By session: the stamp of its document and why it cannot be shown, for those whose messages were read."""
    found = index.lists.all("SELECT session_id, stamp, problem FROM session WHERE has_words")
    return {name: (stamp, problem) for name, stamp, problem in found}


def page_of(every: list[Row], wanted: Wanted) -> Page:
    """The same page from all rows at once, sorted: for when there is no index."""
    rows = [row for row in every if wanted.covers(row) and (wanted.after is None or order(row) < wanted.after)]
    counts = _counts((row["archived"], row["pinned"], 1) for row in every)
    return Page(rows[: wanted.limit], next_cursor(rows, wanted.limit), counts, indexing=False)


def next_cursor(rows: list[Row], limit: int) -> str | None:
    return cursor_for(order(rows[limit - 1])) if len(rows) > limit else None


def _counts(groups: Iterable[tuple[Any, Any, int]]) -> dict[str, int]:
    counts = {"active": 0, "archived": 0, "pinned": 0}
    for archived, pinned, count in groups:
        counts["archived" if archived else "active"] += count
        if pinned and not archived:
            counts["pinned"] += count
    return counts
