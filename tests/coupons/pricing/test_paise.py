"""Arithmetic: sums are exact, nothing is lost, nobody gets more than his room."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.coupons.pricing.paise import apportion, half_up, share_of, spread

amounts = st.integers(0, 10**10)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"),
    [(5, 10, 1), (4, 10, 0), (-5, 10, -1), (-4, 10, 0), (15, 10, 2), (0, 3, 0)],
)
def test_halves_go_away_from_zero(numerator, denominator, whole):
    assert half_up(numerator, denominator) == whole


@given(amounts, weights)
def test_parts_are_within_a_paisa_of_exact_and_add_up(amount, weights):
    parts = apportion(amount, weights)
    assert sum(parts) == amount
    total = sum(weights)
    if total:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - Fraction(amount * weight, total)) < 1
            assert weight or not part


@given(amounts, st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1))
def test_no_part_is_above_its_room(amount, lines):
    lines = [(max(weight, room), room) for weight, room in lines]
    parts = spread(amount, [weight for weight, _ in lines], [room for _, room in lines])
    assert sum(parts) == min(amount, sum(room for _, room in lines))
    assert all(0 <= part <= room for part, (_, room) in zip(parts, lines, strict=True))


@given(st.integers(0, 10**10), st.integers(0, 10_000))
def test_a_share_is_never_more_than_the_whole(amount, rate_bp):
    assert 0 <= share_of(amount, rate_bp) <= amount


def test_all_of_a_large_amount_is_all_of_it():
    assert share_of(10**14 + 1, 10_000) == 10**14 + 1
