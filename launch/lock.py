"""The lock that lets one start at a time change the checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.steps import CannotGoOn, say


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Hold the set-up lock of the checkout at `root`, after waiting for whoever holds it now.

    The operating system frees it when the last process of a set-up has ended, however that happened.
    """
    try:
        descriptor = os.open(root / ".venv.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CannotGoOn(
            f"Fireside has something to set up but cannot write to its folder {root} ({error.strerror}): "
            "make it writable, or use a copy that is, then start ./run again."
        ) from error
    try:
        if not _locked(descriptor, wait=False):
            say("Another start is setting this folder up; waiting for it.")
            _locked(descriptor, wait=True)
        os.set_inheritable(descriptor, True)
        yield
    finally:
        os.close(descriptor)


if os.name == "nt":
    import msvcrt
    import time

    def _locked(descriptor: int, *, wait: bool) -> bool:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(0.2)
else:
    import fcntl

    def _locked(descriptor: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
