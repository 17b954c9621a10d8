"""The server that runs with a state folder, asked from the command line."""

import json
import urllib.error
import urllib.request
from typing import Any

from api.sessions.disk.files import StateFile
from api.settings import Settings

_ANSWER_S = 30


class NotRunning(Exception):
    """No server runs with this folder."""


class Refused(Exception):
    """It does not do what was asked. The message is its sentence."""


class RunningServer:
    """`address` is where it says that it is. Asked as a script asks, with the token."""

    def __init__(self, settings: Settings) -> None:
        state = settings.state_dir
        self.address = StateFile(state / "server.json").read().get("address", "")
        self._token = settings.token or StateFile(state / "access.json").read().get("token", "")

    def get(self, path: str) -> Any:
        """Raises `NotRunning` and `Refused`."""
        return self._ask(path, None)

    def post(self, path: str, **body: Any) -> Any:
        """Raises `NotRunning` and `Refused`."""
        return self._ask(path, json.dumps(body).encode())

    def _ask(self, path: str, body: bytes | None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            request = urllib.request.Request(f"{self.address}{path}", body, headers)
            with opener.open(request, timeout=_ANSWER_S) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise Refused(_sentence(error)) from error
        except (OSError, ValueError) as error:
            raise NotRunning from error


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"The server answered with the status {error.code}."
