"""A mail server that answers as it is told, and mails for it."""

import asyncio
import email
import email.policy
import socket
import uuid

from marketing.content.rendering import Rendered
from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.smtp import client

MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000004")
ACCOUNT = Account(
    id=uuid.uuid4(),
    provider="smtp",
    base_url="",
    credentials={},
    sender={
        "host": "127.0.0.1",
        "security": "none",
        "from_email": "hello@example.com",
        "from_name": "Parlour, Park Street",
    },
    rate_per_second=10,
    max_concurrency=10,
)
HINDI = "नमस्ते आशा जी, आपके लिए बीस प्रतिशत की छूट\n" * 5
HTML = "<p style='color:#123'>Hi &amp; hello</p>\n." + "<i>long line</i>" * 100


def envelope(address="asha@example.com", number=0, **rendered):
    parts = {"body": "Hi Asha\n.\nBye", "language": "en", "subject": "Offer", "html": HTML}
    return Envelope(
        message_id=uuid.UUID(int=MESSAGE_ID.int + number),
        address=address,
        language="en",
        rendered=Rendered(**parts | rendered),
        parameters=None,
        vendor_template="",
        unsubscribe_url="https://example.com/u/token",
    )


class Mailbox:
    """A server that answers as it is told and keeps what it took."""

    def __init__(self):
        self.mails = []
        self.sessions = set()
        self.rcpt_reply = self.data_reply = self.mail_reply = "250 OK"
        self.drops = ""
        self.pipelines = False

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        more = ["250-PIPELINING"] if self.pipelines else []
        return [*responses[:-1], *more, responses[-1]]

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        self.sessions.add(id(session))
        if self.mail_reply.startswith("250"):
            envelope.mail_from = address
        return self.mail_reply

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.drops.startswith("rcpt"):
            server.transport.abort()
            self.drops = self.drops.removesuffix("rcpt once")
        if self.rcpt_reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_reply

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.data_reply.startswith("250"):
            self.mails.append(envelope)
        if self.drops.startswith("data"):
            server.transport.abort()
            self.drops = self.drops.removesuffix("data once")
        return self.data_reply


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def deliver(account, *envelopes):
    async def run():
        try:
            return [(await client.deliver(account, [each]))[0] for each in envelopes]
        finally:
            await client.close()

    return asyncio.run(run())


def deliver_together(account, *envelopes):
    async def run():
        try:
            calls = [client.deliver(account, [each]) for each in envelopes]
            return [result for (result,) in await asyncio.gather(*calls)]
        finally:
            await client.close()

    return asyncio.run(run())


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def text_of(part):
    return part.get_content().replace("\r\n", "\n").removesuffix("\n")
