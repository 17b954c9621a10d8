"""May an agent do this? Which calls need a person's word, and what exactly that word is about.

Decided here without looking at anything: from the session's mode, the kind of a call, and the rules a person has made.
"""

import hashlib
import json
from typing import Literal, assert_never

import msgspec

Mode = Literal["read", "ask", "edit", "full"]
"""What a session lets its agent do unasked: read only, nothing that changes things, edit files, everything."""

ToolKind = Literal["read", "edit", "execute", "fetch", "other"]
"""What a call does to the world. `other` is a tool from elsewhere of which nothing is known."""

Runner = Literal["", "fireside", "agent"]
"""Who runs a command: we, so that it is held as all of ours are, or an agent, itself or through us. Empty: unknown."""

Choice = Literal["once", "session", "always", "deny", "expired"]
"""A person's word on a call: this once, for this chat, always, no. `expired`: nobody can say any more."""

MODES: tuple[Mode, ...] = ("read", "ask", "edit", "full")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent wants to do. `arguments` is the exact text that is shown and that runs; `folder` where.

    `title` is a line for a person, `diff` a unified diff of what an edit would change. `grounds` are what else decides
    what it does, by name: files of configuration, the server of its tool; each with a hash of what it is.
    `sets_off`: it edits a file because of which programs run something. `runner` is that of a command.
    """

    call_id: str
    name: str
    kind: ToolKind
    arguments: str
    folder: str = ""
    title: str = ""
    diff: str = ""
    grounds: dict[str, str] = {}
    sets_off: bool = False
    runner: Runner = ""


class Decision(msgspec.Struct, frozen=True):
    """`note`: a word to the agent with it."""

    choice: Choice
    note: str = ""

    @property
    def allows(self) -> bool:
        return self.choice in ("once", "session", "always")


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call that needs no asking any more, in its exact form, and what of it was shown when that was said.

    With a `session_id` it holds in that session only. `created_at` in seconds since 1970. `grounds` are those of the
    call that was shown, None where they were not noted: the rule holds as long as they are the same.
    """

    rule_id: str
    owner: str
    fingerprint: str
    name: str
    arguments: str
    folder: str
    created_at: float
    session_id: str | None = None
    grounds: dict[str, str] | None = None

    def is_about(self, call: Call, session_id: str, owner: str) -> bool:
        """Whether it was made for this call, whatever has changed since."""
        return self.fingerprint == fingerprint(call) and self.owner == owner and self.session_id in (None, session_id)

    def holds_for(self, call: Call) -> bool:
        return (self.grounds or {}) == call.grounds


def changed(before: dict[str, str] | None, now: dict[str, str]) -> tuple[str, ...]:
    """The names of grounds that came, went or are others; none where they were not noted before."""
    if before is None:
        return ()
    return tuple(sorted(name for name in before | now if before.get(name) != now.get(name)))


def mode_of(value: object) -> Mode:
    """The mode that a document names. What is none lets an agent do nothing unasked."""
    return next((mode for mode in MODES if mode == value), "ask")


def judge(mode: Mode, kind: ToolKind) -> Literal["allow", "ask", "deny"]:
    """What a session in `mode` makes of a call of this kind, before any rule of a person's."""
    if kind == "read":
        return "allow"
    match mode:
        case "read":
            return "deny"
        case "ask":
            return "ask"
        case "edit":
            return "allow" if kind == "edit" else "ask"
        case "full":
            return "allow"
        case _:
            assert_never(mode)


def fingerprint(call: Call) -> str:
    """Which call this is, wherever it happens again: the same tool, arguments, folder and change, to the byte."""
    return _sha256(call.name, call.arguments, call.folder, call.diff)


def binding(call: Call, run_id: str) -> str:
    """Which call this is and no other: what a person's word on it is bound to."""
    grounds = json.dumps(call.grounds, sort_keys=True)
    return _sha256(call.name, call.arguments, call.folder, run_id, call.call_id, call.diff, grounds)


def _sha256(*parts: str) -> str:
    # As a JSON list, so that no two lists of parts make the same bytes.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
