"""A mailing through the worker to a mail server on loopback."""

import email
import email.policy
import socket

import pytest
from aiosmtpd.controller import Controller

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import Message
from marketing.delivery.services import freeze_run
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, open_all_hours, states_of
from tests.factories.policy import WORKING_VALUES, make_account


class Mailbox:
    def __init__(self):
        self.mails = []
        self.open_sessions = set()

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        self.open_sessions.add(session.peer)
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope)
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        self.open_sessions.discard(session.peer)
        return "221 Bye"


@pytest.fixture
def mailbox():
    handler = Mailbox()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    handler.port = port
    yield handler
    controller.stop()


@pytest.mark.parametrize("purpose", ["promotional", "transactional"])
def test_a_mailing_by_smtp(live_chain, mailbox, purpose):
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        server = {"host": "127.0.0.1", "port": str(mailbox.port), "security": "none"}
        make_account(
            "smtp",
            base_url="",
            credentials={},
            sender=WORKING_VALUES["smtp"]["sender"] | server,
            rate_per_second=1000,
        )
        CustomerFactory.create_batch(25, home_branch=live_chain.north)
        template = TemplateFactory(channel="email", name="Offer")
        run = make_run(template, purpose=purpose)
        freeze_run(run=run, audience=everyone())
    worker.run()
    with tenant_scope(live_chain.tenant.pk):
        assert states_of(run) == {"sent": 25}
        sent = {message.address: message for message in Message.objects.all()}
    assert len(mailbox.mails) == len(sent) == 25
    for taken in mailbox.mails:
        message = sent[taken.rcpt_tos[0]]
        mail = email.message_from_bytes(taken.content, policy=email.policy.default)
        assert mail["Message-ID"] == message.provider_message_id
        assert message.pk.hex in mail["Message-ID"]
        is_offer = purpose == "promotional"
        assert (mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click") == is_offer
        assert ("/u/" in mail.get_body(("plain",)).get_content()) == is_offer
    assert not mailbox.open_sessions, "the worker says goodbye when it is done"
