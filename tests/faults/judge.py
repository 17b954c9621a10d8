"""Whether what the clients of one conversation asked for and saw can have happened at all, after Jepsen's fashion.

What was asked for at the same time may have been done in any order. So every order that agrees with the clock and with
the revisions is tried on a model of a conversation, until one explains all that was seen: what was answered with a yes
was done once, what was refused was not done, and what was never answered was done once or not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Outcome = Literal["ok", "fail", "info"]
"""`info`: nobody answered, so it may have been done, and if so, perhaps later."""

Entry = tuple[str, ...]
"""A message of a conversation, `("user", message_id)`, or an answer, `("answer", run_id, *told)`.

`told`: the ids of the messages that its agent was told while it worked, and took.
"""

Versions = tuple[str, tuple[str, ...], int]
"""A message of which there are several versions: its id, those that they begin with, oldest first, and its place."""

BESIDE = ("rename", "delete", "restore", "queue", "queue_delete")
"""What does not touch what was said, nor the order in which what waits is sent."""
LOOKING = ("read", "copy")

ENDINGS = ("stream_end", "cancel", "apperror")


@dataclass
class Op:
    """Something that a client asked for. `invoked` and `returned` are moments of one clock that all clients share."""

    client: int
    kind: str
    invoked: int
    target: str | None = None
    """The message that it is about."""
    message_id: str | None = None
    """The message that it adds."""
    title: str | None = None
    """The name that it gives, or that was read."""
    outcome: Outcome = "info"
    returned: int = 0
    run_id: str | None = None
    revision: int | None = None
    """Of the session after it; None where the answer does not tell, as when it had to be asked for twice."""
    seen: tuple[Entry, ...] | None = None
    """Of a read or a copy: what was there, None when there was no such session."""
    versions: tuple[Versions, ...] | None = None
    """Of a read: what there are several versions of; None where it did not look."""
    number: int = 0
    """Which version it chooses, counted from 1."""
    is_accepted: bool = False
    """Was it told that an agent at work would be told?"""
    waiting: tuple[str, ...] | None = None
    """Of a read: the queue, once nothing is sent out of it any more."""
    code: str = ""
    """Why it was refused."""
    asked: int = 0
    """How often, until someone answered."""


@dataclass
class Reading:
    """What one reader was shown of a run, over all its connections."""

    run_id: str
    numbers: list[int] = field(default_factory=list)
    text: str = ""
    ending: str = ""
    trouble: str = ""


@dataclass
class Answer:
    """An answer as the document holds it in the end."""

    run_id: str
    message_id: str
    """The message that it answers."""
    text: str
    outcome: str
    told: tuple[str, ...] = ()
    """The messages that its agent was told and took."""


@dataclass
class History:
    """One conversation from beginning to end. `scripts`: by message, the whole answer that it asks for."""

    seed: str
    ops: list[Op] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    replays: dict[str, Reading] = field(default_factory=dict)
    """By run: what someone sees who comes when all is over."""
    answers: list[Answer] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)


def complaints(history: History) -> list[str]:
    """What cannot have happened if nothing was lost, doubled, reordered or brought back; nothing when all is well."""
    return [*_about_order(history), *_about_readings(history), *_about_answers(history)]


# What readers were shown


def _about_readings(history: History) -> Iterator[str]:
    for one in [*history.readings, *history.replays.values()]:
        who = f"a reader of {one.run_id}"
        if one.trouble:
            yield f"{who} {one.trouble}"
        if one.numbers != list(range(1, len(one.numbers) + 1)):
            yield f"{who} was shown the events {one.numbers}"
        whole = history.replays.get(one.run_id)
        if whole is None:
            yield f"{who} was shown a run that is not there any more"
        elif (one.text, one.ending, len(one.numbers)) != (whole.text, whole.ending, len(whole.numbers)):
            yield f"{who} was shown {one.text!r} ({one.ending}), and its journal says {whole.text!r} ({whole.ending})"


def _about_answers(history: History) -> Iterator[str]:
    for one in history.answers:
        script, told = history.scripts.get(one.message_id, ""), [history.scripts[each] for each in one.told]
        is_whole = one.outcome == "done"
        rest = _without(one.text, told, is_whole=is_whole)
        if rest is None or not (rest == script if is_whole else script.startswith(rest)):
            yield f"{one.message_id} is answered ({one.outcome}) by {one.text!r} instead of {script!r}, told {told!r}"
        shown = history.replays.get(one.run_id)
        if shown is not None and shown.text != one.text:
            yield f"the answer of {one.run_id} is {one.text!r}, and shown was {shown.text!r}"


def _without(text: str, told: list[str], *, is_whole: bool) -> str | None:
    """An answer without what it says to what its agent was told; None when it does not say that.

    Where the answer was cut off, that may be within it, or before it.
    """
    for script in told:
        before, found, after = text.partition(script)
        if not found and is_whole:
            return None
        begin = text.find(script.split()[0])
        if found:
            text = before + after
        elif begin >= 0 and script.startswith(text[begin:]):
            text = text[:begin]
    return text


# What was done, in which order


class Node(NamedTuple):
    """A message or an answer with the other versions of the turn that it begins, each with all that followed it."""

    entry: Entry
    older: tuple["Tail", ...] = ()
    newer: tuple["Tail", ...] = ()


Tail = tuple[Node, ...]


class State(NamedTuple):
    """A conversation as the model has it.

    `told`: what the running agent may have been told and may take. `taken`: what was taken away, with what stood before
    it.
    """

    nodes: Tail = ()
    running: Entry | None = None
    told: tuple[str, ...] = ()
    taken: tuple[tuple[Entry | None, Tail], ...] = ()
    queue: tuple[str, ...] = ()
    title: str | None = None
    revision: int = 0
    is_deleted: bool = False
    is_stored: bool = False

    @property
    def last(self) -> Entry | None:
        return self.nodes[-1].entry if self.nodes else None

    def freed(self) -> "list[State]":
        """Once its run has ended, and its answer is there: by how much its agent has taken of what it was told."""
        if self.running is None:
            return [self]
        return [self._ended(self.running, self.told[:count]) for count in range(len(self.told) + 1)]

    def _ended(self, run: Entry, told: tuple[str, ...]) -> "State":
        queue = tuple(one for one in self.queue if one not in told)
        return self._replace(nodes=(*self.nodes, Node((*run, *told))), running=None, told=(), queue=queue)

    def sent_from_queue(self) -> Iterator["State"]:
        """This state, and those in which the first messages that wait have been sent, one after the other."""
        yield self
        for free in self.freed():
            if free.queue and not free.is_deleted:
                first, *rest = free.queue
                sent = free.asked(first, ("answer", f"?{first}"))._replace(queue=tuple(rest))
                yield from sent.sent_from_queue()

    def asked(self, message_id: str, answer: Entry) -> "State":
        return self._replace(nodes=(*self.nodes, Node(("user", message_id))), running=answer)

    def cut(self, position: int) -> "State":
        after = self.nodes[position - 1].entry if position else None
        return self._replace(nodes=self.nodes[:position], taken=(*self.taken, (after, self.nodes[position:])))

    def last_user(self) -> int:
        """The position of the last message of a person, -1 without one."""
        return max((at for at, node in enumerate(self.nodes) if node.entry[0] == "user"), default=-1)

    def versions_at(self, position: int) -> tuple[Tail, ...]:
        """All versions of the turn that begins there, the one that stands there among them."""
        first, *rest = self.nodes[position:]
        return (*first.older, (Node(first.entry), *rest), *first.newer)

    def versions(self) -> tuple[Versions, ...]:
        return tuple(
            (node.entry[1], tuple(tail[0].entry[1] for tail in self.versions_at(at)), len(node.older))
            for at, node in enumerate(self.nodes)
            if node.older or node.newer
        )


def _about_order(history: History) -> Iterator[str]:
    """A search, depth first, through the orders that the clock allows."""
    ops = [one for one in history.ops if one.outcome != "fail"]
    seen: set[tuple[int, State]] = set()
    stack = [(0, State())]
    furthest, stuck_at = 0, State()
    all_known = sum(1 << at for at, one in enumerate(ops) if one.outcome == "ok")
    while stack:
        done, state = stack.pop()
        if done & all_known == all_known:
            return
        if (known := (done & all_known).bit_count()) > furthest:
            furthest, stuck_at = known, state
        for step in _steps(ops, done, state):
            if step not in seen:
                seen.add(step)
                stack.append(step)
    told = "\n".join(f"  {one}" for one in sorted(history.ops, key=lambda one: one.invoked))
    yield f"no order explains it; {furthest} steps lead to {stuck_at}, and no further:\n{told}"


def _steps(ops: Sequence[Op], done: int, state: State) -> list[tuple[int, State]]:
    steps: list[tuple[int, State]] = []
    for at in _next(ops, done):
        # What is sent out of the queue matters to those only who look, or change what was said.
        before = [state] if ops[at].kind in BESIDE else state.sent_from_queue()
        after = [one for now in before for one in _after(now, ops[at], at)]
        unchanged = [one for one in after if one._replace(revision=state.revision) == state]
        if ops[at].kind in LOOKING and unchanged:
            return [(done | 1 << at, unchanged[0])]  # it only looked, so it can as well have been done at once
        steps += [(done | 1 << at, one) for one in after]
    return steps


def _next(ops: Sequence[Op], done: int) -> Iterator[int]:
    """What may have happened next: whatever had been asked for before the first of the others was answered."""
    waiting = [at for at in range(len(ops)) if not done >> at & 1]
    deadline = min((ops[at].returned for at in waiting if ops[at].outcome == "ok"), default=0)
    lowest = min((ops[at].revision or 0 for at in waiting if _is_numbered(ops[at])), default=0)
    changes = {ops[at].revision for at in waiting if _is_numbered(ops[at]) and ops[at].kind != "read"}
    # What never was answered comes first, so that the search, which tries the last one first, tries it last.
    for at in sorted(waiting, key=lambda at: ops[at].outcome == "ok"):
        is_too_soon = _is_numbered(ops[at]) and (ops[at].revision or 0) > lowest
        if ops[at].kind == "read" and ops[at].revision in changes:
            is_too_soon = True
        if ops[at].invoked < deadline and not is_too_soon:
            yield at


def _is_numbered(op: Op) -> bool:
    """Is its revision exactly the one that it saw or made?"""
    return op.outcome == "ok" and op.revision is not None and op.kind != "rename"


def _after(state: State, op: Op, at: int) -> Iterator[State]:
    """The states that `op` may lead to; none where it cannot have been done."""
    if op.kind == "read":
        yield from _reads(state, op)
        return
    is_possible_meanwhile = op.kind in (*BESIDE, "copy", "steer")
    for before in {*state.freed(), state} if is_possible_meanwhile else state.freed():
        after = _done(before, op, at)
        if after is None:
            continue
        # A name is given while an answer is written, which may enter the document before the name is answered.
        if op.revision is None or op.kind == "rename" or not after.is_stored:
            yield after
        elif op.revision > state.revision:
            yield after._replace(revision=op.revision)


def _reads(state: State, op: Op) -> Iterator[State]:
    if op.seen is None:
        if state.is_deleted or not state.is_stored:
            yield state
        return
    for one in {*state.freed(), state}:
        is_so = _match(op.seen, one.nodes) and one.title in (None, op.title) and not one.is_deleted
        is_so = is_so and op.waiting in (None, one.queue) and op.versions in (None, one.versions())
        if is_so and (op.revision or 0) >= state.revision:
            yield one._replace(revision=op.revision or 0)


def _done(state: State, op: Op, at: int) -> State | None:
    if op.kind == "restore":
        return state._replace(is_deleted=False)
    if op.kind == "delete":
        return state._replace(is_deleted=True)
    if state.is_deleted:
        return None
    if op.kind == "rename":
        return state._replace(title=op.title)
    if op.kind == "queue":
        return state._replace(queue=(*state.queue, op.message_id or ""), is_stored=True)
    if op.kind == "steer":
        return _told(state, op)
    if op.kind == "queue_delete":
        left = tuple(one for one in state.queue if one != op.target)
        told = tuple(one for one in state.told if one != op.target)
        return state._replace(queue=left, told=told) if left != state.queue else None
    if op.kind == "copy":
        end = len(state.nodes) if op.target is None else _place(state, op.target) + 1
        is_so = op.seen is None or _match(op.seen, state.nodes[:end])
        return state if end and is_so else None
    changed = _changed(state, op, ("answer", op.run_id or f"?{at}"))
    return changed and changed._replace(is_stored=True)


def _told(state: State, op: Op) -> State | None:
    """Waits before all others, from where an agent at work may take it."""
    message_id = op.message_id or ""
    if op.is_accepted and state.running is None:
        return None
    told = (*state.told, message_id) if state.running else ()
    return state._replace(queue=(message_id, *state.queue), told=told, is_stored=True)


def _changed(state: State, op: Op, answer: Entry) -> State | None:
    last = state.last_user()
    match op.kind:
        case "send":
            return state.asked(op.message_id or "", answer)
        case "edit" if (place := _place(state, op.target)) >= 0:
            edited = Node(("user", op.message_id or ""), state.versions_at(place))
            return state._replace(nodes=(*state.nodes[:place], edited), running=answer)
        case "retry" if last >= 0:
            asked = state.nodes[last]
            again = Node(asked.entry, state.versions_at(last)) if last + 1 < len(state.nodes) else asked
            return state._replace(nodes=(*state.nodes[:last], again), running=answer)
        case "version" if (place := _place(state, op.target)) >= 0:
            return _with_version(state, place, op.number)
        case "undo" if last >= 0:
            return state.cut(last)
        case "clear" if state.nodes:
            return state.cut(0)
        case "truncate" if 0 < (end := _place(state, op.target) + 1) < len(state.nodes):
            return state.cut(end)
        case "put_back" if state.taken and state.taken[-1][0] == state.last:
            return state._replace(nodes=(*state.nodes, *state.taken[-1][1]), taken=state.taken[:-1])
    return None


def _with_version(state: State, place: int, number: int) -> State | None:
    versions = state.versions_at(place)
    if not 1 <= number <= len(versions) or number == len(state.nodes[place].older) + 1:
        return None
    first, *rest = versions[number - 1]
    chosen = Node(first.entry, versions[: number - 1], versions[number:])
    return state._replace(nodes=(*state.nodes[:place], chosen, *rest))


def _place(state: State, message_id: str | None) -> int:
    """Where a message of a person stands, -1 for nowhere."""
    entry = ("user", message_id or "")
    return next((at for at, node in enumerate(state.nodes) if node.entry == entry), -1)


def _match(seen: Sequence[Entry], nodes: Tail) -> bool:
    """The run of an answer is known only to who was told of it."""
    expected = [node.entry for node in nodes]
    return len(seen) == len(expected) and all(
        one == other or (one[0] == other[0] == "answer" and other[1].startswith("?") and one[2:] == other[2:])
        for one, other in zip(seen, expected, strict=True)
    )
