"""Payloads as the vendors send them; accounts and messages as the sender has them."""

import dataclasses
import json
import uuid
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from marketing.content.rendering import Parameters, Rendered
from marketing.delivery.providers.base import Account, Answer, Envelope
from tests.delivery.providers import mailbox as mailboxes

MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000001")


@pytest.fixture
def payload():
    """The bytes of `payloads/<name>`."""
    return lambda name: (Path(__file__).parent / "payloads" / name).read_bytes()


def account(provider, *, credentials, sender, **values):
    return Account(
        id=uuid.UUID(int=1),
        provider=provider,
        base_url="http://127.0.0.1:1",
        credentials=credentials,
        sender=sender,
        rate_per_second=10,
        max_concurrency=10,
        **values,
    )


def envelope(address="+919876543210", *, number=1, body="Hi Asha, 20% off", **values):
    parameters = values.pop("parameters", Parameters(body=("Asha", "20%")))
    return Envelope(
        message_id=uuid.UUID(int=MESSAGE_ID.int - 1 + number),
        address=address,
        language=values.pop("language", "en"),
        rendered=Rendered(body=body, language="en"),
        parameters=parameters,
        vendor_template=values.pop("vendor_template", "template-1"),
        unsubscribe_url="",
        **values,
    )


def answer(status, body=b"", **headers):
    """An answer with a JSON body, or with these bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, content)


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
def serve(request):
    """Starts a server; gives its handler and an account for it."""
    running = []

    def start(sender=(), credentials=(), **options):
        mailbox = mailboxes.Mailbox()
        mailbox.pipelines = request.param
        controller = Controller(
            mailbox, hostname="127.0.0.1", port=mailboxes.free_port(), **options
        )
        controller.start()
        running.append(controller)
        account = dataclasses.replace(
            mailboxes.ACCOUNT,
            sender=mailboxes.ACCOUNT.sender | {"port": str(controller.port)} | dict(sender),
            credentials=dict(credentials),
        )
        return mailbox, account

    yield start
    for controller in running:
        controller.stop()
