"""A person's referrals: merged and parted, exported, erased; in rules and messages."""

import pytest

from customers import services as customer_services
from customers.models import Customer, CustomerMerge
from marketing.content import merge_fields
from marketing.core import clock
from marketing.referrals import links, services
from marketing.referrals.models import Referral, ReferralCode
from marketing.referrals.people import export_referrals
from marketing.segments.selectors import audience
from tests.factories.coupons import system
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import bring, code_for, converted, past_hold, reward_all
from tests.factories.segments import SegmentFactory, where


def merge(keep, other):
    customer_services.merge_customers(actor=system(), keep=keep, other=other, choices={})


def test_whoever_she_became_goes_on_bringing(chain, asha, bela):
    code = code_for(asha)
    usha = CustomerFactory(last_name="Iyer")
    own = code_for(usha)
    merge(usha, asha)
    row = services.apply_code(actor=system(), code=code, phone=bela.phone)
    assert row.referrer_id == usha.pk
    assert services.apply_code(actor=system(), code=own, phone=bela.phone).pk == row.pk
    assert code_for(asha) == own
    customer_services.undo_merge(actor=system(), merge=CustomerMerge.objects.get())
    assert code_for(asha) == code


def test_a_code_goes_with_her_where_there_is_none(chain, asha):
    code = code_for(asha)
    usha = CustomerFactory(last_name="Iyer")
    merge(usha, asha)
    assert ReferralCode.objects.get(code=code).customer_id == usha.pk
    customer_services.undo_merge(actor=system(), merge=CustomerMerge.objects.get())
    assert ReferralCode.objects.get(code=code).customer_id == asha.pk


def test_two_friends_become_one_and_stay_whose_they_were(chain, asha, bela):
    other = CustomerFactory(last_name="Das")
    twin = CustomerFactory(last_name="Sen")
    first = bring(asha, bela)
    second = bring(other, twin)
    merge(bela, twin)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.friend_id, second.friend_id) == (bela.pk, twin.pk)
    customer_services.undo_merge(actor=system(), merge=CustomerMerge.objects.get())
    usha = CustomerFactory(last_name="Iyer")
    merge(usha, bela)
    first.refresh_from_db()
    assert first.friend_id == usha.pk


@pytest.mark.parametrize("who", ["referrer", "friend"])
def test_erased_before_the_reward(chain, asha, bela, who):
    row = past_hold(converted(asha, bela, chain.north))
    customer_services.erase_customer(actor=system(), customer=asha if who == "referrer" else bela)
    reward_all()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("rejected", "erased")
    assert (row.friend_phone == "") == (who == "friend")


def test_a_phone_left_on_a_link_is_erased_too(chain, asha, bela):
    services.leave_phone(code=code_for(asha), phone=bela.phone)
    customer_services.erase_customer(actor=system(), customer=bela)
    assert Referral.objects.get().friend_phone == ""


def test_she_gets_what_is_kept_of_her_and_not_of_others(chain, asha, bela):
    converted(asha, bela, chain.north)
    told = export_referrals(asha)
    assert told["code"] == code_for(asha)
    assert [row["state"] for row in told["brought"]] == ["held"]
    assert bela.phone not in str(told)
    assert export_referrals(bela)["came"][0]["friend_phone"] == bela.phone


@pytest.mark.parametrize(
    ("field", "op", "value", "names"),
    [
        ("friends_brought", "gte", 1, {"Asha"}),
        ("friends_brought", "gte", 2, set()),
        ("friends_brought", "not_set", None, {"Bela"}),
        ("referral_status", "eq", "held", {"Bela"}),
        ("referral_status", "is_set", None, {"Bela"}),
        ("referral_status", "not_set", None, {"Asha"}),
    ],
)
def test_rules_ask_about_referrals(chain, asha, bela, field, op, value, names):
    converted(asha, bela, chain.north)
    segment = SegmentFactory(rules=where(field, op, value))
    people = audience(segment=segment, branch_ids=None, now=clock.now())
    assert set(people.values_list("first_name", flat=True)) == names


def test_messages_name_code_and_link(chain, asha, bela):
    code = code_for(asha)
    names = ["referral_code", "referral_link"]
    assert merge_fields.values_of(asha, names) == {
        "referral_code": code,
        "referral_link": links.share_url(chain.tenant, code),
    }
    assert merge_fields.values_of(bela, names) == {"referral_code": "", "referral_link": ""}
    assert Customer.objects.count() == 2
