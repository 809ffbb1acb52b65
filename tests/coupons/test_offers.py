"""Offers: Module 11's fields in and out, two editors, limits below what is used."""

import datetime as dt

import pytest
from django.db import connection, transaction

from marketing.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.coupons import quote_effects, selectors, services
from marketing.coupons.models import CustomerUse, Offer, OfferRevision, OfferUse
from marketing.coupons.pricing.validity import InvalidReason
from marketing.segments.models import Segment
from tests.factories.coupons import make_cart, make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory

COUPON = {
    "code": "welcome10",
    "name": "Welcome",
    "description": "For who is new",
    "discountType": "percentage",
    "discountValue": "10",
    "validFrom": "2026-01-01",
    "validUntil": "2099-12-31",
    "maxTotalUses": 100,
    "minOrderAmount": "500",
    "maxDiscountAmount": "200",
    "serviceIds": ["cut"],
    "allowStacking": True,
}


def discount(chain, *lines, **options):
    customer = options.pop("customer", None)
    priced = selectors.price_bill(
        branch_id=options.pop("branch", chain.north).pk,
        customer_id=customer and customer.pk,
        cart=make_cart(*lines, **options),
    )
    return priced.quote.discount


@pytest.fixture
def no_effects(monkeypatch):
    """Only what the counter itself asks; each effect counts its own."""
    monkeypatch.setattr(quote_effects, "_effects", {})


def test_coupon_of_module_11_is_written_and_read_as_named(chain, manager):
    owner = chain.actor(chain.owner)
    offer = services.create_offer(actor=owner, body=COUPON)
    coupon = selectors.coupon_of(offer)
    expected = {**COUPON, "code": "WELCOME10", "maxUsesPerCustomer": 1, "currentUses": 0}
    assert {name: coupon[name] for name in expected} == expected
    assert coupon["isActive"] is True
    assert coupon["createdBy"] == str(chain.owner.user_id)
    assert AuditEntry.objects.filter(action="coupon.create", object_id=offer.pk).exists()


def test_current_uses_are_counted_with_and_without_a_limit(chain):
    limited, free = make_offer(maxTotalUses=5), make_offer()
    sell(chain.north)
    assert selectors.uses_of([limited, free]) == {limited.pk: 1, free.pk: 1}


def test_change_is_a_revision_and_what_it_takes_the_place_of_goes(chain):
    offer = make_offer(startsAt="2026-01-01T10:00", endsAt="2099-01-01T10:00")
    changed = services.update_offer(
        actor=system(),
        offer=offer,
        values={"validUntil": "2099-02-28", "allowStacking": False, "description": "Short"},
    )
    assert (changed.revision, changed.version) == (2, 2)
    assert changed.valid_until == dt.date(2099, 2, 28)
    assert selectors.terms_of(changed).combining.stacking == "none"
    assert OfferRevision.objects.filter(offer=offer).count() == 2
    same = services.update_offer(actor=system(), offer=offer, values={"allowStacking": False})
    assert (same.revision, same.version) == (2, 2)
    words = services.update_offer(actor=system(), offer=offer, values={"description": "Long"})
    assert (words.revision, words.version) == (2, 3)


def test_of_two_editors_the_second_is_told(chain):
    offer = make_offer()
    services.update_offer(actor=system(), offer=offer, values={"name": "A"}, version=1)
    with pytest.raises(Conflict) as refusal:
        services.update_offer(actor=system(), offer=offer, values={"name": "B"}, version=1)
    assert refusal.value.details == {"current": 2}


def test_limit_below_what_is_used_is_refused(chain):
    offer = make_offer(maxTotalUses=5, budget="100", maxUsesPerBranch=5)
    for _ in range(2):
        sell(chain.north)
    reserve(chain.north)
    for values, field in (
        ({"maxTotalUses": 2}, "maxTotalUses"),
        ({"budget": "29.99"}, "budget"),
        ({"maxUsesPerBranch": 2}, "maxUsesPerBranch"),
    ):
        with pytest.raises(ValidationFailed) as refusal:
            services.update_offer(actor=system(), offer=offer, values=values)
        assert list(refusal.value.fields) == [field]
    services.update_offer(actor=system(), offer=offer, values={"maxTotalUses": 3, "budget": "30"})
    assert not sell(chain.north).redemptions


def test_limit_added_later_counts_what_was_before(chain):
    offer = make_offer()
    she = CustomerFactory()
    sell(chain.north, customer=she)
    held = reserve(chain.south, customer=she)
    values = {
        "maxTotalUses": 2,
        "maxUsesPerBranch": 5,
        "maxUsesPerCustomer": 2,
        "maxUsesPerPeriod": 9,
        "usePeriod": "week",
    }
    services.update_offer(actor=system(), offer=offer, values=values)
    assert OfferUse.objects.count() == 3
    whole = OfferUse.objects.get(branch=None)
    assert (whole.used, whole.reserved, whole.spent, whole.held) == (1, 1, 1000, 1000)
    assert list(CustomerUse.objects.values_list("n", flat=True)) == [2, 2]
    services.redeem(actor=system(), reservation_id=held.reservation.pk, invoice_id="1")
    whole.refresh_from_db()
    assert (whole.used, whole.reserved, whole.spent, whole.held) == (2, 0, 2000, 0)
    free = dict.fromkeys(values)
    services.update_offer(actor=system(), offer=offer, values=free)
    assert not OfferUse.objects.exists()
    assert not CustomerUse.objects.exists()


def test_limit_taken_away_between_reserve_and_redeem(chain):
    offer = make_offer(maxTotalUses=5, code="OPEN", maxUsesPerCustomer=1)
    held = reserve(chain.north, customer=CustomerFactory(), codes=["OPEN"])
    services.update_offer(
        actor=system(), offer=offer, values={"maxTotalUses": None, "maxUsesPerCustomer": None}
    )
    done = services.redeem(actor=system(), reservation_id=held.reservation.pk, invoice_id="1")
    assert len(done.redemptions) == 1
    assert not OfferUse.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"discountType": "magic"}, "discountType"),
        ({"discountType": None}, "discountType"),
        ({"discountValue": "0"}, "discountValue"),
        ({"discountValue": "-1"}, "discountValue"),
        ({"discountValue": "101"}, "discountValue"),
        ({"discountValue": "10.001"}, "discountValue"),
        ({"discountValue": "NaN"}, "discountValue"),
        ({"maxTotalUses": 0}, "maxTotalUses"),
        ({"validFrom": "2026-02-02", "validUntil": "2026-02-01"}, "validUntil"),
        ({"budget": "1000000000000"}, "budget"),
        ({"branchIds": ["nowhere"]}, "branchIds"),
        ({"branchIds": ["01900000-0000-7000-8000-000000000000"]}, "branchIds"),
        ({"segmentIds": ["01900000-0000-7000-8000-000000000000"]}, "segmentIds"),
        ({"validFrom": "yesterday"}, "terms"),
        ({"campaignId": "1"}, "campaignId"),
    ],
)
def test_offer_that_cannot_be_is_refused_at_its_field(chain, values, field):
    with pytest.raises(ValidationFailed) as refusal:
        make_offer(**values)
    assert list(refusal.value.fields) == [field]
    assert not Offer.objects.exists()


def test_who_may_make_and_change_which_offers(chain, manager, other_chain):
    with pytest.raises(Forbidden):
        services.create_offer(actor=chain.actor(chain.receptionist), body=COUPON)
    hers = services.create_offer(actor=manager, body=COUPON)
    assert selectors.body_of(hers)["branchIds"] == [str(chain.north.pk)]
    services.update_offer(actor=manager, offer=hers, values={"name": "Mine"})
    everywhere = make_offer()
    with pytest.raises(Forbidden):
        services.update_offer(actor=manager, offer=everywhere, values={"name": "Mine"})
    with tenant_scope(other_chain.tenant.pk):
        theirs = make_offer()
    with pytest.raises(NotFound):
        selectors.get_offer_for_actor(manager, theirs.pk)


def test_what_is_off_or_over_is_told_to_who_types_its_code(chain):
    off, over = make_offer(code="OFF"), make_offer(code="OVER", validUntil="2026-01-01")
    services.deactivate_offer(actor=system(), offer=off)
    services.deactivate_offer(actor=system(), offer=off)
    for code, reason in (("OFF", "inactive"), ("OVER", "expired")):
        priced = selectors.price_bill(
            branch_id=chain.north.pk, customer_id=None, cart=make_cart(codes=[code])
        )
        assert priced.quote.codes[0].reasons[0].code == reason
    assert over.valid_until == dt.date(2026, 1, 1)


def test_change_by_any_path_is_seen_by_the_next_quote(chain):
    offer = make_offer()
    assert discount(chain) == 1000
    with connection.cursor() as cursor:
        cursor.execute("UPDATE coupons_offer SET is_active = false WHERE id = %s", [offer.pk])
    assert discount(chain) == 0


def test_what_is_rolled_back_is_not_kept(chain):
    make_offer()
    assert discount(chain) == 1000
    with transaction.atomic():
        make_offer(discountValue="50")
        assert discount(chain) > 1000
        transaction.set_rollback(True)
    assert discount(chain) == 1000
    make_offer(discountValue="20")
    assert discount(chain) == 2800


def test_segments_visits_and_tier_decide(chain, monkeypatch):
    she, other = CustomerFactory(tags=["vip"]), CustomerFactory()
    segment = Segment.objects.create(
        name="VIP",
        rules={
            "operator": "AND",
            "conditions": [{"field": "tags", "op": "in", "value": ["vip"]}],
        },
    )
    make_offer(segmentIds=[str(segment.pk)])
    make_offer(discountValue="20", firstVisitOnly=True)
    make_offer(discountValue="30", loyaltyTiers=["gold"])
    monkeypatch.setattr(
        quote_effects, "_tier_sql", f"CASE customer.id WHEN '{other.pk}' THEN 'gold' END"
    )
    assert discount(chain, customer=she) == 1000 + 1800
    assert discount(chain, customer=other) == 3000 + 1400
    assert discount(chain) == 0


def test_how_many_statements_a_quote_takes(chain, django_assert_num_queries, no_effects):
    she = CustomerFactory()
    segment = Segment.objects.create(
        name="All",
        rules={
            "operator": "AND",
            "conditions": [{"field": "tags", "op": "in", "value": ["x"]}],
        },
    )
    make_offer()
    discount(chain)
    with django_assert_num_queries(1):
        discount(chain, customer=she)
    make_offer(code="OPEN", maxTotalUses=5)
    make_offer(segmentIds=[str(segment.pk)])
    discount(chain, customer=she)
    with django_assert_num_queries(5):
        assert discount(chain, customer=she, codes=["OPEN"]) == 1900


def test_how_many_statements_a_bill_takes(chain, django_assert_num_queries, no_effects):
    she = CustomerFactory()
    make_offer(code="OPEN", maxTotalUses=5, maxUsesPerCustomer=3)
    discount(chain)
    with django_assert_num_queries(11):
        held = reserve(chain.north, customer=she, codes=["OPEN"])
    # One of them marks her facts.
    with django_assert_num_queries(9):
        services.redeem(actor=system(), reservation_id=held.reservation.pk, invoice_id="1")


def test_validate_tells_module_11s_reason(chain):
    make_offer(code="BIG", minOrderAmount="500")
    said = {"branch_id": chain.north.pk, "customer_id": None}
    checked = selectors.check_code(**said, code="big", lines=make_cart("400").lines)
    verdict = checked.validity
    assert (verdict.valid, verdict.invalid_reason) == (False, InvalidReason.MIN_ORDER_NOT_MET)
    checked = selectors.check_code(**said, code="big", lines=make_cart("600").lines)
    assert (checked.validity.valid, checked.validity.discount) == (True, 6000)
    assert checked.offer_id == Offer.objects.get().pk
    checked = selectors.check_code(**said, code="small", amount=100)
    assert (checked.validity.invalid_reason, checked.offer_id) == (InvalidReason.INVALID_CODE, None)


def test_an_offer_that_nobody_could_save_today_can_be_switched_off(chain):
    offer = make_offer(
        discountType="spend_tiers", discountValue=None, tiers=[{"from": "500", "amount": "500"}]
    )
    kept = OfferRevision.objects.get(offer=offer)
    body = kept.body | {"tiers": [{"from": "500", "amount": "600"}]}
    OfferRevision.objects.filter(pk=kept.pk).update(body=body)
    with pytest.raises(ValidationFailed) as refused:
        services.update_offer(actor=system(), offer=offer, values={"priority": 1})
    assert list(refused.value.fields) == ["tiers.0.amount"]
    assert not services.deactivate_offer(actor=system(), offer=offer).is_active
