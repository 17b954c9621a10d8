"""Every setting: the only reader of the environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def default_state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where data lives unless someone says otherwise: the platform's folder for a person's application data."""
    environ = os.environ if environ is None else environ
    if chosen := environ.get("FIRESIDE_STATE_DIR"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "Fireside"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/Fireside"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "fireside"
