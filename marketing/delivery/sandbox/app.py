"""The sandbox's web application, and the sink for benches."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from marketing.delivery.sandbox import control, inbox
from marketing.delivery.sandbox.accounts import Accounts
from marketing.delivery.sandbox.callbacks import CallbackPoster
from marketing.delivery.sandbox.database import Database
from marketing.delivery.sandbox.ledger import Ledger
from marketing.delivery.sandbox.message_templates import Templates
from marketing.delivery.sandbox.settings import Settings
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors import meta, msg91, sendgrid


def make_app(settings: Settings) -> web.Application:
    """The whole sandbox; callbacks owed from before are posted once it runs."""
    database = Database(settings.data_dir / "sandbox.sqlite3")
    app = web.Application(middlewares=[control.guard], client_max_size=32 * 2**20)
    app[SANDBOX] = Sandbox(
        settings=settings,
        database=database,
        accounts=Accounts(database),
        templates=Templates(database),
        ledger=Ledger(database),
        signing_key=_signing_key(settings),
    )
    for part in (meta, msg91, sendgrid, control, inbox):
        part.add_routes(app.router)
    app.router.add_get("/healthz", healthz)
    app.cleanup_ctx.append(_posting)
    return app


async def healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _posting(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(CallbackPoster(app[SANDBOX]).run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    app[SANDBOX].database.close()


def _signing_key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    path = settings.data_dir / "sendgrid-key.pem"
    if path.exists():
        key = load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    made = ec.generate_private_key(ec.SECP256R1())
    path.touch(0o600)
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def make_sink() -> web.Application:
    """Answers success to every message, checks and keeps nothing: a bench's physical limit."""
    numbers = itertools.count()

    async def accept(request: web.Request) -> web.Response:
        await request.read()
        text = '{"messages":[{"id":"wamid.%d"}],"type":"success","message":"%d"}'
        number = next(numbers)
        return web.Response(
            text=text % (number, number),
            content_type="application/json",
            headers={"X-Message-Id": str(number)},
        )

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_post("/{path:.*}", accept)
    return app
