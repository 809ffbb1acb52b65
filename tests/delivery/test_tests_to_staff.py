"""A test shows a customer's message to staff: what they then do is not the customer's doing."""

import pytest
from django.test import Client
from django.utils import timezone

from customers.links import read_unsubscribe_token
from customers.models import ConsentState
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.lease import Marked
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.dispatch.sending import _renderer_of
from marketing.delivery.leaving import lock_people
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.services import send_test
from marketing.delivery.webhooks.reports import Report
from marketing.delivery.webhooks.statuses import apply, people_leaving
from marketing.policy.models import ProviderAccount
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import make_sender
from tests.factories.policy import set_config

STAFF_PHONE, STAFF_EMAIL = "+919820012345", "manager@example.com"
TEXTS = {
    "sms": {"body": "Hi!"},
    "whatsapp": {"body": "Hi! Stop: {{ unsubscribe_url }} now"},
    "email": {"subject": "Hi", "body": "Hi! Stop: {{ unsubscribe_url }}"},
}


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north)


@pytest.fixture
def tested(chain, asha):
    """Send staff a test in Asha's name."""

    set_config(sms_enabled=True, email_enabled=True)

    def test_of(channel, **options):
        if not ProviderAccount.objects.filter(channel=channel).exists():
            make_sender(channel)
        template = TemplateFactory(channel=channel, contents={"en": TEXTS[channel]}, **options)
        version = template.versions.select_related("template", "tenant").get()
        return send_test(
            actor=chain.actor(chain.manager),
            version=version,
            customer=asha,
            address=STAFF_EMAIL if channel == "email" else STAFF_PHONE,
            language="en",
        )

    return test_of


def rendered(message):
    marked = Marked(
        tenant_id=message.tenant_id,
        variables=message.variables,
        id=message.pk,
        customer_id=message.customer_id,
        address=message.address,
        language=message.language,
        version_id=message.template_version_id,
        segments=message.segments,
        tries=1,
    )
    return _renderer_of(message.run).render(marked)[0]


@pytest.mark.parametrize("channel", ["whatsapp", "email"])
@pytest.mark.parametrize("post", [{}, {"scope": "all"}, {"List-Unsubscribe": "One-Click"}])
def test_its_way_out_leads_nobody_out_and_says_so(chain, asha, tested, settings, channel, post):
    body = rendered(tested(channel)).rendered.body
    link = next(word for word in body.split() if "/u/" in word)
    path = link.removeprefix(settings.PUBLIC_BASE_URL)
    assert read_unsubscribe_token(path.rpartition("/")[2]).customer_id != asha.pk
    for answer in (Client().get(path), Client().post(path, post)):
        shown = answer.content.decode()
        assert answer.status_code == 200
        assert "This was a test" in shown
        assert "/preferences/" not in shown
    assert not ConsentState.objects.filter(marketing_opted_out=True).exists()


def test_an_offer_by_mail_ends_as_it_will_for_customers(chain, tested):
    set_config(postal_address="5 Park Street, Kolkata 700016")
    envelope = rendered(tested("email"))
    assert "5 Park Street, Kolkata 700016" in envelope.rendered.html
    assert not envelope.is_promotional, "a mail program would offer to unsubscribe by itself"


def test_a_receipt_by_mail_has_no_such_end(chain, tested):
    set_config(postal_address="5 Park Street, Kolkata 700016")
    envelope = rendered(tested("email", template_type="transactional"))
    assert "5 Park Street" not in envelope.rendered.html


def failed(message, **more):
    """The vendor's report that the message failed."""
    update = StatusUpdate(
        key="r1", state="failed", at=timezone.now(), message_id=message.pk, code="131050", **more
    )
    report = Report(message.account_id, update)
    lock_people(people_leaving([report]))
    apply([report])


def sent(message):
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=timezone.now())
    DispatchBatch.objects.filter(pk=message.batch_id).update(queued=0, sent=1)


def test_staff_who_want_no_offers_do_not_end_the_customers(asha, tested):
    consent = ConsentState.objects.get(customer=asha)
    message = tested("whatsapp")
    sent(message)
    failed(message, error_class=ResultClass.FAIL_OPTOUT)
    second = tested("whatsapp")
    Message.objects.filter(pk=second.pk).update(state="sending", sending_at=timezone.now())
    DispatchBatch.objects.filter(pk=second.batch_id).update(queued=0, sending=1)
    refusal = Result(ResultClass.FAIL_OPTOUT, code="131050")
    outcomes.write(second.tenant_id, [Outcome(second.pk, refusal, 1)], second.pk, second.pk)
    assert set(Message.objects.values_list("state", flat=True)) == {"failed"}
    consent.refresh_from_db()
    assert consent.whatsapp_promotional


def test_staff_on_the_do_not_disturb_register_do_not_put_the_customer_there(asha, tested):
    message = tested("sms")
    sent(message)
    failed(message, error_class=ResultClass.FAIL_RECIPIENT, is_on_dnd=True)
    assert Message.objects.get().state == "failed"
    assert not ConsentState.objects.filter(is_dnd=True).exists()
