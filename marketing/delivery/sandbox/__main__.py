"""`python -m marketing.delivery.sandbox [--sink]`: serve until told to stop."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys

import uvloop
from aiohttp import web

from marketing.delivery.sandbox import sink
from marketing.delivery.sandbox.app import make_app
from marketing.delivery.sandbox.settings import Settings, SettingsError, read_address


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m marketing.delivery.sandbox")
    parser.add_argument("--sink", action="store_true", help="accept everything, keep nothing")
    is_sink = parser.parse_args().sink
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    # A line for each command of each mail is no news.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    uvloop.install()
    try:
        host, port = read_address(os.environ)
        settings = None if is_sink else Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    listening = _listen(host, port)
    if settings is None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(_drain(listening))
        return 0
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    web.run_app(
        make_app(settings, *listening.getsockname()[:2]),
        sock=listening,
        access_log=None,
        shutdown_timeout=2,
        print=_print,
    )
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


async def _drain(listening: socket.socket) -> None:
    serving = asyncio.current_task()
    assert serving is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    await sink.serve(listening, _print)


def _print(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
