"""Every setting, from the environment or the config file: the only reader of both.

The environment wins over the file, the file over the default. The file is TOML, `config.toml` in the state folder or
where `FIRESIDE_CONFIG` points, with the setting's name in lower case and without the prefix: `port = 8787`.
"""

import json
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

PREFIX = "FIRESIDE_"

_PLACES = "PATH HOME USER LOGNAME SHELL TERM LANG LANGUAGE TZ TMPDIR TEMP TMP SYSTEMROOT USERPROFILE PATHEXT COMSPEC"
_FOLDERS = "APPDATA LOCALAPPDATA XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_RUNTIME_DIR"
_NETWORK = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS"
_FOR_PROGRAMS = frozenset(f"{_PLACES} {_FOLDERS} {_NETWORK}".split())


class SettingsError(Exception):
    """A setting has a value that it cannot have. The message is a sentence that names it."""


def _setting(default: Any, sentence: str) -> Any:
    """A field with its sentence for `docs/settings.md`; a default that is a function is called at start."""
    if callable(default):
        return field(default_factory=default, metadata={"sentence": sentence})
    return field(default=default, metadata={"sentence": sentence})


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


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server was told at start. Field `x` is set by `FIRESIDE_X`."""

    host: str = _setting("127.0.0.1", "Address to listen at. Beyond this machine only together with `token`.")
    port: int = _setting(8787, "Port to listen at; 0 takes a free one.")
    hosts: tuple[str, ...] = _setting(
        (), "Further names people reach this server by, `name` or `name:port`, separated by commas."
    )
    state_dir: Path = _setting(default_state_dir, "Folder that holds all data.")
    workspace: Path = _setting(Path.home, "Folder that new sessions work in.")
    token: str = _setting("", "Token that signs clients in, at least 16 characters; made at first start if not given.")
    provider_url: str = _setting("", "Base URL of an OpenAI-compatible provider; it then is the default.")
    provider_key: str = _setting("", "Key for that provider, if it wants one.")
    model: str = _setting("", "Model to use of that provider; the first it lists if not given.")
    titles: bool = _setting(True, "Ask a connected model for a title after the first answer.")
    command_network: bool = _setting(False, "Let commands that run in the sandbox reach the network.")
    scripted: bool = _setting(False, "Offer the scripted agent, which says what the message tells it to. For tests.")
    browser: bool = _setting(True, "Open a browser at start where there is one.")
    trash_days: int = _setting(
        30, "Days that deleted sessions can be restored; 0 keeps them until someone removes them."
    )
    acp: dict[str, Any] = _setting(
        dict, "Agents that speak ACP, by name: in the file as tables `[acp.NAME]`, in the environment as JSON."
    )
    log_level: str = _setting("info", "How much to log: `debug`, `info`, `warning` or `error`.")

    @property
    def sessions_dir(self) -> Path:
        return self.state_dir / "sessions"

    @property
    def runs_dir(self) -> Path:
        return self.state_dir / "runs"


def load_settings(environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """The settings of this process; `given` (from the command line; None means not given) wins over all.

    Raises:
        SettingsError: a value cannot be used, or the config file cannot be read.
    """
    try:
        return _loaded(os.environ if environ is None else environ, given)
    except RuntimeError as error:  # what pathlib says of a `~` that stands for nothing
        raise SettingsError(f"A folder cannot be found: {error} Name it in full, or set HOME.") from error


def _loaded(environ: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    chosen = {name: value for name, value in given.items() if value is not None}
    state_dir = Path(chosen.get("state_dir") or default_state_dir(environ)).expanduser().absolute()
    values: dict[str, Any] = _from_file(Path(environ.get("FIRESIDE_CONFIG") or state_dir / "config.toml"))
    for one in fields(Settings):
        raw = environ.get(PREFIX + one.name.upper())
        if raw:
            values[one.name] = raw
    values |= chosen | {"state_dir": state_dir}
    settings = Settings(**{name: _typed(name, value) for name, value in values.items()})
    return _checked(settings)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The config file {path} cannot be read: {str(error).rstrip('.')}.") from error
    known = {one.name for one in fields(Settings)}
    for name in values:
        if name not in known:
            raise SettingsError(f"The config file {path} sets {name!r}, which is no setting.")
    return values


def _typed(name: str, value: Any) -> Any:
    kind = next(one.type for one in fields(Settings) if one.name == name)
    try:
        if kind is int:
            return _whole_number(value)
        if kind is bool:
            return _yes_or_no(value)
        if kind is Path:
            return Path(value).expanduser().absolute()
        if kind is str:
            return str(value).strip()
        if kind == dict[str, Any]:
            return _tables(value)
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(part.strip() for part in parts if part.strip())
    except (ValueError, TypeError, AttributeError):
        raise SettingsError(f"{PREFIX}{name.upper()} cannot be {value!r}.") from None


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or (value.isascii() and value.isdigit())):
        raise ValueError
    return int(value)


def _tables(value: Any) -> dict[str, Any]:
    tables = json.loads(value) if isinstance(value, str) else value
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ValueError
    return tables


def program_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of the environment of this process, what a program of somebody else's may have: where things are, and no keys."""
    environ = os.environ if environ is None else environ
    return {name: value for name, value in environ.items() if name.upper() in _FOR_PROGRAMS or name.startswith("LC_")}


def installer_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What is set for pip and uv: mirrors and the like."""
    environ = os.environ if environ is None else environ
    return {name: value for name, value in environ.items() if name.startswith(("PIP_", "UV_"))}


def _yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _checked(settings: Settings) -> Settings:
    if not 0 <= settings.port <= 65535:
        raise SettingsError(f"{PREFIX}PORT cannot be {settings.port}: ports go from 0 to 65535.")
    if settings.token and len(settings.token) < 16:
        raise SettingsError(f"{PREFIX}TOKEN is too short: use at least 16 characters.")
    if settings.trash_days < 0:
        raise SettingsError(f"{PREFIX}TRASH_DAYS cannot be {settings.trash_days}: a number of days, or 0 for ever.")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise SettingsError(f"{PREFIX}LOG_LEVEL cannot be {settings.log_level!r}.")
    return replace(settings, state_dir=settings.state_dir.absolute())
