"""Any walk of reserve, redeem, release, reverse and expiry: counters are the sums of the rows."""

import datetime as dt
from collections import Counter

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.coupons import services
from marketing.coupons.models import (
    CouponCode,
    CustomerUse,
    Hold,
    OfferUse,
    Redemption,
    Reservation,
)
from marketing.coupons.services.recounting import recount
from tests.factories.coupons import make_offer, reserve, system
from tests.factories.customers import CustomerFactory

LIMITS = {
    "maxTotalUses": 3,
    "maxUsesPerBranch": 2,
    "maxUsesPerCustomer": 2,
    "maxUsesPerPeriod": 1,
    "budget": "45",
    "budgetPolicy": "partial",
}
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("reserve"),
            st.integers(0, 2),  # bill
            st.integers(0, 1),  # customer
            st.integers(0, 1),  # branch
            st.sampled_from([("100.00",), ("37.01", "200.00"), ("0.00",)]),
        ),
        st.tuples(st.sampled_from(["redeem", "release", "renew"]), st.integers(0, 5)),
        st.tuples(st.just("reverse"), st.integers(0, 5), st.sampled_from([None, {1: 1}, {2: 1}])),
        st.tuples(st.sampled_from(["expire", "wait"])),
    ),
    max_size=14,
)


def rows():
    uses = OfferUse.objects.values_list(
        "offer_id", "branch_id", "used", "reserved", "spent", "held"
    )
    hers = CustomerUse.objects.filter(n__gt=0)
    return (
        {row for row in uses if any(row[2:])},
        set(hers.values_list("offer_id", "customer_id", "period_start", "n")),
    )


def require_sums(offers, limits):
    """Counters equal what a count of the rows gives, within every limit."""
    before = rows()
    recount([offer.pk for offer in offers])
    assert rows() == before
    for use in OfferUse.objects.filter(branch=None):
        assert "maxTotalUses" not in limits or use.used + use.reserved <= 3
        assert "budget" not in limits or use.spent + use.held <= 4500
    of_codes = Counter(Hold.objects.filter(code__isnull=False).values_list("code", flat=True))
    for code in CouponCode.objects.all():
        assert code.reserved == of_codes[code.pk]
        used = Redemption.objects.filter(code=code, counted=True).count()
        assert code.used == used <= 2
    for reservation in Reservation.objects.all():
        held = Hold.objects.filter(reservation=reservation).count()
        assert held == (len(reservation.applied) if reservation.state == "reserved" else 0)
    for redemption in Redemption.objects.all():
        assert redemption.amount == sum(share["amount"] for share in redemption.shares)
        assert (redemption.returned == redemption.amount) == (redemption.state == "reversed")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, limits=st.sets(st.sampled_from(sorted(LIMITS))), reusable=st.booleans())
def test_counters_are_the_sums_of_what_was_held_and_used(chain, steps, limits, reusable):
    with transaction.atomic():
        walk(chain, steps, limits, reusable)
        transaction.set_rollback(True)


def walk(chain, steps, limits, reusable):
    chosen = {name: LIMITS[name] for name in limits}
    offers = [
        make_offer(**chosen, reusableAfterCancel=reusable),
        make_offer(**chosen, code="CODE", discountValue="20"),
    ]
    CouponCode.objects.update(max_uses=2)
    people = [CustomerFactory(), CustomerFactory()]
    branches = [chain.north, chain.south]
    now = clock.now()
    real = clock.now
    clock.now = lambda: now
    try:
        for number, (step, *said) in enumerate(steps):
            tokens = list(Reservation.objects.order_by("pk"))
            try:
                if step == "reserve":
                    bill, person, branch, lines = said
                    priced = {"key": f"bill-{bill}", "customer": people[person]}
                    codes = ["CODE"] if bill else []
                    reserve(branches[branch], *lines, codes=codes, **priced)
                elif step == "expire":
                    services.expire_due()
                elif step == "wait":
                    now += dt.timedelta(minutes=6)
                elif said[0] < len(tokens):
                    token = tokens[said[0]]
                    if step == "redeem":
                        services.redeem(
                            actor=system(), reservation_id=token.pk, invoice_id=str(said[0])
                        )
                    elif step == "reverse":
                        services.reverse(
                            actor=system(),
                            branch_id=token.branch_id,
                            invoice_id=token.invoice_id,
                            operation=str(number),
                            lines=said[1],
                        )
                    else:
                        getattr(services, step)(actor=system(), reservation_id=token.pk)
            except DomainError:
                pass
            require_sums(offers, limits)
    finally:
        clock.now = real
