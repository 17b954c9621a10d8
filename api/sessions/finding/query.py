"""What a person typed into the search box, understood: words, phrases, exclusions and filters."""

import re
from datetime import UTC, date, datetime

import msgspec

from api.sessions.finding.fulltext import is_cjk, phrase_of

LONGEST_QUERY = 400
"""Characters of a query that are read."""

MOST_TERMS = 12

_TOKEN = re.compile(
    r'(?P<minus>-?)(?:(?P<field>session|is|tag|project|model|role|before|after):)?(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))'
)


class Query(msgspec.Struct):
    """`terms` must all be found, `excluded` none; each is the list of index words that stand one after the other.

    The last term may be the beginning of a word, when `is_open`: the person may still be typing. Times in seconds.
    """

    terms: list[list[str]] = []
    excluded: list[list[str]] = []
    marks: list[str] = []
    is_open: bool = False
    session: str | None = None
    tag: str | None = None
    project: str | None = None
    model: str | None = None
    role: str | None = None
    before: float | None = None
    after: float | None = None
    is_pinned: bool = False
    is_archived: bool = False

    @property
    def asks_about_messages(self) -> bool:
        return not (self.role is None and self.before is None and self.after is None)


def parse_query(text: str) -> Query:
    """Understand `text`. There is no wrong query: what is no operator is a word."""
    query = Query()
    for token in list(_TOKEN.finditer(text[:LONGEST_QUERY]))[:MOST_TERMS]:
        value = token["word"] if token["phrase"] is None else token["phrase"]
        if token["field"] and not token["minus"] and _set_filter(query, token["field"], value):
            continue
        words = phrase_of(value if not token["field"] else f"{token['field']} {value}")
        if not words:
            continue
        if token["minus"]:
            query.excluded.append(words)
        else:
            query.terms.append(words)
            query.marks.append(value)
            query.is_open = token["phrase"] is None
    return query


def _set_filter(query: Query, field: str, value: str) -> bool:
    """Take `value` as a filter; False where it cannot be one."""
    if field == "is":
        if value not in ("pinned", "archived"):
            return False
        setattr(query, f"is_{value}", True)
        return True
    if field not in ("before", "after"):
        setattr(query, field, value)
        return bool(value)
    try:
        moment = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
    except ValueError:
        return False
    setattr(query, field, moment.timestamp())
    return True


def match_expression(query: Query) -> str:
    """The query in the index's own language, with every word quoted. "" when there is nothing to look for."""
    if not query.terms:
        return ""
    phrases = [_quoted(words) for words in query.terms]
    if query.is_open and _may_be_beginning(query.terms[-1]):
        phrases[-1] += "*"
    wanted = " AND ".join(phrases)
    return " NOT ".join([f"({wanted})", *map(_quoted, query.excluded)])


def _quoted(words: list[str]) -> str:
    return '"' + " ".join(words).replace('"', '""') + '"'


def _may_be_beginning(words: list[str]) -> bool:
    """One or two letters begin too many words to be of use; a CJK character is a word and begins its pairs."""
    return len(words) > 1 or is_cjk(words[0]) or len(words[0]) > 2
