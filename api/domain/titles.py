"""What a session is called until a person says otherwise."""

import re

UNTITLED = "Untitled"
_AROUND = " \t*_#`\"'“”„«»‘’。."
_LABEL = re.compile(r"^(?:title|titel|titre)\W*:\W*", re.IGNORECASE)
_TAG = re.compile(r"(?:^|\s)#([^\s#]{1,50})")


def title_from(message: str, limit: int = 60) -> str:
    """The first line of a message that says anything, cut to `limit` characters at a word where one is near."""
    line = next((" ".join(line.split()) for line in message.splitlines() if line.strip()), "")
    if len(line) <= limit:
        return line or UNTITLED
    cut = line[: limit - 1]
    head, _, tail = cut.rpartition(" ")
    return (head if head and len(tail) < 20 else cut) + "…"


def title_said(answer: str) -> str | None:
    """The title in what a model said when it was asked for one: without marks, quotes or label; else None."""
    lines = (line.strip().strip(_AROUND) for line in answer.splitlines())
    line = next((_LABEL.sub("", line).strip(_AROUND) for line in lines if line), "")
    return title_from(line) if line else None


def split_tags(title: str) -> tuple[str, list[str]]:
    """The title without its `#tags`, and these without their sign, in order, each once."""
    tags = list(dict.fromkeys(_TAG.findall(title)))
    return " ".join(_TAG.sub(" ", title).split()), tags
