"""What a month comes to at its pace."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from marketing.policy.rules import forecast

AMOUNTS = st.decimals(0, 100_000, places=2)


def of(spent, promised="0", limit=None, days_gone="10", days=30):
    return forecast(
        spent=Decimal(spent),
        promised=Decimal(promised),
        limit=None if limit is None else Decimal(limit),
        days_gone=Decimal(days_gone),
        days=days,
    )


def test_it_works():
    found = of("100")
    assert (found.amount, found.reached_on) == (300, None)
    assert of("100", limit="300").reached_on is None
    assert of("100", limit="150").reached_on == 15


def test_the_first_day_is_too_early_to_tell():
    assert of("100", days_gone="0.9999") is None


def test_what_is_promised_already_is_never_forgotten():
    assert of("10", promised="500").amount == 510
    assert of("0", promised="500", limit="400").reached_on == 10


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.decimals(1, 31, places=4))
def test_the_day_lies_in_what_is_left_of_the_month(spent, promised, limit, days_gone):
    found = of(spent, promised, limit, days_gone, days=31)
    assert found.amount >= (spent + promised).quantize(Decimal("0.01"))
    assert (found.reached_on is None) == (found.amount <= limit)
    if found.reached_on is not None:
        assert 1 <= found.reached_on <= 31
        if spent + promised < limit:
            assert found.reached_on >= days_gone - 1
