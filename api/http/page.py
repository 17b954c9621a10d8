"""The built page: a fixed set of files, read once, served as they are.

Requests are looked up by name in what was found at start, so no path is ever built from a request. Files under
`assets/` carry a digest of their content in their name and never change.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

FOREVER = "public, max-age=31536000, immutable"
PAGES = ("/settings",)


@dataclass(frozen=True)
class File:
    path: Path
    media_type: str
    etag: str
    cache: str


class Page:
    """The files of the built page in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": _file(folder, path) for path in _published(folder)}

    def find(self, path: str) -> File | None:
        """The file to answer a path with. A path of the page's own router gets the page."""
        is_view = path in ("/", *PAGES) or (path.startswith("/s/") and path.count("/") == 2)
        return self._files.get("/index.html" if is_view else path)

    def answer(self, request: Request) -> Response | None:
        """The response to a request for the page or a part of it, or None when it is no such request."""
        file = self.find(request.url.path) if request.method in ("GET", "HEAD") else None
        if file is None:
            return None
        headers = {"etag": file.etag, "cache-control": file.cache, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        path = file.path
        compressed = path.with_name(path.name + ".gz")
        if "gzip" in request.headers.get("accept-encoding", "") and compressed.is_file():
            path, headers["content-encoding"] = compressed, "gzip"
        return Response(path.read_bytes(), headers=headers, media_type=file.media_type)


def _published(folder: Path) -> list[Path]:
    files = folder.rglob("*") if folder.is_dir() else []
    return [path for path in files if path.is_file() and path.suffix != ".gz" and not path.name.startswith(".")]


def _file(folder: Path, path: Path) -> File:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kind = "text/javascript" if path.suffix in (".js", ".mjs") else kind
    kind = "application/manifest+json" if path.suffix == ".webmanifest" else kind
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    is_asset = path.relative_to(folder).parts[0] == "assets"
    return File(path, kind, f'"{digest}"', FOREVER if is_asset else "no-cache")
