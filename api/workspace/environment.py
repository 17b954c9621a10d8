"""What a program of an agent may know of the server's environment: names on a list, and nothing that could be a key."""

from collections.abc import Mapping

from api.workspace import git_function

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ")
_KEPT_PLACES = ("PYENV_ROOT", "NVM_DIR", "JAVA_HOME", "GOROOT", "GOPATH", "RUSTUP_HOME", "VOLTA_HOME")
_USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# There is nobody at a terminal: nothing may ask, page or paint.
_SET = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MANPAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "false",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "DEBIAN_FRONTEND": "noninteractive",
    "PYTHONDONTWRITEBYTECODE": "1",
}

# A repository brings its own configuration, and these run programs when it is only looked at.
_GIT = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.sshCommand": "ssh",
    "credential.helper": "",
    "protocol.ext.allow": "never",
    "safe.bareRepository": "explicit",
}


def for_tools(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that an agent starts."""
    kept = {name: environ[name] for name in (*_KEPT, *_KEPT_PLACES) if environ.get(name)}
    kept |= {name: value for name, value in environ.items() if name.startswith("LC_")}
    git = {"GIT_CONFIG_COUNT": str(len(_GIT))}
    for number, (name, value) in enumerate(_GIT.items()):
        git |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {"PATH": _USUAL_PATH, "LANG": "C.UTF-8", **kept, **_SET, **git, git_function.NAME: git_function.BODY}
