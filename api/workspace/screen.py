"""Output of a program as plain text: what would paint, move or command a terminal is taken out, never passed on."""

import codecs
import re

_SEQUENCES = re.compile(
    r"""
    \x1b\[[0-?]*[ -/]*[@-~]                 # colours, cursor
    | \x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)   # titles, links, the clipboard
    | \x1b[PX^_][^\x1b]*\x1b\\              # strings to the device
    | \x1b[ -/]*[0-~]
    | [\x80-\x9f]
    """,
    re.VERBOSE,
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)?\Z")
_CONTROLS = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]")
_BACK = re.compile("[^\b\n]\b")
_LONGEST_SEQUENCE = 4096
_LONGEST_LINE = 65536


class Screen:
    """Takes bytes as they come, cut anywhere. What a `\\r` goes over is gone: a progress bar leaves its last state."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._return = ""
        self.line = ""
        """The line that has not ended yet."""

    def feed(self, data: bytes, *, is_last: bool = False) -> str:
        """The lines that are complete now, and with `is_last` also the one that never ended."""
        text = self._held + self._decoder.decode(data, is_last)
        self._held = ""
        unfinished = _UNFINISHED.search(text)
        if unfinished and not is_last and len(text) - unfinished.start() < _LONGEST_SEQUENCE:
            text, self._held = text[: unfinished.start()], text[unfinished.start() :]
        text = self.line + self._return + _CONTROLS.sub("", _SEQUENCES.sub("", text))
        # At the end it is half of a line end, or the start of a line over this one.
        self._return = "\r" if text.endswith("\r") and not is_last else ""
        if "\r" in text:
            lines = text.replace("\r\n", "\n").split("\n")
            text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
        while "\b" in text:
            shorter = _BACK.sub("", text)
            text = shorter if shorter != text else text.replace("\b", "")
        lines, end, self.line = text.rpartition("\n")
        if is_last or len(self.line) > _LONGEST_LINE:
            lines, end, self.line = lines + end + self.line, "", ""
        return lines + end
