"""Opting out by address, by id and by signed link."""

import datetime as dt
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import links, services
from customers.models import ConsentState, Suppression
from marketing.core.api_keys import issue_api_key
from marketing.core.tenancy import tenant_scope
from tests.factories.customers import CustomerFactory

URL = "/api/v1/marketing/opt-out"
UNKNOWN = {"phone": "+919811111111", "email": "nobody@example.com"}


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.south, language="hi", phone="+919876543210")


def is_out(customer):
    return ConsentState.objects.get(customer=customer).marketing_opted_out


def link_of(customer, channel=""):
    return links.unsubscribe_url(customer.tenant_id, customer.pk, channel)


def token_of(customer, channel=""):
    return link_of(customer, channel).rpartition("/")[2]


def post(client, body, **headers):
    return client.post(URL, body, content_type="application/json", headers=headers)


@pytest.fixture
def counter(chain):
    """A client with the counter's API key."""
    _key, text = issue_api_key(
        tenant_id=chain.tenant.pk, name="Counter", scopes=["counter"], branch_ids=None
    )
    return lambda body: post(Client(), body, Authorization=f"Api-Key {text}")


@pytest.mark.parametrize("name", ["customerId", "phone", "email", "token"])
def test_the_counter_opts_people_out_however_they_are_known(asha, counter, name):
    known = {
        "customerId": str(asha.pk),
        "phone": "98765 43210",
        "email": asha.email.upper(),
        "token": token_of(asha),
    }
    answer = counter({name: known[name]})
    assert (answer.status_code, answer.json()["data"]) == (200, {"accepted": True})
    assert is_out(asha)


def test_everybody_behind_a_phone_is_out(asha, counter):
    daughter = CustomerFactory(phone=asha.phone)
    stranger = CustomerFactory()
    counter({"phone": asha.phone})
    assert [is_out(one) for one in (asha, daughter, stranger)] == [True, True, False]


@pytest.mark.parametrize("body", [{"phone": "+919811111111"}, {"email": "nobody@example.com"}])
def test_an_unknown_address_gets_the_same_answer_and_stays_quiet(asha, counter, body):
    known = counter({"phone": asha.phone})
    unknown = counter(body)
    assert unknown.status_code == known.status_code
    assert unknown.json() == known.json()
    channels = set(Suppression.objects.values_list("channel", flat=True))
    assert channels == ({"whatsapp", "sms"} if "phone" in body else {"email"})


def test_an_unknown_or_foreign_id_gets_the_same_answer(asha, counter, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
    for pk in (theirs.pk, other_chain.tenant.pk):
        assert counter({"customerId": str(pk)}).json()["data"] == {"accepted": True}
    with tenant_scope(other_chain.tenant.pk):
        assert not is_out(theirs)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "nonFieldErrors", "exactly one of customerId, phone, email and token"),
        ({"phone": "1", "email": "a@example.com"}, "nonFieldErrors", "exactly one of"),
        ({"phone": "98"}, "phone", "No such phone number can exist."),
        ({"email": "asha"}, "email", "This is not an e-mail address."),
        ({"token": "x"}, "token", "This is not a token of ours."),
        ({"customerId": "7"}, "customerId", "Must be a valid UUID."),
        ({"phone": "98765 43210", "source": "rumour"}, "source", "is not a valid choice."),
    ],
)
def test_malformed_bodies_are_refused(asha, counter, body, field, says):
    answer = counter(body)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    assert says in answer.json()["error"]["fields"][field][0]
    assert not is_out(asha)


def test_without_a_login_only_a_signed_token_counts(asha):
    refused = post(Client(), {"customerId": str(asha.pk)})
    assert refused.status_code == 401
    assert not is_out(asha)
    assert post(Client(), {"token": token_of(asha)}).status_code == 200
    assert is_out(asha)


def test_staff_note_what_a_customer_asked(asha, api):
    answer = api("receptionist", "post", URL, {"phone": asha.phone, "source": "manual"})
    assert answer.status_code == 200
    assert ConsentState.objects.get(customer=asha).opt_out_source == "manual"


def test_a_key_without_the_scope_is_refused(asha, chain):
    _key, text = issue_api_key(
        tenant_id=chain.tenant.pk, name="Reader", scopes=["read"], branch_ids=None
    )
    answer = post(Client(), {"phone": asha.phone}, Authorization=f"Api-Key {text}")
    assert answer.status_code == 403
    assert not is_out(asha)


def test_opening_the_link_asks_in_the_persons_language_and_changes_nothing(asha, chain):
    answer = Client().get(link_of(asha))
    assert answer.status_code == 200
    assert 'lang="hi"' in answer.text
    assert chain.tenant.name in answer.text
    assert not is_out(asha)


def test_posting_the_page_opts_out_at_once(asha):
    answer = Client(enforce_csrf_checks=True).post(link_of(asha), {"scope": "all"})
    assert answer.status_code == 200
    assert is_out(asha)
    assert ConsentState.objects.get(customer=asha).opt_out_source == "unsubscribe_link"


def test_mail_programs_post_one_click(asha):
    """RFC 8058: this body, no cookie, no CSRF token, no redirect."""
    answer = Client(enforce_csrf_checks=True).post(
        link_of(asha, "email"),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.content) == (200, b"")
    assert not answer.cookies
    state = ConsentState.objects.get(customer=asha)
    assert (state.email_promotional, state.email_service) == (False, False)
    assert state.sms_promotional
    assert not state.marketing_opted_out


def test_a_channels_page_offers_to_stop_everything_too(asha):
    url = link_of(asha, "email")
    assert 'value="all"' in Client().get(url).text
    Client().post(url, {"scope": "all"})
    assert is_out(asha)


def test_a_click_twice_is_recorded_once(asha):
    for _ in range(2):
        Client().post(link_of(asha))
    assert asha.consent_records.count() == 1


def test_the_link_of_somebody_erased_answers_like_any_other(asha, manager):
    services.erase_customer(actor=manager, customer=asha)
    lines = asha.consent_records.count()
    assert Client().get(link_of(asha)).status_code == 200
    assert Client().post(link_of(asha)).status_code == 200
    assert asha.consent_records.count() == lines


def test_a_link_outlives_the_key_it_was_signed_with(asha, settings, time_machine):
    """US law asks for 30 days, mailbox providers for as long as the mail is kept."""
    url = link_of(asha, "email")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-0123456789abcdefghijklmnopqrstuvwxyz-0123456789"
    time_machine.move_to(timezone.now() + dt.timedelta(days=2 * 366))
    answer = Client().post(url, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not ConsentState.objects.get(customer=asha).email_promotional


def test_a_link_signed_by_nobodys_key_is_refused(asha, settings):
    url = link_of(asha, "email")
    settings.SECRET_KEY = "another-0123456789abcdefghijklmnopqrstuvwxyz-0123456789"
    answer = Client().post(url)
    assert answer.status_code == 404
    assert "This link does not work" in answer.text
    assert not asha.consent_records.exists()


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_nothing_but_a_post_opts_out(asha, method):
    """Mail programs and scanners look at links before anybody does."""
    getattr(Client(), method)(link_of(asha, "email"))
    assert not asha.consent_records.exists()


SPOILT = [lambda t: t[:-1], lambda t: "zz" + t[2:], lambda t: t + "/", lambda t: "x"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_link_says_so_and_what_to_do_instead(asha, spoil, method):
    answer = getattr(Client(), method)(reverse("unsubscribe", args=[spoil(token_of(asha))]))
    assert answer.status_code == 404
    for words in (
        "<h1>This link does not work</h1>",
        "Open it straight from the message, or reply STOP to the message.",
        "tell the salon that wrote to you: they can stop the messages for you.",
    ):
        assert words in answer.text
    assert asha.first_name not in answer.text
    assert not is_out(asha)


def test_a_spoilt_link_says_so_in_hindi_to_who_chooses_it(asha):
    """Nobody knows whose link it was, so the page offers the choice."""
    client, url = Client(), reverse("unsubscribe", args=[SPOILT[0](token_of(asha))])
    assert 'name="language" value="hi"' in client.get(url).text
    answer = client.post(reverse("set_language"), {"language": "hi", "next": url}, follow=True)
    assert answer.status_code == 404
    assert 'lang="hi"' in answer.text
    assert "<h1>यह लिंक काम नहीं करता</h1>" in answer.text
    assert "मैसेज के जवाब में STOP लिखें।" in answer.text


def test_a_link_works_for_staff_of_another_chain_who_are_logged_in(asha, other_chain):
    client = Client()
    client.force_login(other_chain.owner.user)
    assert client.post(link_of(asha)).status_code == 200
    assert is_out(asha)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_of_a_chain_that_is_gone_does_not_work(db, method):
    url = links.unsubscribe_url(uuid.UUID(int=1), uuid.UUID(int=2), "email")
    answer = getattr(Client(), method)("/u/" + url.rpartition("/")[2])
    assert answer.status_code == 404
    assert "This link does not work" in answer.text
