"""What agents ask a person, in all sessions, and the word that each is given."""

import asyncio
from typing import Any, Literal

import msgspec

from api.domain.approvals import Call, Choice, Decision, Rule
from api.domain.errors import BadRequest, NotFound
from api.domain.events import ApprovalRequested, QuestionAsked
from api.domain.ids import OWNER_LOCAL, RunId
from api.domain.messages import clean_text
from api.domain.titles import UNTITLED
from api.runs.engine import Engine
from api.runs.rules import Rules
from api.runs.run import Run


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A run that waits for a person, and all that it asks. `title` is that of its session."""

    stream_id: RunId
    session_id: str
    title: str
    kind: Literal["turn", "aside", "task"]
    approvals: list[ApprovalRequested]
    question: QuestionAsked | None


def public(rule: Rule) -> dict[str, Any]:
    """What may be shown of a rule: all but whose it is and what only a machine compares."""
    hidden = ("owner", "fingerprint", "grounds")
    return {name: value for name, value in msgspec.structs.asdict(rule).items() if name not in hidden}


class Permitting:
    """Called on the event loop."""

    def __init__(self, engine: Engine, rules: Rules) -> None:
        self._engine = engine
        self._rules = rules

    async def asking(self, *, owner: str = OWNER_LOCAL) -> list[Asking]:
        """Everything that waits for a person's word, the longest waiting first."""
        runs = [run for run in self._engine.runs(owner) if run.is_waiting]
        return await asyncio.to_thread(lambda: [self._asking(run) for run in runs])

    async def decide(
        self, approval_id: str, arguments_sha256: str, choice: Choice, note: str = "", *, owner: str = OWNER_LOCAL
    ) -> None:
        """Give an agent a person's word. What is allowed for longer becomes a rule.

        Raises:
            NotFound: this is not asked any more.
            Conflict: another word was given already, or it is about something else than what was shown.
            StorageFailed: the word, or the rule, could not be written down. Without the word nothing was done.
        """
        run = next((run for run in self._engine.runs(owner) if run.asked(approval_id)), None)
        if run is None:
            raise NotFound("This is not asked any more.", code="approval_not_found")
        asked = await run.decide(approval_id, arguments_sha256, Decision(choice, note))
        if choice in ("session", "always"):
            session_id = run.header.session_id if choice == "session" else None
            await asyncio.to_thread(
                self._rules.add, _call(asked), owner=owner, session_id=session_id, now=self._engine.clock()
            )

    async def answer(self, stream_id: str, question_id: str, text: str, *, owner: str = OWNER_LOCAL) -> None:
        """Give an agent a person's answer to its question. Raises as `decide`, and BadRequest when it says nothing."""
        text = clean_text(text)
        if not text.strip():
            raise BadRequest("The answer is empty. Write something first.", code="empty_message", field="text")
        run = next((run for run in self._engine.runs(owner) if run.header.run_id == stream_id), None)
        if run is None:
            raise NotFound("This is not asked any more.", code="question_not_found")
        await run.answer(question_id, text)

    async def rules(self, *, owner: str = OWNER_LOCAL) -> list[Rule]:
        """What is not asked about any more, oldest first."""
        return await asyncio.to_thread(self._rules.of, owner)

    async def revoke(self, rule_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Ask about it again. Raises as `Rules.revoke`."""
        await asyncio.to_thread(self._rules.revoke, rule_id, owner=owner)

    async def forget_tools(self, beginning: str) -> None:
        """Ask about tools whose names begin so again. Raises as `Rules.forget_tools`."""
        await asyncio.to_thread(self._rules.forget_tools, beginning)

    def _asking(self, run: Run) -> Asking:
        header = run.header
        try:
            title = self._engine.store.get(header.session_id, owner=header.owner).title
        except NotFound:
            title = UNTITLED
        return Asking(
            stream_id=header.run_id,
            session_id=header.session_id,
            title=title,
            kind=header.kind,
            approvals=list(run.transcript.pending_approvals),
            question=run.transcript.question,
        )


def _call(asked: ApprovalRequested) -> Call:
    return Call(
        call_id=asked.call_id,
        name=asked.name,
        kind=asked.kind,
        arguments=asked.arguments,
        folder=asked.folder,
        title=asked.title,
        diff=asked.diff,
        grounds=asked.grounds,
    )
