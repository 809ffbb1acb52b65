"""Weeks, months and years in which a customer's uses are counted."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.core import clock
from marketing.core.models import Tenant
from marketing.coupons import selectors
from marketing.coupons.models import CustomerUse
from marketing.coupons.pricing.terms import Period
from marketing.coupons.rules import first_weekday, period_end, period_start
from marketing.coupons.services.recounting import recount
from tests.factories.coupons import make_cart, make_offer, sell
from tests.factories.customers import CustomerFactory

SATURDAY, SUNDAY, MONDAY = (dt.date(2026, 11, day) for day in (21, 22, 23))


@pytest.mark.parametrize(("country", "weekday"), [("IN", 6), ("DE", 0), ("MV", 4), ("XX", 0)])
def test_weeks_begin_as_in_the_country(country, weekday):
    assert first_weekday(country) == weekday


@given(st.dates(max_value=dt.date(9990, 1, 1)), st.sampled_from(Period), st.integers(0, 6))
def test_every_day_lies_in_the_one_period_that_begins_before_it(day, period, weeks_from):
    start = period_start(day, period, weeks_from)
    end = period_end(start, period)
    assert start <= day < end
    assert period_start(end, period, weeks_from) == end
    assert period is not Period.WEEK or start.weekday() == weeks_from


@pytest.mark.parametrize(
    ("country", "given_on", "resets"),
    [("IN", [SATURDAY, SUNDAY], "2026-11-29"), ("DE", [SATURDAY, MONDAY], "2026-11-30")],
)
def test_once_a_week_is_by_the_weeks_of_the_chain(chain, monkeypatch, country, given_on, resets):
    Tenant.objects.filter(pk=chain.tenant.pk).update(country=country)
    offer = make_offer(maxUsesPerPeriod=1, usePeriod="week")
    she = CustomerFactory()
    got = []
    for day in (SATURDAY, SUNDAY, MONDAY):
        noon = dt.datetime.combine(day, dt.time(12), ZoneInfo(chain.north.time_zone))
        monkeypatch.setattr(clock, "now", lambda noon=noon: noon)
        if sell(chain.north, customer=she).redemptions:
            got.append(day)
    assert got == given_on
    priced = selectors.price_bill(
        branch_id=chain.north.pk, customer_id=she.pk, cart=make_cart("100.00")
    )
    (why,) = priced.quote.decisions[0].reasons
    assert why.get("resets_at").startswith(resets)
    counted = set(CustomerUse.objects.values_list("period_start", "n"))
    recount([offer.pk])
    assert set(CustomerUse.objects.values_list("period_start", "n")) == counted
