"""An HTML page as text to read. Run as a script, page to text, in a process that is ended when it takes too long.

Python's parser can be made to work for minutes on a page of a megabyte; here that harms nobody.
"""

import re
import sys
from html.parser import HTMLParser

_UNSEEN = {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "select", "button"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"),
    *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul", "br", "title"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
_ENDLESS = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_MARKS = {"li": "- ", "h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### "}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen: list[str] = []
        self._links: list[str] = []
        self._in_pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen or tag in _UNSEEN:
            if tag not in _ENDLESS:
                self._unseen.append(tag)
            return
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag in _MARKS:
            self.parts.append(_MARKS[tag])
        given = {name: value or "" for name, value in attrs}
        if tag == "pre":
            self._in_pre += 1
        elif tag in ("td", "th"):
            self.parts.append("| " if self._is_at_start else " | ")
        elif tag == "a":
            self._links.append(given.get("href", ""))
        elif tag == "img" and given.get("alt"):
            self.parts.append(f"[image: {given['alt']}]")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                while self._unseen.pop() != tag:
                    pass
            return
        if tag == "pre":
            self._in_pre = max(0, self._in_pre - 1)
        elif tag == "a" and self._links:
            address = self._links.pop()
            if address and not address.startswith(("#", "javascript:")):
                self.parts.append(f" ({address})")
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if not self._in_pre:
            data = re.sub(r"\s+", " ", data)
            data = data.lstrip() if self._is_at_start else data
        self.parts.append(data)

    @property
    def _is_at_start(self) -> bool:
        """Whether nothing was written on this line yet."""
        last = next((part for part in reversed(self.parts) if part), "\n")
        return last.endswith("\n")


def text_of(page: str) -> str:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    lines = (line.rstrip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


if __name__ == "__main__":
    sys.stdout.buffer.write(text_of(sys.stdin.buffer.read().decode(errors="replace")).encode(errors="replace"))
