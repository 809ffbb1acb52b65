"""A mailing through the worker to a mail server on loopback."""

import email
import email.policy
import re
import socket
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from customers.models import Suppression
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import Message, WebhookEvent
from marketing.delivery.services import freeze_run
from marketing.delivery.webhooks import consumer, mailboxes
from tests.delivery.providers import imap
from tests.delivery.providers.mailbox import MESSAGE_ID
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, open_all_hours, states_of
from tests.factories.policy import WORKING_VALUES, make_account

PAYLOADS = Path(__file__).parent / "providers/payloads/smtp"
LOGIN = {"bounce_username": "bounces", "bounce_password": "right"}
NAME = re.compile(rb"<%s[^>]*>" % MESSAGE_ID.hex.encode())
BOUNCE = (PAYLOADS / "bounce_unknown.eml").read_bytes()
COMPLAINT = (PAYLOADS / "complaint.eml").read_bytes()


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


def mail_out(chain, mailbox, *, purpose="promotional", sender=(), **credentials):
    """A run that 25 people were sent."""
    with tenant_scope(chain.tenant.pk):
        open_all_hours()
        server = {"host": "127.0.0.1", "port": str(mailbox.port), "security": "none"}
        make_account(
            "smtp",
            base_url="",
            credentials=credentials,
            sender=WORKING_VALUES["smtp"]["sender"] | server | dict(sender),
            rate_per_second=1000,
        )
        CustomerFactory.create_batch(25, home_branch=chain.north)
        run = make_run(TemplateFactory(channel="email", name="Offer"), purpose=purpose)
        freeze_run(run=run, audience=everyone())
    worker.run()
    return run


@pytest.mark.parametrize("purpose", ["promotional", "transactional"])
def test_a_mailing_by_smtp(live_chain, mailbox, purpose):
    run = mail_out(live_chain, mailbox, purpose=purpose)
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


def test_a_mail_that_comes_back_fails_and_its_address_is_left_alone(live_chain, mailbox):
    with imap.serving() as box:
        run = mail_out(live_chain, mailbox, sender=box.sender, **LOGIN)
        with tenant_scope(live_chain.tenant.pk):
            returned = Message.objects.order_by("pk")[7]
        assert NAME.search(BOUNCE)
        box.mails[1] = NAME.sub(returned.provider_message_id.encode(), BOUNCE)
        for _ in range(2):
            mailboxes.read_mailboxes()
            consumer.consume_due()
    with tenant_scope(live_chain.tenant.pk):
        assert states_of(run) == {"sent": 24, "failed": 1}
        returned.refresh_from_db()
        assert (returned.state, returned.error_code) == ("failed", "5.1.1")
        assert WebhookEvent.objects.count() == 1
        (suppressed,) = Suppression.objects.all()
        assert (suppressed.channel, suppressed.reason) == ("email", "hard_bounce")


def test_whoever_complains_is_left_alone(live_chain, mailbox):
    with imap.serving() as box:
        run = mail_out(live_chain, mailbox, sender=box.sender, **LOGIN)
        with tenant_scope(live_chain.tenant.pk):
            disliked, liked = Message.objects.order_by("pk")[7:9]
        box.mails[1] = NAME.sub(disliked.provider_message_id.encode(), COMPLAINT)
        box.mails[2] = NAME.sub(liked.provider_message_id.encode(), COMPLAINT).replace(
            b"Feedback-Type: abuse", b"Feedback-Type: not-spam"
        )
        for _ in range(2):
            mailboxes.read_mailboxes()
            consumer.consume_due()
    assert box.seen == {1, 2}
    with tenant_scope(live_chain.tenant.pk):
        assert states_of(run) == {"sent": 24, "delivered": 1}
        disliked.refresh_from_db()
        assert (disliked.state, disliked.reason) == ("delivered", "complained")
        (suppressed,) = Suppression.objects.all()
        assert (suppressed.channel, suppressed.reason) == ("email", "complaint")


def test_a_mailbox_that_cannot_be_read_holds_up_no_other(live_chain, mailbox, caplog):
    with imap.serving() as box:
        mail_out(live_chain, mailbox, sender=box.sender, **LOGIN)
        with tenant_scope(live_chain.tenant.pk):
            wrong = LOGIN | {"bounce_password": "wrong"}
            sender = WORKING_VALUES["smtp"]["sender"] | box.sender
            make_account("smtp", base_url="", name="A", credentials=wrong, sender=sender)
        box.mails[1] = BOUNCE
        mailboxes.read_mailboxes()
    assert box.seen == {1}
    assert "cannot be read" in caplog.text
