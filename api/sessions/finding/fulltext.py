"""How text becomes searchable words: Chinese, Japanese and Korean as overlapping pairs, all else as words."""

import re
import unicodedata

VERSION = f"1-{unicodedata.unidata_version}"
"""Changes when the same text would give other words: entries made by another version cannot be taken out again."""

LONGEST_TEXT = 200_000
"""Characters of one message that can be found. Tool output beyond that is noise."""

_CJK_RUN = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U000323af]+"
)


def searchable(text: str) -> str:
    """`text` as it is stored for searching and shown in snippets: bounded, and without NUL, where SQLite stops."""
    return text[:LONGEST_TEXT].replace("\x00", " ")


def words_of(text: str) -> str:
    """`text` as it is given to the index, cut into words at its spaces.

    A run of n > 1 CJK characters becomes its n-1 pairs and its last character, so that every character begins a word.
    """
    return _CJK_RUN.sub(lambda run: f" {' '.join(_pairs(run[0], with_last=True))} ", normal(text))


def phrase_of(word: str) -> list[str]:
    """The words, one after the other, that stand in the index wherever `word` stands in a text."""
    pieces: list[str] = []
    end = 0
    word = normal(word)
    for run in _CJK_RUN.finditer(word):
        pieces += _plain(word[end : run.start()])
        end = run.end()
        # Only where the run ends in the text as well does its last character stand alone.
        pieces += _pairs(run[0], with_last=end < len(word))
    return pieces + _plain(word[end:])


def _plain(stretch: str) -> list[str]:
    """The index cuts other scripts itself; a stretch of signs alone holds no word."""
    return [stretch] if any(map(str.isalnum, stretch)) else []


def _pairs(run: str, *, with_last: bool) -> list[str]:
    if len(run) == 1:
        return [run]
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    return [*pairs, run[-1]] if with_last else pairs


def normal(text: str) -> str:
    """Full-width and other compatible forms as the plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def is_cjk(text: str) -> bool:
    return bool(_CJK_RUN.match(text))
