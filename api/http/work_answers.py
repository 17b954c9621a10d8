"""Answers about an agent at work: what it asks, changes and remembers. A source of OpenAPI, as `answers`."""

from typing import Any, Literal

from pydantic import BaseModel


class Asking(BaseModel):
    """A run that waits for a person's word, and all that it asks: see `ApprovalRequested` and `QuestionAsked`."""

    stream_id: str
    session_id: str
    title: str
    kind: Literal["turn", "aside", "task"]
    approvals: list[dict[str, Any]]
    question: dict[str, Any] | None


class AskingList(BaseModel):
    """The longest waiting first."""

    asking: list[Asking]


class Rule(BaseModel):
    """An exact call that is not asked about any more: in one session, or without a `session_id` in all."""

    rule_id: str
    name: str
    arguments: str
    folder: str
    created_at: float
    session_id: str | None = None


class RuleList(BaseModel):
    """Oldest first."""

    rules: list[Rule]


class ChangedFile(BaseModel):
    """What an answer did to a file. `diff` is unified. With `not_kept`, a sentence, it cannot be undone."""

    name: str
    what: Literal["made", "deleted", "changed"]
    by: Literal["tool", "command"]
    diff: str
    not_kept: str


class RunChanges(BaseModel):
    stream_id: str
    files: list[ChangedFile]


class ChangesAnswer(BaseModel):
    """What the answers of a session changed in its folder, oldest first."""

    changes: list[RunChanges]


class FilesRestored(BaseModel):
    """Names of files: as they were before, left because someone else changed them since, and not kept at all."""

    restored: list[str]
    conflicts: list[str]
    not_kept: list[str]


class SandboxAnswer(BaseModel):
    """What holds commands. `why`: what was missing for a better one; `network`: whether they may reach others."""

    kind: Literal["bubblewrap", "landlock", "none"]
    why: str
    network: bool


class MemoryAnswer(BaseModel):
    """What the built-in agent remembers in all sessions. `most` characters fit."""

    text: str
    revision: int
    most: int


class Skill(BaseModel):
    """`origin`: our own place, the folder of the session, or the home folder; `place` is the folder in it, and `whose`
    the agent that it is meant for, empty for any. `path` is that of its SKILL.md; `problem`, why it is not offered.
    """

    id: str
    name: str
    description: str
    origin: Literal["own", "folder", "home"]
    whose: str
    place: str
    path: str
    is_on: bool
    problem: (
        Literal[
            "unreadable",
            "outside",
            "too_large",
            "no_head",
            "no_description",
            "no_name",
            "name_taken",
            "too_many",
        ]
        | None
    )


class SkillList(BaseModel):
    """In the order in which they count. `folder`: that of the session, or null; `own`: where to put more.

    `most_on`: so many are offered at most. `is_cut`: there are more than can be listed.
    """

    skills: list[Skill]
    folder: str | None
    own: str
    most_on: int
    is_cut: bool


class SkillText(BaseModel):
    text: str
