"""A friend's code at the counter: shown, held, paid, refunded."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import services as customer_services
from customers.models import Customer
from customers.rules import bill_key
from marketing.core.models import DomainEvent
from marketing.coupons import quote_effects, selectors, services
from marketing.coupons.code_symbols import SYMBOLS
from marketing.coupons.models import CouponCode
from marketing.loyalty.selectors import balance
from marketing.referrals import services as referrals
from marketing.referrals.models import (
    Referral,
    ReferralCode,
    ReferralProgramme,
    ReferralStep,
    ReferralTouch,
)
from tests.factories.coupons import make_cart, make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory, PurchaseFactory, ServiceFactory, VisitFactory
from tests.factories.referrals import (
    bring,
    code_for,
    converted,
    make_programme,
    past_hold,
    reward_all,
)


def price(branch, customer, *lines, codes=(), asked=None):
    return selectors.price_bill(
        branch_id=branch.pk,
        customer_id=customer and customer.pk,
        cart=make_cart(*lines or ("1000.00",), codes=codes),
        asked=asked,
    )


def states(referral):
    rows = ReferralStep.objects.filter(referral=referral).order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_a_friend_pays_less_and_who_brought_her_is_thanked(chain, asha, bela):
    code = code_for(asha)
    priced = price(chain.north, bela, codes=[code.lower()])
    assert priced.quote.payable == 90_000
    assert priced.told["referral"] == {"code": code, "applies": True, "reason": ""}
    referral = converted(asha, bela, chain.north)
    assert (referral.state, referral.bill_total, referral.source) == ("held", 90_000, "code")
    assert referral.hold_until - referral.converted_at == dt.timedelta(days=7)
    assert referrals.approve_due() == 0
    past_hold(referral)
    reward_all()
    reward_all()
    referral.refresh_from_db()
    assert states(referral) == ["attributed", "qualified", "held", "approved", "rewarded"]
    assert balance(asha.pk).points == 100
    names = DomainEvent.objects.filter(name__startswith="referral.").order_by("pk")
    assert list(names.values_list("name", flat=True)) == [
        "referral.created",
        "referral.converted",
        "referral.rewarded",
    ]
    assert ReferralTouch.objects.get().kind == "typed"


def test_said_apart_is_as_good_as_typed(chain, asha, bela):
    asked = {"referral": {"code": code_for(asha)}}
    assert price(chain.north, bela, asked=asked).quote.payable == 90_000
    done = sell(chain.north, "1000.00", customer=bela, asked=asked)
    assert done.redemptions[0].amount == 10_000
    assert Referral.objects.get().friend_id == bela.pk


def test_brought_at_sign_up_she_needs_no_code(chain, asha, bela):
    bring(asha, bela)
    assert price(chain.north, bela).quote.payable == 90_000
    sell(chain.north, "1000.00", customer=bela)
    assert Referral.objects.get().state == "held"
    PurchaseFactory(customer=bela, branch=chain.north)
    assert price(chain.north, bela).quote.payable == 100_000


def test_signed_up_as_a_friend_but_known_by_an_older_bill_she_brings_nobody_a_reward(
    chain, asha, bela
):
    bring(asha, bela)
    assert price(chain.north, bela).quote.payable == 90_000
    # Another counter's bill of last week comes late.
    PurchaseFactory(
        customer=bela, branch=chain.north, purchased_at=timezone.now() - dt.timedelta(days=7)
    )
    sell(chain.north, "1000.00", customer=bela)
    referral = Referral.objects.get()
    assert (referral.state, referral.reason) == ("rejected", "existing_customer")
    reward_all()
    assert balance(asha.pk).points == 0


def without_referrals(monkeypatch):
    effects = {k: v for k, v in quote_effects._effects.items() if k != "referral"}
    monkeypatch.setattr(quote_effects, "_effects", effects)


def test_others_bills_are_priced_without_a_statement_more(chain, asha, bela, monkeypatch):
    PurchaseFactory(customer=bela, branch=chain.north)
    counts = []
    price(chain.north, bela)
    for _each in range(2):
        with CaptureQueriesContext(connection) as asked:
            price(chain.north, bela)
        counts.append(len(asked))
        without_referrals(monkeypatch)
    assert counts[0] == counts[1]


def test_others_bills_are_paid_with_one_statement_more(chain, asha, bela, monkeypatch):
    PurchaseFactory(customer=bela, branch=chain.north)
    counts = []
    for _each in range(2):
        held = reserve(chain.north, "1000.00", customer=bela)
        with CaptureQueriesContext(connection) as asked:
            services.redeem(
                actor=system(),
                reservation_id=held.reservation.pk,
                invoice_id=f"bill {len(counts)}",
            )
        counts.append(len(asked))
        without_referrals(monkeypatch)
    assert counts[0] == counts[1] + 1


@pytest.mark.parametrize("kind", ["typed", "apart"])
def test_unknown_codes_are_said_to_be_unknown(chain, asha, bela, kind):
    wrong = code_for(asha)
    ReferralCode.objects.all().delete()
    codes, asked = ([wrong], None) if kind == "typed" else ((), {"referral": {"code": wrong}})
    priced = price(chain.north, bela, codes=codes, asked=asked)
    assert [why.code for why in priced.quote.codes[0].reasons] == ["code_unknown"]
    assert priced.quote.payable == 100_000


def blocked(priced):
    return [why.code.value for why in priced.quote.codes[0].reasons]


def test_without_a_customer_the_code_asks_for_one(chain, asha):
    assert blocked(price(chain.north, None, codes=[code_for(asha)])) == ["customer_required"]


def test_another_ones_friend_is_told_at_once(chain, asha, bela):
    bring(asha, bela)
    other = code_for(CustomerFactory(last_name="Das"))
    assert blocked(price(chain.north, bela, codes=[other])) == ["already_referred"]


def test_points_for_the_friend_open_no_offer(chain, asha, bela):
    make_programme(referred_reward_type="points", referred_reward_value=50)
    priced = price(chain.north, bela, codes=[code_for(asha)])
    assert (priced.quote.payable, priced.quote.codes) == (100_000, ())
    assert priced.told["referral"]["applies"]
    past_hold(converted(asha, bela, chain.north))
    reward_all()
    assert (balance(asha.pk).points, balance(bela.pk).points) == (100, 50)


def test_a_free_service_and_a_discount_as_a_code(chain, asha, bela):
    service = ServiceFactory(name="Head massage")
    make_programme(
        referred_reward_type="free_service",
        referred_reward_service=service,
        referrer_reward_type="discount",
        referrer_reward_value=20,
    )
    cart = {"serviceId": str(service.pk), "unitPrice": "600.00"}
    priced = price(chain.north, bela, cart, "500.00", codes=[code_for(asha)])
    assert priced.quote.payable == 50_000
    friends = [bela, CustomerFactory(last_name="Das")]
    for friend in friends:
        sell(chain.north, cart, "500.00", customer=friend, codes=[code_for(asha)])
        past_hold(Referral.objects.get(friend=friend))
    reward_all()
    codes = CouponCode.objects.filter(customer=asha)
    assert codes.count() == 2
    assert price(chain.north, asha, codes=[codes[0].code]).quote.payable == 80_000


def test_who_brought_her_has_a_service_free_by_a_code_of_her_own(chain, asha, bela):
    service = ServiceFactory(name="Head massage")
    make_programme(referrer_reward_type="free_service", referrer_reward_service=service)
    past_hold(converted(asha, bela, chain.north))
    reward_all()
    cart = {"serviceId": str(service.pk), "unitPrice": "600.00"}
    codes = [CouponCode.objects.get(customer=asha).code]
    assert price(chain.north, asha, cart, "500.00", codes=codes).quote.payable == 50_000
    assert price(chain.north, bela, cart, "500.00", codes=codes).quote.payable == 110_000
    assert balance(asha.pk).points == 0


def test_a_typed_code_that_looks_like_a_drawn_one_stops_no_reward(chain, asha, bela):
    make_offer(code="WELCOME20")
    make_programme(referrer_reward_type="discount", referrer_reward_value=20)
    offer = ReferralProgramme.objects.get().referrer_offer
    letters = "".join(sign for sign in offer.name.upper() if sign in SYMBOLS and sign.isalpha())[:4]
    make_offer(code=f"{letters}WELCOME20")
    past_hold(converted(asha, bela, chain.north))
    reward_all()
    assert Referral.objects.get().state == "rewarded"
    code = CouponCode.objects.get(customer=asha).code
    assert code.startswith(letters)
    assert price(chain.north, asha, codes=[code]).quote.payable == 80_000


def test_a_small_bill_does_not_count_and_the_next_may(chain, asha, bela):
    assert converted(asha, bela, chain.north, 100).state == "attributed"
    sell(chain.north, "600.00", customer=bela)
    assert Referral.objects.get().state == "held"


def test_second_visit(chain, asha, bela):
    make_programme(reward_on="second_visit")
    assert converted(asha, bela, chain.north).state == "attributed"
    assert Referral.objects.get().first_invoice
    sell(chain.north, "1000.00", customer=bela)
    assert Referral.objects.get().state == "held"


def test_bills_of_one_number_at_two_branches_are_two_visits(chain, asha, bela):
    make_programme(reward_on="second_visit")
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="7")
    assert Referral.objects.get().state == "attributed"
    sell(chain.south, "1000.00", customer=bela, invoice_id="7")
    assert Referral.objects.get().state == "held"


@pytest.mark.parametrize(("number", "brought"), [("17", 0), ("7", 1)])
def test_only_the_bill_at_hand_makes_her_no_old_customer(chain, asha, bela, number, brought):
    PurchaseFactory(customer=bela, branch=chain.north, external_id=bill_key(chain.north.pk, number))
    code = code_for(asha)
    services.record_bill(
        actor=system(),
        branch_id=chain.north.pk,
        customer_id=bela.pk,
        cart=make_cart("1000.00"),
        invoice_id="7",
        asked={"referral": {"code": code}},
    )
    assert Referral.objects.count() == brought


def test_first_visit_needs_no_bill(chain, asha, bela):
    make_programme(reward_on="first_visit", hold_days=0)
    bring(asha, bela)
    visit = VisitFactory(customer=bela, branch=chain.north)
    assert referrals.visited([visit.customer_id]) == 1
    assert referrals.visited([visit.customer_id]) == 0
    assert Referral.objects.get().state == "qualified"


def test_sign_up_is_enough_where_it_is(chain, asha, bela):
    make_programme(reward_on="signup", hold_days=0)
    bring(asha, bela)
    reward_all()
    assert Referral.objects.get().state == "rewarded"


def test_a_released_bill_gives_its_place_back(chain, asha, bela):
    make_programme(max_referrals_per_month=1)
    code = code_for(asha)
    held = reserve(chain.north, "1000.00", customer=bela, codes=[code], key="a")
    reserve(chain.north, "1000.00", customer=bela, codes=[code], key="a")
    other = CustomerFactory(last_name="Das")
    late = price(chain.north, other, codes=[code])
    assert blocked(late) == ["referral_limit"]
    seen = reserve(chain.north, "1000.00", customer=other, codes=[code], quote_hash=late.quote_hash)
    assert seen.reservation.effects == {}
    services.release(actor=system(), reservation_id=held.reservation.pk)
    assert price(chain.north, other, codes=[code]).quote.payable == 90_000
    converted(asha, other, chain.north)
    assert ReferralCode.objects.get().taken == 1
    assert not Referral.objects.filter(friend=bela).exists()


def test_a_link_within_thirty_days_brings_her_too(chain, asha, bela):
    code = code_for(asha)
    assert referrals.leave_phone(code=code, phone="98765 00002")
    assert referrals.leave_phone(code=code, phone="98765 00002")
    assert Referral.objects.get().state == "invited"
    sell(chain.north, "1000.00", customer=bela)
    referral = Referral.objects.get()
    assert (referral.state, referral.source, referral.friend_id) == ("held", "link", bela.pk)


def test_the_code_told_goes_before_the_link(chain, asha, bela):
    other = CustomerFactory(last_name="Das")
    referrals.leave_phone(code=code_for(other), phone=bela.phone)
    assert converted(asha, bela, chain.north).referrer_id == asha.pk


def test_an_old_link_brings_nobody(chain, asha, bela):
    referrals.leave_phone(code=code_for(asha), phone=bela.phone)
    Referral.objects.update(created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    sell(chain.north, "1000.00", customer=bela)
    assert Referral.objects.get().state == "invited"
    assert referrals.expire_unused() == 1
    row = Referral.objects.get()
    assert (row.state, row.friend_phone) == ("expired", "")


def test_who_became_one_with_her_friend_has_brought_nobody(chain, asha, bela):
    referral = past_hold(converted(asha, bela, chain.north))
    customer_services.merge_customers(actor=system(), keep=asha, other=bela, choices={})
    reward_all()
    referral.refresh_from_db()
    assert (referral.state, referral.reason) == ("rejected", "self_referral")
    assert balance(asha.pk).points == 0
    assert Customer.objects.filter(pk=asha.pk).exists()
