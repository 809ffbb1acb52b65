"""What people write: stop and start honoured, answered once, everything in their timeline."""

import time

import pytest
from django.utils import timezone

from customers import services as customers
from customers import timeline
from customers.models import (
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    CustomerEvent,
    Suppression,
)
from customers.services import (
    add_contact_point,
    note_whatsapp_id,
    opt_out,
    record_consent,
    update_customer,
)
from marketing.core.actor import Actor
from marketing.core.models import AuditEntry, Branch, Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import ContactLoad, ExtraKeyword, InboundMessage, Message
from marketing.delivery.webhooks import consumer
from marketing.policy.models import ProviderAccount
from tests.delivery.webhooks.conftest import messages
from tests.delivery.webhooks.payloads import inbound, preference, status, statuses
from tests.factories.customers import CustomerFactory
from tests.factories.policy import make_account


@pytest.fixture
def phone(run):
    return messages(run)[0].address


@pytest.fixture
def say(run, post, phone):
    """Somebody writes a text now; `say("STOP", key="2")` another one."""

    def write(text, key="1", sender=phone, at=None, **more):
        post(inbound(text, sender, f"wamid.{key}", at=at or int(time.time()), **more))
        consumer.consume_due()

    return write


def consent_of(run, phone):
    with tenant_scope(run.tenant_id):
        return ConsentState.objects.get(customer__phone=phone)


def replies(run):
    with tenant_scope(run.tenant_id):
        found = Message.objects.filter(template_version=None).order_by("pk")
        return [message.variables["text"] for message in found]


@pytest.mark.parametrize("text", ["STOP", " stop ", "Unsubscribe", "बंद", "রোকো বন্ধ", "বন্ধ"])
def test_stop_words_opt_out_at_once(run, post, text):
    phone = messages(run)[0].address
    post(inbound(text, phone))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        out = ConsentState.objects.get(customer__phone=phone).marketing_opted_out
        assert out is (text != "রোকো বন্ধ")
        assert ConsentState.objects.filter(marketing_opted_out=True).count() == int(out)


def test_other_words_land_in_the_timeline_once(run, post):
    phone = messages(run)[0].address
    for _ in range(2):
        post(inbound("Can I come at 5? 😊", phone))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        (event,) = CustomerEvent.objects.filter(name="message.inbound")
        assert event.properties == {"channel": "whatsapp", "text": "Can I come at 5? 😊"}
        assert not ConsentState.objects.filter(marketing_opted_out=True).exists()


def test_stop_is_answered_once_a_day_in_her_language(run, say, phone):
    with tenant_scope(run.tenant_id):
        Customer.objects.filter(phone=phone).update(language="hi")
    say("STOP")
    say("stop!", key="2")
    (text,) = replies(run)
    assert "START लिखें" in text
    with tenant_scope(run.tenant_id):
        InboundMessage.objects.update(answered_at=timezone.now() - timezone.timedelta(hours=25))
    say("STOP", key="3")
    assert len(replies(run)) == 2


def test_the_answer_goes_out_by_the_engine_as_free_text(run, say, phone, vendor):
    say("STOP")
    asked = len(vendor.asked)
    with tenant_scope(run.tenant_id):
        ContactLoad.objects.update(whatsapp_at=None)  # six seconds have passed
    worker.run()
    (body,) = vendor.asked[asked:]
    assert (body["type"], body["to"]) == ("text", phone.lstrip("+"))
    assert "START" in body["text"]["body"]
    with tenant_scope(run.tenant_id):
        assert Message.objects.get(template_version=None).state == "sent"


@pytest.mark.parametrize(
    ("text", "more"),
    [("hello", {}), ("STOP", {"at": 1776000000})],
    ids=["no keyword", "long ago"],
)
def test_what_is_not_answered(run, say, text, more):
    say(text, **more)
    assert not replies(run)


def test_a_vendor_that_answered_itself_leaves_nothing_to_say(run, say, monkeypatch):
    from dataclasses import replace

    from marketing.delivery.providers.meta import webhook

    parse = webhook.parse
    monkeypatch.setattr(
        webhook, "parse", lambda call: [replace(item, is_answered=True) for item in parse(call)]
    )
    say("STOP")
    assert not replies(run)
    with tenant_scope(run.tenant_id):
        assert ConsentState.objects.filter(marketing_opted_out=True).count() == 1


def test_stop_by_a_quick_reply(run, post, phone):
    tapped = {"text": "No more offers", "payload": "STOP_MKT"}
    post(inbound("", phone, type="button", button=tapped))
    consumer.consume_due()
    assert consent_of(run, phone).marketing_opted_out


def test_the_apps_own_switch_closes_offers_on_whatsapp_alone(run, post, phone):
    post(preference("stop", phone))
    consumer.consume_due()
    state = consent_of(run, phone)
    assert not state.marketing_opted_out
    assert (state.whatsapp_promotional, state.whatsapp_service) == (False, True)
    assert (state.sms_promotional, state.email_promotional) == (True, True)
    with tenant_scope(run.tenant_id):
        record = ConsentRecord.objects.get()
        assert (record.state, record.source) == ("withdrawn", "provider")
    assert not replies(run)


def test_and_opens_what_it_closed(run, post, phone):
    post(preference("stop", phone))
    post(preference("resume", phone, at=1776000001))
    consumer.consume_due()
    assert consent_of(run, phone).whatsapp_promotional


def test_error_131050_closes_offers_on_whatsapp_alone(run, post):
    first, *_ = messages(run)
    for _ in range(2):
        post(statuses(status(first, "failed", errors=[{"code": 131050, "title": "stopped"}])))
    consumer.consume_due()
    state = consent_of(run, first.address)
    assert (state.whatsapp_promotional, state.whatsapp_service) == (False, True)
    with tenant_scope(run.tenant_id):
        assert ConsentRecord.objects.filter(source="provider").count() == 1
        assert not Suppression.objects.exists()


def test_start_gives_back_what_she_closed(run, say, phone):
    say("STOP")
    say("START", key="2")
    state = consent_of(run, phone)
    assert not state.marketing_opted_out
    assert state.whatsapp_promotional
    assert len(replies(run)) == 2


def test_start_gives_back_assumed_consent_as_explicit(run, say, phone):
    with tenant_scope(run.tenant_id):
        customer = Customer.objects.get(phone=phone)
        ConsentState.objects.filter(customer=customer).delete()
        from customers.services.consent import assume_consent

        assume_consent(actor=Actor.system(run.tenant_id), customer=customer, source="staff")
    say("STOP")
    assert not consent_of(run, phone).whatsapp_promotional
    say("শুরু", key="2")
    state = consent_of(run, phone)
    assert (state.whatsapp_promotional, state.whatsapp_basis) == (True, "explicit")
    assert not state.sms_promotional


def test_start_leaves_closed_what_staff_closed(run, say, phone):
    with tenant_scope(run.tenant_id):
        customer, actor = Customer.objects.get(phone=phone), Actor.system(run.tenant_id)
        record_consent(
            actor=actor, customer=customer, changes={"whatsapp_promotional": False}, source="staff"
        )
        opt_out(actor=actor, customer=customer, source="manual")
    say("START")
    state = consent_of(run, phone)
    assert state.marketing_opted_out
    assert not state.whatsapp_promotional


def test_help_is_answered_with_the_branchs_phone(run, say, phone):
    with tenant_scope(run.tenant_id):
        Branch.objects.filter(name="North").update(phone="+912212345678")
    say("Help?")
    (text,) = replies(run)
    assert "+912212345678" in text
    assert not consent_of(run, phone).marketing_opted_out


def test_words_of_the_chains_own(run, say, phone):
    with tenant_scope(run.tenant_id):
        ExtraKeyword.objects.create(word="bas karo", keyword="stop")
    say("Bas karo!!")
    assert consent_of(run, phone).marketing_opted_out


def test_a_scoped_id_is_remembered_and_found_without_the_phone(run, say, phone):
    say("hello", user_id="IN.372411708439")
    with tenant_scope(run.tenant_id):
        assert Customer.objects.get(phone=phone).whatsapp_id == "IN.372411708439"
    say("STOP", key="2", sender="", from_user_id="IN.372411708439")
    assert consent_of(run, phone).marketing_opted_out


def test_the_scoped_id_goes_before_the_phone(run, say, phone):
    """Her number is somebody else's in our books; the id says who wrote."""
    with tenant_scope(run.tenant_id):
        mine, theirs = Customer.objects.order_by("pk")[:2]
        actor = Actor.system(run.tenant_id)
        update_customer(actor=actor, customer=mine, values={"whatsapp_id": "IN.1"})
        update_customer(actor=actor, customer=theirs, values={"whatsapp_id": "IN.2"})
    say("STOP", sender=theirs.phone, user_id="IN.1")
    assert consent_of(run, mine.phone).marketing_opted_out
    assert not consent_of(run, theirs.phone).marketing_opted_out


@pytest.fixture
def other_portfolio(run):
    """Who writes does so to another portfolio than the one that the chain sends by."""
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.filter(channel="whatsapp").update(portfolio="Spa", is_default=False)
        make_account("meta", name="Salon", portfolio="Salon", is_default=True)


def test_an_id_of_another_portfolio_tells_who_wrote_but_is_not_written_to(
    run, say, phone, other_portfolio
):
    say("hello", user_id="IN.372411708439")
    with tenant_scope(run.tenant_id):
        assert Customer.objects.get(phone=phone).whatsapp_id == ""
    say("STOP", key="2", sender="", from_user_id="IN.372411708439")
    assert consent_of(run, phone).marketing_opted_out


def test_what_is_noted_already_is_not_written_again(run, say, phone):
    say("hello", user_id="IN.372411708439")
    with tenant_scope(run.tenant_id):
        before = Customer.objects.get(phone=phone).version, AuditEntry.objects.count()
    say("hello again", key="2", user_id="IN.372411708439")
    with tenant_scope(run.tenant_id):
        assert (Customer.objects.get(phone=phone).version, AuditEntry.objects.count()) == before


def test_an_id_of_another_portfolio_is_noted_once(
    run, say, post, phone, other_portfolio, monkeypatch
):
    """Two messages of one round, and one of the next: what is known is not even asked for."""
    noted = []

    def note(**values):
        noted.append(values["value"])
        return note_whatsapp_id(**values)

    monkeypatch.setattr(customers, "note_whatsapp_id", note)
    post(inbound("hello", phone, "wamid.0", user_id="IN.7"))
    say("are you there?", user_id="IN.7")
    say("well, bye", key="2", sender="", from_user_id="IN.7")
    assert noted == ["IN.7"]
    with tenant_scope(run.tenant_id):
        point = ContactPoint.objects.get(kind="whatsapp")
        assert (point.customer.phone, point.value) == (phone, "IN.7")
        assert CustomerEvent.objects.filter(name="message.inbound").count() == 3


def test_one_person_of_two_ids_is_heard_by_both_at_once(run, post, phone):
    with tenant_scope(run.tenant_id):
        actor = Actor.system(run.tenant_id)
        person = Customer.objects.get(phone=phone)
        update_customer(actor=actor, customer=person, values={"whatsapp_id": "IN.1"})
        add_contact_point(actor=actor, customer=person, kind="whatsapp", value="IN.2")
    for scoped_id in ("IN.1", "IN.2"):
        post(inbound(f"I am {scoped_id}", "", f"wamid.{scoped_id}", from_user_id=scoped_id))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        events = CustomerEvent.objects.filter(name="message.inbound", customer=person)
        assert events.count() == 2


def test_everyone_behind_a_shared_phone_stops_and_one_answer_goes_out(run, say, phone):
    with tenant_scope(run.tenant_id):
        CustomerFactory(phone=phone)
    say("STOP")
    with tenant_scope(run.tenant_id):
        stopped = ConsentState.objects.filter(marketing_opted_out=True)
        assert set(stopped.values_list("customer__phone", flat=True)) == {phone}
        assert stopped.count() == 2
    assert len(replies(run)) == 1


def test_the_timeline_says_what_was_written_and_by_whom_it_may_be(run, say, phone, live_chain):
    with tenant_scope(run.tenant_id):
        CustomerFactory(phone=phone, first_name="Ravi", last_name="Rao")
    say("Can I come at 5?")
    with tenant_scope(run.tenant_id):
        customer = Customer.objects.filter(phone=phone).order_by("pk").first()
        actor = live_chain.actor(live_chain.manager)
        page = timeline.read_page(actor=actor, customer=customer)
        (entry,) = [entry for entry in page.entries if entry.type == "inbound"]
        assert (entry.title, entry.channel) == ("WhatsApp: “Can I come at 5?”", "whatsapp")
        assert entry.by == f"{customer.name} / Ravi Rao"


def test_a_strangers_words_are_kept_and_her_stop_outlives_her_absence(run, say):
    say("Do you do nails?", sender="+919999999999")
    say("STOP", key="2", sender="+919999999999")
    with tenant_scope(run.tenant_id):
        first, second = InboundMessage.objects.order_by("pk")
        assert (first.text, first.is_known) == ("Do you do nails?", False)
        assert second.keyword == "stop"
        assert set(Suppression.objects.values_list("channel", "reason")) == {
            ("whatsapp", "opted_out"),
            ("sms", "opted_out"),
        }
    say("START", key="3", sender="+919999999999")
    with tenant_scope(run.tenant_id):
        assert not Suppression.objects.exists()
    assert not replies(run)


def test_a_customers_words_are_kept_once_only(run, say, phone):
    say("hello")
    with tenant_scope(run.tenant_id):
        assert InboundMessage.objects.get().text == ""
        assert CustomerEvent.objects.get(name="message.inbound").properties["text"] == "hello"


def test_no_sms_is_answered_where_headers_are_one_way(run, live_chain):
    from marketing.delivery.webhooks.replies import _may_answer

    india, elsewhere = Tenant(country="IN"), Tenant(country="US")
    assert not _may_answer("sms", india)
    assert _may_answer("sms", elsewhere)
    assert _may_answer("whatsapp", india)
    assert not _may_answer("email", elsewhere)
