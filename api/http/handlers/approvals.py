"""What agents ask before they act, and what a person says."""

from fastapi import Response

from api.http.bodies import Answer, ApprovalMode, Approve, RuleRevoke
from api.http.rooms import House, Owner, reply
from api.runs.permitting import public
from api.sessions.documents.session import Session


async def pending(house: House, owner: Owner) -> Response:
    """All that waits for a person's word, in all sessions."""
    return reply({"asking": await house.permitting.asking(owner=owner)})


async def respond(body: Approve, house: House, owner: Owner) -> Response:
    """Say whether exactly what was shown may run. Answered once that is durable; the same word again does nothing."""
    await house.permitting.decide(body.approval_id, body.arguments_sha256, body.choice, body.note, owner=owner)
    return reply({"ok": True})


async def answer(body: Answer, house: House, owner: Owner) -> Response:
    """Answer an agent's question."""
    await house.permitting.answer(body.stream_id, body.question_id, body.text, owner=owner)
    return reply({"ok": True})


async def rules(house: House, owner: Owner) -> Response:
    """What is not asked about any more."""
    rules = await house.permitting.rules(owner=owner)
    return reply({"rules": [public(rule) for rule in rules]})


async def revoke(body: RuleRevoke, house: House, owner: Owner) -> Response:
    """Ask about it again."""
    await house.permitting.revoke(body.rule_id, owner=owner)
    house.changes.note_topic("approvals")
    return reply({"ok": True})


async def mode(body: ApprovalMode, house: House, owner: Owner) -> Response:
    """Say what a session lets its agent do unasked, from its next turn on."""

    def choose(session: Session) -> None:
        session.approval_mode = body.mode

    session, _ = await house.conversing.change(
        body.session_id, choose, revision=body.revision, while_running=True, owner=owner
    )
    return reply({"session": session.row()})
