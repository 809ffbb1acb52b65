"""`python -m marketing.delivery.sandbox [--sink]`: serve until told to stop."""

import argparse
import logging
import os
import sys

import uvloop
from aiohttp import web

from marketing.delivery.sandbox.app import make_app, make_sink
from marketing.delivery.sandbox.settings import Settings, SettingsError, read_port


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m marketing.delivery.sandbox")
    parser.add_argument("--sink", action="store_true", help="accept everything, keep nothing")
    is_sink = parser.parse_args().sink
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    uvloop.install()
    try:
        if is_sink:
            host, port = os.environ.get("SANDBOX_HOST", "127.0.0.1"), read_port(os.environ)
            app = make_sink()
        else:
            settings = Settings.from_environment(os.environ)
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            host, port, app = settings.host, settings.port, make_app(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    web.run_app(
        app,
        host=host,
        port=port,
        access_log=None,
        shutdown_timeout=2,
        print=lambda text: print(text, flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
