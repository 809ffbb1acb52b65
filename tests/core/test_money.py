"""Rounding half up, and splitting without losing a paisa."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.core.money import PAISA, allocate, round_money

amounts = st.decimals(min_value=0, max_value=10_000_000, places=2)
weights = st.lists(st.decimals(min_value=0, max_value=100_000, places=2), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.125", "0.13"), ("0.115", "0.12"), ("0.1149", "0.11"), ("-0.125", "-0.13"), ("2", "2.00")],
)
def test_half_a_paisa_rounds_up(amount, rounded):
    assert str(round_money(Decimal(amount))) == rounded


@given(amount=amounts, weights=weights)
def test_parts_add_up_and_are_within_a_paisa_of_their_share(amount, weights):
    total = sum(weights)
    if total == 0:
        with pytest.raises(ValueError, match="more than zero"):
            allocate(amount, weights)
        return
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert abs(part - amount * weight / total) < PAISA
        assert weight > 0 or part == 0


def test_the_first_of_equal_remainders_gets_the_odd_paisa():
    assert allocate(Decimal("0.10"), [Decimal(1)] * 3) == [
        Decimal("0.04"),
        Decimal("0.03"),
        Decimal("0.03"),
    ]
