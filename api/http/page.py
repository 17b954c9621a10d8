"""The built page: a fixed set of files, read once, served as they are.

Requests are looked up by name in what was found at start, so no path is ever built from a request. Files under
`assets/` carry a digest of their content in their name and never change.
"""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

from api.http.compression import accepts_gzip

FOREVER = "public, max-age=31536000, immutable"
PAGES = ("/settings", "/trash")
FRAMED = "/diagram/"
FRAMED_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox allow-scripts"
    ),
    # A frame without an origin is a stranger to us as well, and what it loads is no secret.
    "cross-origin-resource-policy": "cross-origin",
}
"""For what draws diagrams that nobody vouches for: it runs in a frame of no origin, and may ask nobody for anything."""
SESSION = re.compile(r"/s/[^/]+")


@dataclass(frozen=True)
class File:
    """`compressed` is the same in gzip, where the build made that."""

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str
    cache: str


class Page:
    """The files of the built page in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": _file(folder, path) for path in _published(folder)}

    def find(self, path: str) -> File | None:
        """The file to answer a path with. A path of the page's own router gets the page."""
        is_view = path in ("/", *PAGES) or SESSION.fullmatch(path)
        return self._files.get("/index.html" if is_view else path)

    def answer(self, request: Request) -> Response | None:
        """The response to a request for the page or a part of it, or None when it is no such request."""
        file = self.find(request.scope["path"]) if request.method in ("GET", "HEAD") else None
        if file is None:
            return None
        headers = {"etag": file.etag, "cache-control": file.cache, "vary": "accept-encoding"}
        headers |= FRAMED_HEADERS if request.scope["path"].startswith(FRAMED) else {}
        if file.etag in _known(request):
            return Response(status_code=304, headers=headers)
        if file.compressed is None or not accepts_gzip(request.scope["headers"]):
            return Response(file.content, headers=headers, media_type=file.media_type)
        return Response(file.compressed, headers=headers | {"content-encoding": "gzip"}, media_type=file.media_type)


def _known(request: Request) -> list[str]:
    """The etags of what the browser has already."""
    return [value.strip() for value in request.headers.get("if-none-match", "").split(",")]


def _published(folder: Path) -> list[Path]:
    files = folder.rglob("*") if folder.is_dir() else []
    return [path for path in files if path.is_file() and path.suffix != ".gz" and not path.name.startswith(".")]


def _file(folder: Path, path: Path) -> File:
    content = path.read_bytes()
    compressed = path.with_name(path.name + ".gz")
    is_asset = path.relative_to(folder).parts[0] == "assets"
    return File(
        content=content,
        compressed=compressed.read_bytes() if compressed.is_file() else None,
        media_type=_media_type(path),
        # Weak, for both forms of the file have it.
        etag=f'W/"{hashlib.sha256(content).hexdigest()[:32]}"',
        cache=FOREVER if is_asset else "no-cache",
    )


def _media_type(path: Path) -> str:
    # What the machine's own table says of these differs.
    known = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
    return known.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
