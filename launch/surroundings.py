"""The environment that set-up tools are given: the person's indexes and network, nothing that leads them astray."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# An activated environment or a PYTHONPATH says where other programs' packages are, never where ours belong.
ASTRAY = ("PYTHON", "UV_", "PIP_", "VIRTUAL_ENV", "CONDA_", "__PYVENV_LAUNCHER__")
# Of uv's and pip's own variables, those that say where packages come from, how to get there or where to keep them.
KEPT = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_SYSTEM_CERTS",
    "UV_NATIVE_TLS",
    "UV_OFFLINE",
    "UV_HTTP_",
    "UV_CACHE_DIR",
    "UV_LINK_MODE",
    "UV_CONCURRENT_",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_TRUSTED_HOST",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_PROXY",
    "PIP_TIMEOUT",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
    "PIP_KEYRING_PROVIDER",
    "PIP_CACHE_DIR",
    "PIP_CONFIG_FILE",
)
# pip's setting -> uv's variable of the same meaning, and what separates several values in it.
PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "proxy": ("ALL_PROXY", " "),
}


def for_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for pip, whose files may ask for things that only make sense for other installations."""
    return _without_strays(environ) | {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def for_uv(environ: Mapping[str, str], pip: dict[str, str]) -> dict[str, str]:
    """`environ` for uv, which does not read pip's settings by itself. What was set for uv counts before them."""
    # pip passes over a folder of packages that is not there; uv stops.
    pip = pip | {"find-links": " ".join(filter(_may_be_there, pip.get("find-links", "").split()))}
    found = {
        variable: separator.join(pip[setting].split())
        for setting, (variable, separator) in PIP_TO_UV.items()
        if pip.get(setting)
    }
    if _has_system_certificates():
        found["UV_SYSTEM_CERTS"] = "true"
    # Every package is held by its hash, so it may come from whichever index has it, as with pip.
    ours = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never"}
    return found | _without_strays(environ) | ours


def pip_settings(pip: list[str] | None, environ: Mapping[str, str]) -> dict[str, str]:
    """What counts for `pip install`: the files that the command `pip` reads, where there is one, then `environ`."""
    listing = ""
    if pip:
        told = subprocess.run(
            [*pip, "config", "list"], env=for_pip(environ), capture_output=True, text=True, check=False
        )
        listing = told.stdout if told.returncode == 0 else ""
    variables = {name: value for name, value in environ.items() if name.startswith("PIP_")}
    return settings_in_files(listing) | {name[4:].lower().replace("_", "-"): value for name, value in variables.items()}


def settings_in_files(listing: str) -> dict[str, str]:
    """The settings of pip's files, from what `pip config list` prints; those for `install` count before the global."""
    import ast

    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, dot, setting = name.partition(".")
        if equals and dot and section in sections:
            sections[section][setting] = ast.literal_eval(value)
    return sections["global"] | sections["install"]


def _without_strays(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(KEPT) or not name.startswith(ASTRAY)}


def _may_be_there(link: str) -> bool:
    path = link.removeprefix("file://")
    return "://" in path or Path(path).exists()


def _has_system_certificates() -> bool:
    """Whether the machine has its own list of trusted authorities; uv brings one for machines without."""
    import ssl

    paths = ssl.get_default_verify_paths()
    in_folder = paths.capath is not None and any(os.scandir(Path(paths.capath)))
    return sys.platform in ("win32", "darwin") or paths.cafile is not None or in_folder
