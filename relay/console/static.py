"""What pages load: scripts as they were built, and the style sheet.

Compressed once, and kept by browsers for good under the name of their content.
"""

import gzip
from functools import cache
from hashlib import blake2b
from importlib.resources import files

import msgspec
from aiohttp import web

from relay.console.build import BUILT

TYPES = {"css": "text/css", "js": "text/javascript"}
FOR_GOOD = "public, max-age=31536000, immutable"
MISSING = (
    "the scripts of the console were not built when relay was installed: its pages work, and nothing on them is live; "
    "install relay again where npm's registry can be reached"
)


class Asset(msgspec.Struct, frozen=True):
    """One file. `tag` is of its content."""

    body: bytes
    gzipped: bytes
    tag: str
    content_type: str


@cache
def asset(name: str) -> Asset | None:
    """The file of that name; None when there is no such, or it was not built."""
    if name == "console.css":
        body = files("relay.console").joinpath(name).read_bytes()
    elif name in built_names():
        body = (BUILT / name).read_bytes()
    else:
        return None
    kind = TYPES[name.rpartition(".")[2]]
    return Asset(body, gzip.compress(body, 9, mtime=0), blake2b(body, digest_size=8).hexdigest(), kind)


@cache
def built_names() -> frozenset[str]:
    return frozenset(file.name for file in BUILT.glob("*.*") if file.suffix[1:] in TYPES)


def address(name: str) -> str:
    """Where pages load it from, "" when it is not there."""
    found = asset(name)
    return "" if found is None else f"/console/static/{name}?v={found.tag}"


def is_built() -> bool:
    return asset("console.js") is not None


async def serve(request: web.Request) -> web.Response:
    """A file, to anybody: there is nothing of this relay in it."""
    found = asset(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": FOR_GOOD, "ETag": f'"{found.tag}"', "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") == f'"{found.tag}"':
        return web.Response(status=304, headers=headers)
    body = found.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = found.gzipped, "gzip"
    return web.Response(body=body, content_type=found.content_type, charset="utf-8", headers=headers)
