"""Which shape the state folder has, as a number in `format.json`: no program touches what it does not understand."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from api.sessions.disk.files import StateFile, make_folder
from api.sessions.keeping.backup import write_backup

log = logging.getLogger(__name__)

MARK = "format.json"
COPIES = "backups"
FORMAT = 1
"""The shape that this program reads and writes. A folder without a mark has an older one that reads the same."""


class Step(msgspec.Struct, frozen=True):
    """`act` brings a state folder to shape `number`. It may be cut off anywhere and is then repeated."""

    number: int
    act: Callable[[Path], None]


STEPS: tuple[Step, ...] = ()
"""In order of their numbers; the last one leads to `FORMAT`."""


class NewerFormat(Exception):
    """A newer program wrote this folder. The message is a sentence."""


def check_format(state_dir: Path, *, newest: int = FORMAT) -> None:
    """Make sure that this program understands the folder. Touches nothing.

    Raises:
        NewerFormat: it does not.
    """
    found = _number(state_dir)
    if found > newest:
        raise NewerFormat(
            f"A newer version of Fireside wrote the folder {state_dir} (format {found}; this one knows {newest}). "
            "Nothing was touched. Start that version, or restore a backup that this one wrote."
        )


def bring_up_to_date(state_dir: Path, *, steps: Sequence[Step] = STEPS, newest: int = FORMAT) -> None:
    """Take the steps that the folder lacks, once a verified copy of it is in `backups/`. Call with the folder locked.

    Raises:
        OSError, BackupFailed: a step, or the copy before it, did not succeed; the next start tries again.
    """
    found = _number(state_dir)
    if found == newest:
        return
    missing = [step for step in steps if step.number > found]
    if missing:
        _keep_copy(state_dir, f"before-format-{missing[0].number}.zip")
    for step in missing:
        log.info("format.step", extra={"to": step.number})
        step.act(state_dir)
    StateFile(state_dir / MARK).write({"format": newest})


def _keep_copy(state_dir: Path, name: str) -> None:
    """What is there already was made by a start that was cut off, before anything was changed: it is the better one."""
    target = state_dir / COPIES / name
    if not target.exists():
        make_folder(target.parent)
        write_backup(state_dir, target, with_secrets=True)


def _number(state_dir: Path) -> int:
    """One that is damaged counts as none: documents and journals say for themselves what they are."""
    try:
        found = msgspec.json.decode((state_dir / MARK).read_bytes(), type=dict[str, int]).get("format", 0)
    except (OSError, ValueError):
        return 0
    return max(0, found)
