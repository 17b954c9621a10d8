"""How an agent asks before it acts. The agent asks and waits here; the run journals what is said and tells it."""

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from api.domain.approvals import Call, Decision, Mode, Rule, binding, changed, judge
from api.domain.events import ApprovalRequested
from api.domain.ids import new_approval_id

READ_ONLY = "This session is set to read only, so this was not done."

_HAVE_GROUNDS = ("execute", "other")
"""The kinds of calls that do what something else says."""


class Asked(NamedTuple):
    """`call` waits for a person's word.

    `event` is to be yielded; None when a run before a restart asked it already.
    """

    approval_id: str
    call: Call
    event: ApprovalRequested | None


T = TypeVar("T")


class Replies(Generic[T]):
    """What a person says to a running agent, by the id of what was asked. It is in the journal before it is told.

    `waited_s` is how long the agent waited for words that have come.
    """

    def __init__(self) -> None:
        self.waited_s = 0.0
        self._words: dict[str, asyncio.Future[T]] = {}

    async def wait(self, asked_id: str) -> T:
        began = monotonic()
        word = await self._word(asked_id)
        self.waited_s += monotonic() - began
        return word

    def tell(self, asked_id: str, word: T) -> None:
        """For the run: pass a word on. Only the first one counts."""
        future = self._word(asked_id)
        if not future.done():
            future.set_result(word)

    def _word(self, asked_id: str) -> "asyncio.Future[T]":
        if asked_id not in self._words:
            self._words[asked_id] = asyncio.get_running_loop().create_future()
        return self._words[asked_id]


class Permissions:
    """What one run may do. `find_rule` gives a rule of the person's that is about a call, best one that holds for it.

    `mode` is that of the session when the run began. `grounds_of` looks at what a call stands on, and may block.
    `pending` is what the run had asked before a restart.
    """

    def __init__(
        self,
        run_id: str = "",
        *,
        mode: Mode = "ask",
        find_rule: Callable[[Call], Rule | None] = lambda _: None,
        grounds_of: Callable[[Call], dict[str, str]] = lambda _: {},
        pending: Iterable[ApprovalRequested] = (),
    ) -> None:
        self.mode = mode
        self._run_id = run_id
        self._find_rule = find_rule
        self._grounds_of = grounds_of
        self.decisions: Replies[Decision] = Replies()
        self._before = list(pending)

    def unasked(self, call: Call) -> Decision | None:
        """What is decided about a call without a person, whatever it would change; None where they are to be asked."""
        if any(_what(asked)[:3] == _what(call)[:3] for asked in self._before):
            return None
        match judge(self.mode, call.kind):
            case "allow":
                return Decision("once")
            case "deny":
                return Decision("deny", READ_ONLY)
            case "ask":
                rule = self._find_rule(call)
                return Decision("always") if rule is not None and rule.holds_for(call) else None

    async def request(self, call: Call) -> Decision | Asked:
        """May this exact call run? Either it is decided, or a person is to be asked: see `Asked`."""
        call = await self._with_grounds(call)
        before = self._asked_before(call)
        if before is not None and before.grounds == call.grounds:
            return Asked(before.approval_id, call, None)
        if decided := self.unasked(call):
            return decided
        rule = self._find_rule(call)
        return self._ask(call, since=before.grounds if before else rule.grounds if rule else None)

    async def confirm(self, asked: Asked, word: Decision) -> Decision | Asked:
        """A person's word on a call, unless that stands on something else by now: then they are asked again."""
        now = await self._with_grounds(asked.call)
        if not word.allows or now.grounds == asked.call.grounds:
            return word
        return self._ask(now, since=asked.call.grounds)

    async def decided(self, approval_id: str) -> Decision:
        """Wait for a person's word. It is in the journal when this returns, and given once."""
        return await self.decisions.wait(approval_id)

    def _ask(self, call: Call, *, since: dict[str, str] | None) -> Asked:
        event = ApprovalRequested(
            approval_id=new_approval_id(),
            call_id=call.call_id,
            name=call.name,
            arguments=call.arguments,
            arguments_sha256=binding(call, self._run_id),
            kind=call.kind,
            title=call.title,
            folder=call.folder,
            diff=call.diff,
            grounds=call.grounds,
            changed=changed(since, call.grounds),
            sets_off=call.sets_off,
            runner=call.runner,
        )
        return Asked(event.approval_id, call, event)

    async def _with_grounds(self, call: Call) -> Call:
        if call.kind not in _HAVE_GROUNDS or judge(self.mode, call.kind) != "ask":
            return call
        return replace(call, grounds=await asyncio.to_thread(self._grounds_of, call))

    def _asked_before(self, call: Call) -> ApprovalRequested | None:
        """What was asked before a restart about this very call, by whatever id the agent calls it now. Found once."""
        for asked in self._before:
            if _what(asked) == _what(call):
                self._before.remove(asked)
                return asked
        return None


def _what(of: Call | ApprovalRequested) -> tuple[str, ...]:
    return of.name, of.arguments, of.folder, of.diff
