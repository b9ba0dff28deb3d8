"""`python -m benchmarks.feed_server N`: N feeds of 20 entries at /0 to /N-1 on a free port of 127.0.0.1, with ETags.

Prints its address on one line, then serves until it is ended. A feed never changes: who knows its ETag gets a 304.
"""

import asyncio
import sys
import zlib

from aiohttp import web

from benchmarks.feeds import ENTRIES, rss
from benchmarks.posts import english, korean

_KOREAN_EVERY = 4
"""One feed in four is Korean, so that the models of both languages are at work."""


def application(count: int) -> web.Application:
    """The server, with all its documents made beforehand."""
    posts = (english(count * ENTRIES), korean(count * ENTRIES))
    bodies = [
        rss(str(number), posts[number % _KOREAN_EVERY == 0][number * ENTRIES :][:ENTRIES]) for number in range(count)
    ]

    async def feed(request: web.Request) -> web.Response:
        body = bodies[int(request.match_info["number"])]
        etag = f'"{zlib.crc32(body):08x}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type="application/rss+xml", charset="utf-8", headers={"ETag": etag})

    app = web.Application()
    app.router.add_get("/{number:[0-9]+}", feed)
    return app


async def serve(count: int) -> None:
    """Serve for ever."""
    runner = web.AppRunner(application(count), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)  # noqa: T201 (it is how we are found)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
