"""Small bills and offers that fight over them."""

import datetime as dt

from hypothesis import strategies as st

from marketing.coupons.pricing.bill import Cart, CartLine
from marketing.coupons.pricing.terms import (
    Basis,
    Bundle,
    BundlePart,
    BuyGet,
    Combining,
    Kind,
    OfferTerms,
    Scope,
    Selection,
    SpendTier,
    Stacking,
    Thresholds,
)

SERVICES = ("colour", "cut", "spa")
AT = dt.datetime(2026, 3, 4, 10, tzinfo=dt.UTC)

lines = st.lists(
    st.tuples(
        st.sampled_from(SERVICES),
        st.one_of(st.integers(0, 60), st.integers(1_00, 5_000_00)),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=6,
)
rates = st.sampled_from([100, 333, 1000, 1250, 2000, 5000, 10_000])
amounts = st.one_of(st.integers(1, 99), st.integers(1_00, 2_000_00))
tags = st.frozensets(st.sampled_from("rb"), max_size=2)


def cart_of(lines, **more):
    return Cart(
        branch="main",
        at=AT,
        timezone="Asia/Kolkata",
        lines=tuple(
            CartLine(number=number, service=service, unit_price=price, quantity=quantity)
            for number, (service, price, quantity) in enumerate(lines, start=1)
        ),
        **more,
    )


@st.composite
def kinds(draw):
    kind = draw(st.sampled_from(Kind))
    if kind is Kind.PERCENTAGE:
        return {
            "kind": kind,
            "rate_bp": draw(rates),
            "scope": draw(st.sampled_from([Scope.BILL, Scope.LINE])),
        }
    if kind is Kind.FLAT:
        return {"kind": kind, "amount": draw(amounts), "scope": draw(st.sampled_from(Scope))}
    if kind is Kind.FIXED_PRICE:
        return {"kind": kind, "amount": draw(amounts)}
    if kind is Kind.FREE_SERVICE:
        return {"kind": kind, "free_units": draw(st.integers(1, 2))}
    if kind is Kind.BUY_X_GET_Y:
        deal = BuyGet(
            buy_quantity=draw(st.integers(0, 2)),
            get_quantity=draw(st.integers(1, 2)),
            rate_bp=draw(rates),
        )
        return {"kind": kind, "buy_get": deal}
    if kind is Kind.BUNDLE:
        part = BundlePart(selection=Selection(), quantity=draw(st.integers(1, 3)))
        return {"kind": kind, "bundle": Bundle(price=draw(amounts), parts=(part,))}
    first = draw(amounts)
    tiers = (
        SpendTier(threshold=first, rate_bp=500),
        SpendTier(threshold=first * 2, rate_bp=draw(rates.filter(lambda rate: rate >= 500))),
    )
    return {"kind": kind, "tiers": tiers}


@st.composite
def offers(draw, at_most=8, **fixed):
    return [
        OfferTerms(
            **{
                "id": f"o{place}",
                "automatic": True,
                "selection": Selection(
                    services=draw(st.frozensets(st.sampled_from(SERVICES), max_size=2))
                ),
                "thresholds": Thresholds(
                    min_amount=draw(st.none() | amounts),
                    basis=draw(st.sampled_from(Basis)),
                    min_quantity=draw(st.sampled_from([0, 0, 2, 4])),
                ),
                "combining": Combining(
                    stacking=draw(st.sampled_from(Stacking)),
                    priority=draw(st.integers(0, 2)),
                    tags=draw(tags),
                    combines_with=draw(st.none() | tags),
                ),
                **draw(kinds()),
                **fixed,
            }
        )
        for place in range(draw(st.integers(0, at_most)))
    ]
