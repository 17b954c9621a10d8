"""Stamps: the last thing that a finished step writes, so that the next start knows it was finished."""

from __future__ import annotations

import hashlib
from pathlib import Path


def read_stamp(path: Path) -> dict[str, str]:
    """What the step had been done from; empty when it never finished."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def write_stamp(path: Path, facts: dict[str, str]) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_text("".join(f"{name}\t{fact}\n" for name, fact in facts.items()), encoding="utf-8")
    beside.replace(path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
