"""Failures that can be explained to the person who asked.

AppError                      every failure with a sentence
├── BadRequest            400 what was sent cannot be understood
├── NotSignedIn           401
├── Forbidden             403
├── NotFound              404 session, run, message, route, ...
├── Conflict              409 the state moved on, or does not allow it
│   ├── RunActive         409 a run is active in this session
│   └── StaleRevision     409 another tab changed the session
├── TooLarge              413
├── UnsupportedMedia      415
├── WrongHost             421
├── TooMany               429
├── Unavailable           503 shutting down, or a part is missing
└── StorageFailed         507 the disk is full or cannot be written
"""

from typing import Any


class AppError(Exception):
    """`message` is a sentence for a person. `fields` are more facts for a program, sent beside it."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.fields = fields


class BadRequest(AppError):
    status, code = 400, "bad_request"


class NotSignedIn(AppError):
    status, code = 401, "not_signed_in"


class Forbidden(AppError):
    status, code = 403, "forbidden"


class NotFound(AppError):
    status, code = 404, "not_found"


class Conflict(AppError):
    status, code = 409, "conflict"


class RunActive(Conflict):
    code = "run_active"


class StaleRevision(Conflict):
    code = "stale_revision"


class TooLarge(AppError):
    status, code = 413, "too_large"


class UnsupportedMedia(AppError):
    status, code = 415, "unsupported_media_type"


class WrongHost(AppError):
    status, code = 421, "wrong_host"


class TooMany(AppError):
    status, code = 429, "too_many"


class Unavailable(AppError):
    status, code = 503, "unavailable"


class StorageFailed(AppError):
    status, code = 507, "storage_failed"
