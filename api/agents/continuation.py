"""Taking out of a continued answer what it repeats of the answer so far."""

_SHORTEST = 12
"""Fewer characters than this may well be said twice on purpose: a word, a list mark, an indent."""


class Continuation:
    """Pieces go in as they come, what is new comes out.

    Text is held back only as long as all of it is a passage of the answer so far, so that a model which goes on
    properly is delayed by a word or two at most.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._held = ""
        self._is_open = bool(said)

    def hear(self, text: str) -> str:
        """The part of `text`, with what was held back before it, that can be shown now."""
        if not self._is_open:
            return text
        self._held += text
        return "" if self._held in self._said else self.rest()

    def rest(self) -> str:
        """What is still held back, less what it repeats. Nothing is held back from here on."""
        self._is_open = False
        held, self._held = self._held, ""
        return held[_overlap(self._said, held) :]


def _overlap(said: str, new: str) -> int:
    """How many characters at the start of `new` are the end of `said` again."""
    longest = min(len(said), len(new))
    return next((n for n in range(longest, _SHORTEST - 1, -1) if said.endswith(new[:n])), 0)
