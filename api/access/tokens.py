"""Who is signed in: the token, one-time codes for the printed link, and the browsers that used one.

Only hashes of a browser's secret are kept. The token itself is kept where it is not given by the environment, so that a
restart signs nobody out.
"""

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

log = logging.getLogger(__name__)

LOGIN_IDLE_S = 30 * 24 * 3600.0
CODE_LIVES_S = 15 * 60.0
MAX_LOGINS = 100
TOUCH_EVERY_S = 3600.0


class Record(Protocol):
    """A small JSON object kept on disk, in a file that only its owner may read."""

    def read(self) -> dict[str, Any]: ...

    def write(self, value: dict[str, Any]) -> None: ...


class Tokens:
    """Checks and hands out what signs a client in. Safe to call from any thread."""

    def __init__(self, record: Record, given: str | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """`record` is `{token?, logins: {sha256: last_used_at}}`; `given` is the token that a person chose."""
        self._record = record
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, float] = {}
        kept = record.read()
        logins = kept.get("logins")
        logins = logins if isinstance(logins, dict) else {}
        self._logins: dict[str, float] = {
            key: float(used) for key, used in logins.items() if isinstance(used, int | float)
        }
        self.token: str = given or str(kept.get("token") or "") or secrets.token_urlsafe(32)
        self._kept_token = None if given else self.token
        if not given and kept.get("token") != self.token:
            self._write()

    def is_token(self, candidate: str) -> bool:
        return hmac.compare_digest(candidate.encode("utf-8", "replace"), self.token.encode())

    def new_code(self) -> str:
        """A code that signs one browser in, once, within the next quarter of an hour."""
        code = secrets.token_urlsafe(18)
        with self._lock:
            now = self._clock()
            self._codes = {old: until for old, until in self._codes.items() if until > now}
            self._codes[_hash(code)] = now + CODE_LIVES_S
        return code

    def use_code(self, code: str) -> bool:
        """Take back a code; True when it was good."""
        with self._lock:
            until = self._codes.pop(_hash(code), 0.0)
            return until > self._clock()

    def new_login(self) -> str:
        """A secret for a browser to keep as a cookie."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._logins[_hash(secret)] = self._clock()
            newest = sorted(self._logins.items(), key=lambda login: login[1])[-MAX_LOGINS:]
            self._logins = dict(newest)
            self._write_if_possible()
        return secret

    def is_login(self, secret: str) -> bool:
        key = _hash(secret)
        with self._lock:
            used = self._logins.get(key)
            now = self._clock()
            if used is None or now - used > LOGIN_IDLE_S:
                return False
            if now - used > TOUCH_EVERY_S:
                self._logins[key] = now
                self._write_if_possible()
            return True

    def end_login(self, secret: str) -> None:
        """Forget a login.

        Raises:
            OSError: it is forgotten until the next start only, for the disk refused.
        """
        with self._lock:
            if self._logins.pop(_hash(secret), None) is not None:
                self._write()

    def _write_if_possible(self) -> None:
        """A full disk signs nobody out and keeps nobody out: whoever is to free some space may have to come in."""
        try:
            self._write()
        except OSError as error:
            log.warning("access.not_kept", extra={"errno": error.errno})

    def _write(self) -> None:
        kept = {"token": self._kept_token} if self._kept_token else {}
        self._record.write(kept | {"logins": self._logins})


def _hash(secret: str) -> str:
    # The secrets are random and long, so a fast hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
