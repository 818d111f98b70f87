"""The servers relay is compared with: aiohttp that reads the body and answers `{"success": true}`.

`python -m bench.baseline server PORT` is the low-level `web.Server`: no router, no middlewares.
`python -m bench.baseline application PORT` is a `web.Application` with one route.
Neither parses JSON, checks a key or stores anything: nothing in aiohttp can be cheaper.
"""

import sys

from aiohttp import web

from bench.child import serve

_ANSWER = b'{"success":true}'
_MAX_BODY = 4 * 1024 * 1024


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """Read everything, keep nothing."""
    await request.read()
    return web.Response(body=_ANSWER, content_type="application/json")


async def start(kind: str, port: int) -> web.BaseRunner:
    """Listen with one of the two servers."""
    runner = _server() if kind == "server" else _application()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    return runner


def _server() -> web.BaseRunner:
    return web.ServerRunner(web.Server(answer, access_log=None, client_max_size=_MAX_BODY))


def _application() -> web.BaseRunner:
    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_route("*", "/{path:.*}", answer)
    return web.AppRunner(app, access_log=None)


if __name__ == "__main__":
    serve(lambda: start(sys.argv[1], int(sys.argv[2])))
