"""The page on which a person says what she wants to get, without a login."""

import datetime as dt
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import links, services
from customers.models import ConsentRecord, ConsentState, MessageTopic, TopicRefusal
from marketing.core.models import AuditEntry
from tests.factories.customers import CustomerFactory


@pytest.fixture
def asha(chain):
    return CustomerFactory(language="hi", consent={"email_promotional": False})


@pytest.fixture
def topics(chain):
    names = ("Hair", "Skin")
    return [MessageTopic.objects.create(name=name, names={"hi": f"{name}-hi"}) for name in names]


def page(customer):
    return "/p/" + links.preferences_url(customer.tenant_id, customer.pk).rpartition("/")[2]


def body(*off, **changes):
    names = {
        f"{channel}_{purpose}"
        for channel in ("whatsapp", "sms", "email")
        for purpose in ("promotional", "service")
    }
    ticked = dict.fromkeys(names - {"email_promotional", *off}, "on")
    return {**ticked, "language": "hi", "weekly_limit": "", **changes}


def state_of(customer):
    return ConsentState.objects.get(customer=customer)


def test_it_opens_in_her_language_without_a_login(asha, topics, chain):
    answer = Client().get(page(asha))
    assert answer.status_code == 200
    assert 'lang="hi"' in answer.text
    assert "Hair-hi" in answer.text
    assert chain.tenant.name in answer.text
    assert not ConsentRecord.objects.exists()


def test_she_changes_channels_topics_how_often_and_language(asha, topics):
    hair, skin = topics
    said = body("sms_promotional", email_promotional="on", weekly_limit="1", language="en")
    said[f"topic_{hair.pk}"] = "on"
    client = Client(enforce_csrf_checks=True)
    answer = client.post(page(asha), said, REMOTE_ADDR="203.0.113.9")
    assert answer.status_code == 302
    assert 'role="status"' in client.get(answer.headers["Location"]).text
    state = state_of(asha)
    assert (state.sms_promotional, state.sms_service) == (False, True)
    assert (state.email_promotional, state.weekly_limit) == (True, 1)
    assert TopicRefusal.objects.get().topic == skin
    asha.refresh_from_db()
    assert asha.language == "en"
    lines = ConsentRecord.objects.order_by("id").values_list(
        "channel", "state", "source", "ip_address", "wording_version", "language"
    )
    proof = ("preference_centre", "203.0.113.9", "preferences-1", "hi")
    assert set(lines) == {
        ("sms", "withdrawn", *proof),
        ("email", "granted", *proof),
    }
    assert AuditEntry.objects.filter(action="customer.preferences").count() == 1


def test_saving_what_stands_records_nothing(asha, topics):
    said = body() | {f"topic_{topic.pk}": "on" for topic in topics}
    for _ in range(2):
        assert Client().post(page(asha), said).status_code == 302
    assert not ConsentRecord.objects.exists()
    assert not TopicRefusal.objects.exists()


def test_a_box_that_stood_ticked_confirms_nothing(chain):
    asha = CustomerFactory(language="hi", consent={"sms_basis": "assumed"})
    Client().post(page(asha), body(email_promotional="on"))
    assert state_of(asha).sms_basis == "assumed"


def test_one_press_stops_all_marketing(asha):
    assert Client().post(page(asha), {"everything": "stop"}).status_code == 302
    state = state_of(asha)
    assert (state.marketing_opted_out, state.opt_out_source) == (True, "preference_centre")


def test_who_had_stopped_comes_back_on_what_she_turns_on_only(chain):
    asha = CustomerFactory(language="hi", consent={"marketing_opted_out": True})
    said = body("sms_promotional", "whatsapp_promotional", email_promotional="on")
    Client().post(page(asha), said)
    state = state_of(asha)
    assert not state.marketing_opted_out
    assert (state.email_promotional, state.sms_promotional) == (True, False)
    assert not state.whatsapp_promotional


@pytest.mark.parametrize(
    "changes",
    [{"weekly_limit": "9"}, {"weekly_limit": "-1"}, {"language": "xx"}, {"language": ""}],
)
def test_strange_answers_are_refused_whole(asha, changes):
    answer = Client().post(page(asha), body("sms_promotional") | changes)
    assert answer.status_code == 422
    assert state_of(asha).sms_promotional
    assert not ConsentRecord.objects.exists()


def test_after_a_week_the_link_says_so_politely(asha, time_machine):
    address = page(asha)
    time_machine.move_to(timezone.now() + dt.timedelta(days=8))
    for answer in (Client().get(address), Client().post(address, {"everything": "stop"})):
        assert answer.status_code == 410
        assert "no longer open" in answer.text
    assert not state_of(asha).marketing_opted_out


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "zz" + t[2:], lambda t: "x"])
def test_a_spoilt_link_is_not_found(asha, spoil):
    token = page(asha).removeprefix("/p/")
    address = reverse("preferences", args=[spoil(token)])
    assert Client().get(address).status_code == 404
    assert Client().post(address, {"everything": "stop"}).status_code == 404
    assert not state_of(asha).marketing_opted_out


def test_an_unsubscribe_token_opens_no_preferences(asha):
    token = links.unsubscribe_url(asha.tenant_id, asha.pk).rpartition("/")[2]
    assert Client().get(reverse("preferences", args=[token])).status_code == 404


def test_the_unsubscribe_page_leads_to_it(asha):
    address = links.unsubscribe_url(asha.tenant_id, asha.pk, "email")
    for answer in (Client().get(address), Client().post(address, {"scope": "channel"})):
        assert 'lang="hi"' in answer.text
        assert "/p/" in answer.text


def test_who_was_erased_or_merged(asha, chain, manager):
    address = page(asha)
    other = CustomerFactory(language="en")
    services.merge_customers(actor=manager, keep=other, other=asha, choices={})
    Client().post(address, {"everything": "stop"})
    assert state_of(other).marketing_opted_out
    services.erase_customer(actor=manager, customer=other)
    assert Client().get(address).status_code == 410


def test_staff_see_the_proof_and_copy_her_link(asha, topics, login):
    Client().post(page(asha), body("sms_promotional", weekly_limit="2"), REMOTE_ADDR="203.0.113.9")
    text = login("receptionist").get(reverse("consent-proof", args=[asha.pk])).text
    for shown in ("preferences-1", "203.0.113.9", "Preference page", "Hair", "/p/", "हिंदी"):
        assert shown in text


def test_the_proof_comes_in_pages(asha, login, manager):
    for number in range(52):
        services.record_consent(
            actor=manager, customer=asha, changes={"is_dnd": not number % 2}, source="staff"
        )
    client = login("manager")
    address = reverse("consent-proof", args=[asha.pk])
    first = client.get(address)
    assert len(first.context["lines"]) == 50
    rest = client.get(address, {"before": first.context["older"]})
    assert len(rest.context["lines"]) == 2
    assert client.get(address, {"before": "x"}).status_code == 400


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_of_a_chain_that_is_gone_does_not_work(db, method):
    url = links.preferences_url(uuid.UUID(int=1), uuid.UUID(int=2))
    answer = getattr(Client(), method)("/p/" + url.rpartition("/")[2])
    assert answer.status_code == 404
    assert "This link does not work" in answer.text
