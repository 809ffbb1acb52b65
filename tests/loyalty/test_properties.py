"""What holds of points whatever the numbers, without a machine."""

import datetime as dt
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from marketing.loyalty import rules, selectors, services
from marketing.loyalty.services import BillLine, Source
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import system


def test_the_order_of_what_commutes_does_not_matter(asha):
    """Law 13: bills, refunds of them and bonuses of one moment."""
    totals = set()
    for turn, order in enumerate(permutations(["earn", "spend", "bonus", "refund"])):
        person = CustomerFactory()
        first, used = Source("bill", f"{turn} first"), Source("bill", f"{turn} used")
        services.earn_points(
            actor=system(), customer=person, source=first, lines=[BillLine("1", 10_000)]
        )
        for what in order:
            if what == "earn":
                services.earn_points(
                    actor=system(),
                    customer=person,
                    source=Source("bill", f"{turn} second"),
                    lines=[BillLine("1", 7_000)],
                )
            elif what == "bonus":
                services.give_points(
                    actor=system(), customer=person, points=25, source=first, reason="bonus"
                )
            elif what == "refund":
                services.reverse_earn(actor=system(), source=first, of=first, lines={"1": 6_000})
            else:
                held = services.hold_points(actor=system(), customer=person, points=40, source=used)
                services.post_hold(actor=system(), hold=held, source=used)
        totals.add(selectors.balance(person.pk).points)
    assert totals == {100 + 70 + 25 - 60 - 40}


@given(
    points=st.integers(0, 10**6),
    parts=st.lists(st.integers(1, 10**7), min_size=1, max_size=8),
)
@settings(max_examples=100, database=None)
def test_parts_of_a_line_come_to_all_of_its_points(points, parts):
    """Law 8: cumulative shares, whatever the parts, never fall and end with all of them."""
    net, refunded, shares = sum(parts), 0, [0]
    for part in parts:
        refunded += part
        shares.append(rules.points_refunded(points, net, refunded))
    assert shares == sorted(shares)
    assert shares[-1] == points


@given(
    lines=st.lists(
        st.tuples(st.integers(0, 10**9), st.integers(0, 100_000)), min_size=1, max_size=20
    ),
    multiplier=st.integers(0, 100_000),
)
@settings(max_examples=100, database=None)
def test_points_of_lines_are_those_of_the_bill_rounded_down(lines, multiplier):
    bill = [rules.EarnLine(str(n), paise, rate) for n, (paise, rate) in enumerate(lines)]
    parts = rules.points_of_lines(bill, multiplier)
    exact = sum(paise * rate * multiplier for paise, rate in lines)
    assert sum(parts) == exact // (10_000 * 100 * 10_000)
    for part, (paise, rate) in zip(parts, lines, strict=True):
        assert 0 <= part * 10**10 - paise * rate * multiplier + 10**10 <= 2 * 10**10


@given(
    day=st.dates(dt.date(2020, 1, 1), dt.date(2090, 1, 1)),
    months=st.integers(0, 120),
    more=st.integers(0, 5),
    rounding=st.sampled_from(["none", "month", "quarter", "half_year", "year"]),
)
@settings(max_examples=100, database=None)
def test_more_months_never_end_earlier(day, months, more, rounding):
    last = rules.round_up(rules.add_months(day, months), rounding)
    assert last >= day
    assert rules.round_up(rules.add_months(day, months + more), rounding) >= last
    assert rules.round_up(last, rounding) == last
