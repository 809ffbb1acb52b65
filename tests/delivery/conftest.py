"""A vendor on loopback whose answers a test decides, and which remembers what it was asked."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.delivery.vendor_stub import account_at, asked_vendor
from tests.factories.core import Chain, make_chain
from tests.loopback import serving

__all__ = ["account_at", "asked_vendor"]

Answer = tuple[int, dict[str, Any], dict[str, str]]


def accepted(body: dict[str, Any]) -> Answer:
    return 200, {"messages": [{"id": f"wamid.{body['biz_opaque_callback_data']}"}]}, {}


def refused(code: int, status: int = 400, **headers: str) -> Answer:
    return status, {"error": {"code": code, "message": "no"}}, headers


class HangUp(Exception):
    """Raised by an answer: the request was read, and the connection drops."""


@dataclass
class VendorStub:
    """`answer` decides; `asked` are the bodies in order of arrival."""

    url: str = ""
    answer: Callable[[dict[str, Any]], Answer] = accepted
    asked: list[dict[str, Any]] = field(default_factory=list)

    def times_asked(self) -> Counter[str]:
        """How often each message of ours was asked for."""
        return Counter(body["biz_opaque_callback_data"] for body in self.asked)


@pytest.fixture
def vendor() -> Iterator[VendorStub]:
    stub = VendorStub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stub.asked.append(body)
            try:
                status, answer, headers = stub.answer(body)
            except HangUp:
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as stub.url:
        yield stub


@pytest.fixture
def live_chain(transactional_db: None, settings: Any, tmp_path: Any) -> Chain:
    """A chain in committed rows, for tests with workers; no scope is open."""
    settings.SPOOL_DIR = tmp_path
    return make_chain()


@pytest.fixture
def other_live_chain(transactional_db: None) -> Chain:
    """Another chain in committed rows."""
    return make_chain()
