"""A vendor on loopback that gives one answer, whatever it is asked, and remembers the questions."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest

from marketing.core.tenancy import tenant_scope
from marketing.policy.models import ProviderAccount
from tests.factories.policy import make_account
from tests.loopback import serving

Answer = tuple[int, object]


@dataclass
class AskedVendor:
    url: str = ""
    answer: Answer = (200, {})
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@pytest.fixture
def asked_vendor() -> Iterator[AskedVendor]:
    """A vendor that gives one answer to whatever it is asked."""
    stub = AskedVendor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stub.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            stub.asked.append(f"{self.command} {self.path}")
            status, body = stub.answer
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

    with serving(Handler) as stub.url:
        yield stub


@pytest.fixture
def account_at(live_chain, asked_vendor, settings) -> Callable[[str], ProviderAccount]:
    """`account_at("meta")` is an account whose vendor is the one on loopback."""
    settings.SANDBOX_URL = asked_vendor.url

    def make(provider: str) -> ProviderAccount:
        with tenant_scope(live_chain.tenant.pk):
            return make_account(provider, base_url=asked_vendor.url)

    return make
