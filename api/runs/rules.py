"""What a person allowed for more than once: exact calls, in one session or in all, that are not asked about again."""

import secrets
import threading
from typing import Any, Protocol

import msgspec

from api.domain.approvals import Call, Rule, fingerprint
from api.domain.errors import Conflict, NotFound

MAX_RULES = 1000


class Record(Protocol):
    """A small JSON object kept on disk."""

    def read(self) -> dict[str, Any]: ...

    def write(self, value: dict[str, Any]) -> None: ...


class Rules:
    """All rules of this server, oldest first. Safe to call from any thread; reads the disk once."""

    def __init__(self, record: Record) -> None:
        """`record` is `{rules: [Rule]}`. It lies where no agent's tools reach."""
        self._record = record
        self._lock = threading.Lock()
        self._rules: list[Rule] | None = None

    def of(self, owner: str) -> list[Rule]:
        with self._lock:
            return [rule for rule in self._all() if rule.owner == owner]

    def find(self, call: Call, session_id: str, owner: str) -> Rule | None:
        """A rule that is about `call`: one that holds for it, where there is one."""
        with self._lock:
            about = [rule for rule in self._all() if rule.is_about(call, session_id, owner)]
        return next((rule for rule in about if rule.holds_for(call)), about[0] if about else None)

    def add(self, call: Call, *, owner: str, session_id: str | None, now: float) -> Rule:
        """Do not ask about `call` again, in one session or, without one, in all.

        Raises:
            Conflict: there are too many.
            StorageFailed: it could not be kept.
        """
        rule = Rule(
            rule_id=f"rule-{secrets.token_hex(8)}",
            owner=owner,
            fingerprint=fingerprint(call),
            name=call.name,
            arguments=call.arguments,
            folder=call.folder,
            created_at=now,
            session_id=session_id,
            grounds=call.grounds,
        )
        with self._lock:
            every = self._all()
            said = next((one for one in every if _same(one) == _same(rule)), None)
            # The same word may come again, when the answer to the first got lost.
            if said is not None and said.grounds == rule.grounds:
                return said
            left = [one for one in every if one is not said]  # which does not hold any more
            if len(left) >= MAX_RULES:
                raise Conflict(f"There are {MAX_RULES} rules already. Remove one first.", code="too_many_rules")
            self._keep([*left, rule])
        return rule

    def revoke(self, rule_id: str, *, owner: str) -> None:
        """Ask again.

        Raises:
            NotFound: there is no such rule.
            StorageFailed: it still holds.
        """
        with self._lock:
            every = self._all()
            left = [rule for rule in every if (rule.rule_id, rule.owner) != (rule_id, owner)]
            if len(left) == len(every):
                raise NotFound("There is no such rule; it may be gone already.", code="rule_not_found")
            self._keep(left)

    def forget_session(self, session_id: str) -> None:
        """Drop the rules of a session that was removed for good."""
        with self._lock:
            every = self._all()
            left = [rule for rule in every if rule.session_id != session_id]
            if len(left) < len(every):
                self._keep(left)

    def forget_tools(self, beginning: str) -> None:
        """Drop the rules for tools whose names begin so, for everyone.

        Raises:
            StorageFailed: they still hold.
        """
        with self._lock:
            every = self._all()
            left = [rule for rule in every if not rule.name.startswith(beginning)]
            if len(left) < len(every):
                self._keep(left)

    def _all(self) -> list[Rule]:
        if self._rules is None:
            kept = self._record.read().get("rules")
            entries = kept if isinstance(kept, list) else []
            self._rules = [rule for entry in entries if (rule := _rule(entry))]
        return self._rules

    def _keep(self, rules: list[Rule]) -> None:
        self._record.write({"rules": msgspec.to_builtins(rules)})
        self._rules = rules


def _same(rule: Rule) -> tuple[str, str, str | None]:
    return rule.fingerprint, rule.owner, rule.session_id


def _rule(entry: Any) -> Rule | None:
    """A rule, or None where there is none to be read: then the person is asked."""
    try:
        return msgspec.convert(entry, Rule)
    except msgspec.ValidationError:
        return None
