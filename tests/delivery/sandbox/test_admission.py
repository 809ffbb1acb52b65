"""What comes before a vendor looks at a request: the time that it takes to answer at all."""

import asyncio

import pytest

from marketing.delivery.sandbox import admission
from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.settings import Settings
from marketing.delivery.sandbox.state import Sandbox

CREDENTIALS = {"authkey": "key"}


@pytest.fixture
def slept(monkeypatch):
    """How long was waited, in seconds; nobody really does."""
    seconds = []
    real = asyncio.sleep

    async def sleep(delay):
        seconds.append(delay)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


def treated(tmp_path, *recipients, **settings):
    """Let one request for each of these pass at an account of such settings."""
    account = Account.from_json(
        "sms", {"provider": "msg91", "credentials": CREDENTIALS, **settings}
    )
    sandbox = Sandbox.opened(Settings(tmp_path, "secret", "", 0), "127.0.0.1", 1)
    try:
        for recipient in recipients:
            asyncio.run(admission.treat(sandbox, account, recipient))
    finally:
        sandbox.database.close()


@pytest.mark.parametrize(("latency_ms", "waited"), [(0, []), (250, [0.25, 0.25])])
def test_every_request_takes_the_accounts_latency(tmp_path, slept, latency_ms, waited):
    treated(tmp_path, "+919876543210", "+919876543211", latency_ms=latency_ms)
    assert slept == waited


@pytest.mark.parametrize("ending", ["0500", "0429"])
def test_and_so_does_one_that_is_refused(tmp_path, slept, ending):
    with pytest.raises(admission.Refused):
        treated(tmp_path, f"+91987654{ending}", latency_ms=40)
    assert slept == [0.04]
