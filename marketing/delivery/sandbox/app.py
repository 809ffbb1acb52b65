"""The sandbox's web application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from marketing.delivery.sandbox import control, inbox
from marketing.delivery.sandbox.callbacks import CallbackPoster
from marketing.delivery.sandbox.settings import Settings
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors import ROUTES, smtp

# As large as the largest mail request a vendor takes.
LARGEST_REQUEST = 32 * 2**20


def make_app(settings: Settings, host: str, port: int) -> web.Application:
    """The whole sandbox; callbacks owed from before are posted once it runs."""
    app = web.Application(middlewares=[control.guard], client_max_size=LARGEST_REQUEST)
    app[SANDBOX] = Sandbox.opened(settings, host, port)
    for part in (*ROUTES, control, inbox):
        part.add_routes(app.router)
    app.router.add_get("/healthz", healthz)
    app.cleanup_ctx.append(_relaying)
    app.cleanup_ctx.append(_posting)
    return app


async def healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _relaying(app: web.Application) -> AsyncIterator[None]:
    server = await smtp.listen(app[SANDBOX])
    yield
    server.close()


async def _posting(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(CallbackPoster(app[SANDBOX]).run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    app[SANDBOX].database.close()
