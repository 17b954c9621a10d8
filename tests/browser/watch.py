"""What a page must never do, noted as it happens: complain, ask, or speak to anyone but its server."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, Response, WebError

_HARMLESS = ("data:", "blob:")

AWAY = "ERR_CONNECTION_(REFUSED|RESET)|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONTENT_LENGTH_MISMATCH"
"""What a browser complains of while a server is gone, or in the moment that it goes."""

LATE_DRAFT = re.compile(r"status of 409 .*/api/session/draft\b")
"""What was typed just before a message left may arrive after it, and is refused then, as it should be."""


@dataclass
class Watch:
    """Of one browser context. `address` is the only origin that may be spoken to."""

    address: str
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    _allowed: list[re.Pattern[str]] = field(default_factory=lambda: [LATE_DRAFT])

    def over(self, context: BrowserContext) -> None:
        """Begin to watch a context, before its first page."""
        context.on("console", self._heard)
        context.on("weberror", self._broke)
        context.on("dialog", self._asked)
        context.on("request", lambda request: self.requests.append(request))
        context.on("response", lambda response: self.responses.append(response))

    def allow(self, pattern: str) -> None:
        """Complaints that this test is about, such as `status of 401`."""
        self._allowed.append(re.compile(pattern))

    def asked_for(self, path: str) -> list[Request]:
        """The requests for a path of the server, whatever their query."""
        return [one for one in self.requests if one.url.removeprefix(self.address).partition("?")[0] == path]

    @property
    def strangers(self) -> list[str]:
        """The addresses of other origins that were asked for something."""
        ours = (f"{self.address}/", *_HARMLESS)
        return [request.url for request in self.requests if not request.url.startswith(ours)]

    def check(self) -> None:
        """Fail when the page did any of it."""
        assert self.strangers == [], "the page spoke to someone else"
        unexpected = [one for one in self.complaints if not any(p.search(one) for p in self._allowed)]
        assert not unexpected, "\n".join(["the page complained:", *unexpected])

    def _heard(self, message: ConsoleMessage) -> None:
        # Violations of the content security policy are told here too.
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _broke(self, error: WebError) -> None:
        self.complaints.append(f"not caught: {error.error}")

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()
