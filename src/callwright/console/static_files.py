"""Static files of the pages: scripts and styles, read once, with a hash in their address.

What others have written is listed in ``static/vendored.toml`` with version, licence and SHA-256.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from callwright.drawing import STYLE

FOLDER = Path(__file__).with_name("static")
SERVED = (".js", ".css", ".svg")
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    packed: bytes
    "By gzip."
    digest: str
    media_type: str


class StaticFiles:
    """``base``: the path the console is below."""

    def __init__(self, base: str) -> None:
        self._base = base
        files = [file for file in sorted(FOLDER.iterdir()) if file.suffix in SERVED]
        self._files = {file.name: _read(file) for file in (*files, STYLE)}

    def url(self, name: str) -> str:
        return f"{self._base}/static/{self._files[name].digest}/{name}"

    async def serve(self, request: Request) -> Response:
        """By hash and name, which are looked up: no path of anybody's leads to the disk."""
        file = self._files.get(request.path_params["name"])
        if file is None or request.path_params["digest"] != file.digest:
            return PlainTextResponse("There is no such file.\n", 404)
        headers = {"Cache-Control": FOR_GOOD, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(file.packed, headers=headers, media_type=file.media_type)
        return Response(file.content, headers=headers, media_type=file.media_type)


def _read(file: Path) -> StaticFile:
    content = file.read_bytes()
    kind, _ = mimetypes.guess_type(file.name, strict=True)
    return StaticFile(
        content,
        gzip.compress(content, mtime=0),
        hashlib.sha256(content).hexdigest()[:16],
        kind or "application/octet-stream",
    )
