"""Reserve, redeem, release, reverse: one after the other."""

import datetime as dt
import zlib
from dataclasses import replace

import orjson
import pytest

from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.coupons import selectors, services
from marketing.coupons.errors import (
    CouponCustomerLimit,
    CouponMaxUses,
    InvalidCouponCode,
    QuoteChanged,
    ReservationExpired,
    ReservationOver,
)
from marketing.coupons.models import CustomerUse, Hold, OfferUse, Redemption, Reservation
from marketing.coupons.pricing.canonical import encode
from marketing.coupons.selectors.replay import kept_bill, kept_quote
from tests.coupons.tills import counts
from tests.factories.coupons import make_cart, make_offer, new_id, reserve, sell, system
from tests.factories.customers import CustomerFactory


@pytest.fixture
def at(monkeypatch):
    """`at(minutes)` moves the present."""
    from marketing.core import clock

    start = clock.now()
    return lambda minutes: monkeypatch.setattr(
        clock, "now", lambda: start + dt.timedelta(minutes=minutes)
    )


def test_bill_is_quoted_reserved_and_redeemed(chain):
    offer = make_offer(maxTotalUses=5, budget="100")
    cart = make_cart("200.00")
    priced = selectors.price_bill(branch_id=chain.north.pk, customer_id=None, cart=cart)
    assert priced.quote.discount == 2000
    reserved = services.reserve(
        actor=system(),
        branch_id=chain.north.pk,
        customer_id=None,
        cart=cart,
        key="bill",
        quote_hash=priced.quote_hash,
    )
    assert counts(offer) == (0, 1, 0, 2000)
    done = services.redeem(actor=system(), reservation_id=reserved.reservation.pk, invoice_id="1")
    assert counts(offer) == (1, 0, 2000, 0)
    assert [row.amount for row in done.redemptions] == [2000]
    assert not Hold.objects.exists()


def test_unlimited_offer_touches_no_counter(chain):
    make_offer()
    sell(chain.north, customer=CustomerFactory())
    assert not OfferUse.objects.exists()
    assert not CustomerUse.objects.exists()


def test_price_that_changed_since_is_told_and_holds_nothing(chain):
    offer = make_offer(maxTotalUses=5)
    cart = make_cart("200.00")
    priced = selectors.price_bill(branch_id=chain.north.pk, customer_id=None, cart=cart)
    services.update_offer(actor=system(), offer=offer, values={"discountValue": "5"})
    with pytest.raises(QuoteChanged) as refusal:
        services.reserve(
            actor=system(),
            branch_id=chain.north.pk,
            customer_id=None,
            cart=cart,
            key="bill",
            quote_hash=priced.quote_hash,
        )
    assert refusal.value.details["quote"]["discount"] == 1000
    assert refusal.value.details["quoteHash"] != priced.quote_hash
    assert not Reservation.objects.exists()
    assert counts(offer) is None or counts(offer)[1] == 0


def test_same_key_holds_what_the_newest_basket_needs(chain):
    offer = make_offer(maxTotalUses=1, budget="500")
    first = reserve(chain.north, "100.00", key="bill")
    second = reserve(chain.north, "300.00", key="bill")
    assert first.reservation.pk == second.reservation.pk
    assert counts(offer) == (0, 1, 0, 3000)
    assert Hold.objects.get().amount == 3000


def test_editing_a_bill_keeps_its_own_use(chain):
    offer = make_offer(maxTotalUses=1, code="ONE")
    make_offer(code="TWO")
    reserve(chain.north, key="bill", codes=["ONE"])
    edited = reserve(chain.north, key="bill", codes=["ONE", "TWO"])
    assert len(edited.quote.applied) == 2
    assert counts(offer) == (0, 1, 0, 1000)


def test_redeeming_again_is_the_same_answer(chain):
    offer = make_offer(maxTotalUses=5)
    done = sell(chain.north, invoice_id="7")
    again = services.redeem(actor=system(), reservation_id=done.reservation.pk, invoice_id="7")
    assert again.repeated
    assert [row.pk for row in again.redemptions] == [row.pk for row in done.redemptions]
    assert counts(offer) == (1, 0, 1000, 0)
    with pytest.raises(ReservationOver):
        services.redeem(actor=system(), reservation_id=done.reservation.pk, invoice_id="8")


def test_invoice_of_another_reservation_is_answered_with_what_was_done(chain):
    offer = make_offer(maxTotalUses=5)
    done = sell(chain.north, invoice_id="7")
    late = reserve(chain.north)
    again = services.redeem(actor=system(), reservation_id=late.reservation.pk, invoice_id="7")
    assert again.reservation.pk == done.reservation.pk
    assert counts(offer) == (1, 0, 1000, 0)
    assert Reservation.objects.get(pk=late.reservation.pk).state == "released"


def test_small_counters_redeem_in_one_call_and_once(chain):
    offer = make_offer(maxTotalUses=5)
    for _ in range(2):
        done = services.redeem_bill(
            actor=system(),
            branch_id=chain.north.pk,
            customer_id=None,
            cart=make_cart("100.00"),
            invoice_id="7",
        )
    assert done.repeated
    assert counts(offer) == (1, 0, 1000, 0)


def test_release_gives_back_and_may_be_said_twice(chain):
    offer = make_offer(maxTotalUses=1, code="ONE", maxUsesPerPeriod=1, maxUsesPerBranch=1)
    she = CustomerFactory()
    reserved = reserve(chain.north, codes=["ONE"], customer=she)
    for _ in range(2):
        services.release(actor=system(), reservation_id=reserved.reservation.pk)
    assert counts(offer) == (0, 0, 0, 0)
    assert set(CustomerUse.objects.values_list("n", flat=True)) == {0}
    with pytest.raises(ReservationOver):
        services.redeem(actor=system(), reservation_id=reserved.reservation.pk, invoice_id="7")
    assert sell(chain.north, codes=["ONE"], customer=she).redemptions


def test_what_is_reserved_let_go_or_kept_for_longer_is_audited_once(chain):
    reserved = reserve(chain.north, key="bill").reservation
    renewed = services.renew(actor=system(), reservation_id=reserved.pk)
    for _ in range(2):
        services.release(actor=system(), reservation_id=reserved.pk)
    with pytest.raises(ReservationOver):
        services.renew(actor=system(), reservation_id=reserved.pk)
    rows = AuditEntry.objects.filter(object_id=reserved.pk).order_by("pk")
    assert list(rows.values_list("action", "changes")) == [
        ("coupon.reserve", {"key": "bill", "quoteHash": reserved.quote_hash}),
        ("coupon.renew", {"expiresAt": renewed.expires_at.isoformat()}),
        ("coupon.release", {}),
    ]


def test_what_is_paid_is_not_released(chain):
    offer = make_offer(maxTotalUses=1)
    paid = sell(chain.north).reservation
    with pytest.raises(ReservationOver) as refusal:
        services.release(actor=system(), reservation_id=paid.pk)
    assert refusal.value.details == {"state": "redeemed"}
    assert counts(offer) == (1, 0, 1000, 0)


def test_renewed_up_to_half_an_hour(chain, at):
    at(0)
    reserved = reserve(chain.north).reservation
    at(9)
    renewed = services.renew(actor=system(), reservation_id=reserved.pk)
    assert renewed.expires_at - reserved.reserved_at == dt.timedelta(minutes=19)
    at(18)
    services.renew(actor=system(), reservation_id=reserved.pk)
    at(27)
    renewed = services.renew(actor=system(), reservation_id=reserved.pk)
    assert renewed.expires_at - reserved.reserved_at == dt.timedelta(minutes=30)
    at(31)
    with pytest.raises(ReservationExpired):
        services.renew(actor=system(), reservation_id=reserved.pk)


def test_reserved_again_it_is_held_for_half_an_hour_in_all(chain, at):
    ends = []
    for minute in (0, 9, 18, 27, 29, 31):
        at(minute)
        reserved = reserve(chain.north, key="bill").reservation
        left = reserved.expires_at - reserved.reserved_at
        ends.append(minute + left // dt.timedelta(minutes=1))
    assert ends == [10, 19, 28, 30, 30, 41]
    at(40)
    renewed = services.renew(actor=system(), reservation_id=reserved.pk)
    assert renewed.expires_at - reserved.reserved_at == dt.timedelta(minutes=19)


def test_late_redemption_takes_the_limits_anew(chain, at):
    offer = make_offer(maxTotalUses=1)
    late = reserve(chain.north).reservation
    at(11)
    assert services.expire_due() == 1
    assert services.expire_due() == 0
    assert counts(offer) == (0, 0, 0, 0)
    done = services.redeem(actor=system(), reservation_id=late.pk, invoice_id="7")
    assert [row.amount for row in done.redemptions] == [1000]
    assert counts(offer) == (1, 0, 1000, 0)


def test_late_redemption_whose_limit_others_have_is_refused(chain, at):
    offer = make_offer(maxTotalUses=1)
    late = reserve(chain.north).reservation
    at(11)
    services.expire_due()
    sell(chain.north)
    with pytest.raises(ReservationExpired):
        services.redeem(actor=system(), reservation_id=late.pk, invoice_id="7")
    assert counts(offer) == (1, 0, 1000, 0)
    assert Reservation.objects.get(pk=late.pk).state == "expired"


def test_late_redemption_is_within_a_budget_set_since(chain, at):
    offer = make_offer()
    late = reserve(chain.north).reservation
    at(11)
    services.expire_due()
    services.update_offer(actor=system(), offer=offer, values={"budget": "9.99"})
    with pytest.raises(ReservationExpired) as refused:
        services.redeem(actor=system(), reservation_id=late.pk, invoice_id="7")
    (why,) = refused.value.details["reasons"]
    assert why == {"code": "budget_left", "left": "9.99", "need": "10.00"}
    assert not OfferUse.objects.exists()
    services.update_offer(actor=system(), offer=offer, values={"budget": "10"})
    services.redeem(actor=system(), reservation_id=late.pk, invoice_id="7")
    assert counts(offer) == (1, 0, 1000, 0)


def test_late_redemption_before_the_sweep_uses_what_is_still_held(chain, at):
    offer = make_offer(maxTotalUses=1)
    late = reserve(chain.north).reservation
    at(11)
    services.redeem(actor=system(), reservation_id=late.pk, invoice_id="7")
    assert counts(offer) == (1, 0, 1000, 0)
    assert services.expire_due() == 0


def test_customer_limit_and_whom_a_code_is_for(chain):
    make_offer(code="HERS", maxUsesPerCustomer=1)
    she, other = CustomerFactory(), CustomerFactory()
    sell(chain.north, codes=["hers"], customer=she)
    with pytest.raises(CouponCustomerLimit):
        reserve(chain.north, codes=["HERS"], customer=she)
    assert reserve(chain.north, codes=["H-E-R-S"], customer=other).quote.discount == 1000
    with pytest.raises(InvalidCouponCode):
        reserve(chain.north, codes=["NONE"])
    assert CustomerUse.objects.filter(n=1).count() == 2


def test_who_is_not_known_has_no_customer_limit(chain):
    make_offer(code="HERS", maxUsesPerCustomer=1)
    priced = selectors.price_bill(
        branch_id=chain.north.pk, customer_id=None, cart=make_cart(codes=["HERS"])
    )
    assert [why.code for why in priced.quote.codes[0].reasons] == ["customer_required"]


def test_budget_policies(chain):
    offer = make_offer(
        discountType="flat", discountValue="40", budget="100", budgetPolicy="partial"
    )
    for _ in range(2):
        sell(chain.north)
    assert [row.amount for row in sell(chain.north).redemptions] == [2000]
    assert counts(offer) == (3, 0, 10000, 0)
    assert not sell(chain.north).redemptions


def test_per_branch(chain):
    make_offer(maxUsesPerBranch=1)
    assert sell(chain.north).redemptions
    assert not sell(chain.north).redemptions
    assert sell(chain.south).redemptions


def in_one_stream(trace):
    """As a bill was kept before why each offer did not apply had a stream of its own."""
    first = zlib.decompressobj()
    bill = orjson.loads(first.decompress(trace))
    rest = orjson.loads(zlib.decompress(first.unused_data))
    quote = bill["quote"] | rest.pop("why")
    return zlib.compress(orjson.dumps(bill | rest | {"quote": quote}))


@pytest.mark.parametrize("as_kept", [bytes, in_one_stream])
def test_bill_can_be_priced_again_to_the_byte(chain, as_kept):
    offers = [make_offer(discountValue=str(share), maxTotalUses=9) for share in (5, 10, 20)]
    make_offer(code="CODE")
    reserved = reserve(chain.north, "120.00", "80.00", customer=CustomerFactory(), codes=["CODE"])
    for offer in offers:
        services.update_offer(actor=system(), offer=offer, values={"discountValue": "50"})
    make_offer(discountValue="90")
    kept = Reservation.objects.get(pk=reserved.reservation.pk)
    kept.trace = as_kept(kept.trace)
    assert encode(kept_quote(kept)) == encode(reserved.quote)
    assert encode(selectors.replay(kept)) == encode(reserved.quote)
    bill = kept_bill(kept)
    assert encode(bill.quote) == encode(replace(reserved.quote, decisions=(), codes=()))
    assert bill.cart == reserved.priced.facts.cart


def test_other_chain_and_other_branch_are_not_found(chain, other_chain):
    cart = make_cart()
    for branch in (other_chain.north.pk, new_id()):
        with pytest.raises(NotFound):
            selectors.price_bill(branch_id=branch, customer_id=None, cart=cart)
    with pytest.raises(NotFound):
        selectors.price_bill(branch_id=chain.north.pk, customer_id=new_id(), cart=cart)
    reception = chain.actor(chain.receptionist)
    with pytest.raises(NotFound):
        services.reserve(
            actor=reception, branch_id=chain.south.pk, customer_id=None, cart=cart, key="1"
        )
    reserved = reserve(chain.south).reservation
    with pytest.raises(NotFound):
        services.redeem(actor=reception, reservation_id=reserved.pk, invoice_id="1")
    for act in (services.release, services.renew):
        with pytest.raises(NotFound):
            act(actor=reception, reservation_id=reserved.pk)
    with pytest.raises(NotFound):
        services.redeem(actor=system(), reservation_id=new_id(), invoice_id="1")


def test_code_with_its_own_limit(chain):
    from marketing.coupons.models import CouponCode

    make_offer(code="OPEN")
    CouponCode.objects.update(max_uses=1)
    sell(chain.north, codes=["OPEN"])
    with pytest.raises(CouponMaxUses):
        reserve(chain.north, codes=["OPEN"])
    services.reverse(
        actor=system(),
        branch_id=chain.north.pk,
        invoice_id=Redemption.objects.get().invoice_id,
        operation="void",
    )
    assert reserve(chain.north, codes=["OPEN"]).quote.discount == 1000


@pytest.mark.parametrize("minutes", [-16, 16])
def test_bill_of_another_time_is_refused(chain, at, minutes):
    cart = make_cart()
    at(minutes)
    with pytest.raises(ValidationFailed) as refusal:
        selectors.price_bill(branch_id=chain.north.pk, customer_id=None, cart=cart)
    assert "at" in refusal.value.fields


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"maxTotalUses": 1}, {"code": "limit_total", "n": 1, "limit": 1}),
        (
            {"maxTotalUses": 9, "budget": "15"},
            {"code": "budget_left", "left": "5.00", "need": "10.00"},
        ),
    ],
)
def test_late_refusal_says_which_limit_it_was(chain, at, limits, told):
    make_offer(**limits)
    late = reserve(chain.north).reservation
    at(11)
    services.expire_due()
    sell(chain.north)
    with pytest.raises(ReservationExpired) as refusal:
        services.redeem(actor=system(), reservation_id=late.pk, invoice_id="7")
    assert refusal.value.details["reasons"] == [told]
