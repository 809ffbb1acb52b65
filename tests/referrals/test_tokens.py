"""The same card or device for both: a manager looks, nobody is refused, no token is kept."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from customers import services as customer_services
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import tenant_scope
from marketing.referrals import rules, services
from marketing.referrals.models import Referral, SeenToken
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import bring, code_for, converted, make_programme, system

CARD = {"instrument": "tok_4f9a-visa"}
PHONE = {"device": "ios-77"}


def note(person, tokens):
    services.note_tokens(customer_id=person.pk, tokens=tokens)


def signals(referral):
    referral.refresh_from_db()
    return referral.is_flagged, referral.signals


@pytest.mark.parametrize(("tokens", "signal"), [(CARD, "same_instrument"), (PHONE, "same_device")])
def test_what_both_used_before_she_came_is_a_signal(chain, asha, bela, tokens, signal):
    note(asha, tokens)
    note(bela, tokens)
    referral = converted(asha, bela, chain.north)
    assert signals(referral) == (True, [signal])


@pytest.mark.parametrize("later", ["asha", "bela"])
def test_what_is_seen_while_the_reward_waits_is_a_signal_once(chain, asha, bela, later):
    referral = converted(asha, bela, chain.north)
    first, second = (bela, asha) if later == "asha" else (asha, bela)
    note(first, CARD | PHONE)
    assert signals(referral) == (False, [])
    for _again in range(2):
        note(second, CARD | PHONE)
    assert signals(referral) == (True, ["same_device", "same_instrument"])


def test_at_sign_up_it_is_compared_at_once(chain, asha, bela):
    make_programme(reward_on="signup")
    note(asha, PHONE)
    referral = services.apply_code(
        actor=system(), code=code_for(asha), customer=bela, branch_id=chain.north.pk, tokens=PHONE
    )
    assert (referral.is_flagged, referral.signals) == (True, ["same_device"])
    assert referral.state == rules.HELD


def test_what_is_not_the_same_says_nothing(chain, other_chain, asha, bela):
    note(asha, {"instrument": "one"})
    note(bela, {"instrument": "two", "device": "one"})
    assert signals(converted(asha, bela, chain.north)) == (False, [])
    with tenant_scope(other_chain.tenant.pk):
        note(CustomerFactory(), {"instrument": "one"})
        theirs = bytes(SeenToken.objects.get().digest)
    assert theirs not in {bytes(row.digest) for row in SeenToken.objects.all()}


def test_what_everybody_uses_is_the_salons_own(chain, asha, bela):
    for _person in range(rules.MOST_SHARING):
        note(CustomerFactory(), CARD)
    note(asha, CARD)
    note(bela, CARD)
    assert signals(converted(asha, bela, chain.north)) == (False, [])


def test_what_a_manager_has_looked_at_stays_as_she_left_it(chain, asha, bela):
    referral = converted(asha, bela, chain.north)
    Referral.objects.update(reviewed_at=timezone.now())
    note(asha, CARD)
    note(bela, CARD)
    assert signals(referral) == (False, [])


def test_no_token_is_kept_and_keys_may_change(chain, asha, bela, settings):
    note(asha, CARD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM referrals_seentoken t")
        [(row,)] = cursor.fetchall()
    assert CARD["instrument"] not in row
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [settings.SECRET_KEY]
    note(bela, CARD)
    assert signals(converted(asha, bela, chain.north)) == (True, ["same_instrument"])
    settings.SECRET_KEY_FALLBACKS = []
    assert len({bytes(row.digest) for row in SeenToken.objects.all()}) == 2


@pytest.mark.parametrize("token", ["4111 1111 1111 1111", "4111111111111111", "x" * 129])
def test_a_cards_number_is_no_token(chain, asha, token):
    with pytest.raises(ValidationFailed) as refusal:
        note(asha, {"instrument": token})
    assert set(refusal.value.fields) == {"instrument_token"}
    assert not SeenToken.objects.exists()


def test_they_go_with_age_and_with_the_person_and_follow_a_merge(chain, asha, bela):
    note(asha, CARD)
    note(bela, CARD | PHONE)
    customer_services.merge_customers(actor=system(), keep=asha, other=bela, choices={})
    hers = SeenToken.objects.filter(customer=asha)
    assert sorted(hers.values_list("kind", flat=True)) == ["device", "instrument"]
    old = timezone.now() - rules.TOKEN_LASTS - dt.timedelta(days=1)
    hers.filter(kind="device").update(seen_at=old)
    assert services.drop_old_tokens() == 1
    customer_services.erase_customer(actor=system(), customer=asha)
    assert not SeenToken.objects.filter(customer=asha).exists()


def test_the_queue_shows_what_weighs_most_first(chain, asha, login):
    cousin = CustomerFactory(first_name="Cara", last_name="Rao", home_branch=chain.north)
    friend = CustomerFactory(first_name="Dia", last_name="Sen", home_branch=chain.north)
    converted(asha, cousin, chain.north)
    converted(asha, friend, chain.north)
    note(asha, CARD)
    note(friend, CARD)
    page = login("owner").get("/referrals/review")
    assert [row.friend.first_name for row in page.context["rows"]] == ["Dia", "Cara"]
    assert "<b>Both paid by the same card or account</b>" in page.text


def test_over_http_they_are_taken_at_sign_up_and_told_nowhere(chain, asha, login):
    note(asha, PHONE)
    body = {
        "referralCode": code_for(asha),
        "referredPhone": "+919876500055",
        "referredName": "Esha",
        "deviceToken": PHONE["device"],
    }
    client = login("owner")

    def apply(changes, key):
        return client.post(
            "/api/v1/referrals/apply",
            body | changes,
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    refused = apply({"instrumentToken": "4111111111111111"}, "a")
    assert (refused.status_code, Referral.objects.count()) == (400, 0)
    assert "instrumentToken" in refused.json()["error"]["fields"]
    done = apply({}, "b")
    assert done.status_code == 201
    assert PHONE["device"] not in done.text
    referral = Referral.objects.get()
    assert (referral.is_flagged, referral.signals) == (True, ["same_device"])


def test_a_friend_without_a_token_is_brought_as_before(chain, asha, bela):
    assert bring(asha, bela, chain.north).signals == []
    assert not SeenToken.objects.exists()
