"""One person's points: merged, erased, exported, on her timeline, in rules and messages."""

import datetime as dt

import pytest

from customers import services as customer_services
from customers.models import Customer
from customers.timeline import read_page
from marketing.content import merge_fields
from marketing.core import clock
from marketing.core.models import AuditEntry
from marketing.loyalty import selectors, services
from marketing.loyalty.models import PointsAccount, PointsHold, PointsLot, PointsTransaction
from marketing.segments.selectors import audience
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import bill, earn, hold, make_programme, make_tiers, spend, system
from tests.factories.segments import SegmentFactory, where


@pytest.fixture
def bela(chain, asha):
    return CustomerFactory(first_name="Bela", home_branch=chain.north)


def merge(keep, other):
    return customer_services.merge_customers(actor=system(), keep=keep, other=other, choices={})


def account(customer):
    row = PointsAccount.objects.get(customer=customer)
    return row.available, row.pending, row.held, row.owed


def whole():
    proof = services.prove_ledger()
    assert proof.differing == 0, proof.examples


def test_two_become_one_and_apart_again(asha, bela, go):
    make_programme(expiry_months=2)
    make_tiers(("Bronze", 0, 10_000), ("Gold", 5_000, 20_000))
    earn(asha, 30)
    go("2026-06-20")
    earn(bela, 100)
    held = hold(bela, 25)
    merged = merge(asha, bela)
    assert (account(asha), account(bela)) == ((105, 0, 25, 0), (0, 0, 0, 0))
    assert PointsAccount.objects.get(customer=asha).tier.name == "Gold"
    assert list(PointsLot.objects.order_by("pk").values_list("customer", "expires_on")) == [
        (asha.pk, dt.date(2026, 8, 15)),
        (asha.pk, dt.date(2026, 8, 20)),
    ]
    assert PointsHold.objects.get(pk=held.pk).customer_id == asha.pk
    whole()
    # Earned with a link to who is gone: it is hers who stands for her.
    earn(bela, 5)
    customer_services.undo_merge(actor=system(), merge=merged)
    # What came since stays; what was held is given back first.
    assert (account(asha), account(bela)) == ((30 + 10, 0, 0, 0), (100, 0, 0, 0))
    whole()


def test_points_that_are_not_active_yet_come_with_her(asha, bela, go):
    make_programme(pending_days=3)
    earn(bela, 30)
    merge(asha, bela)
    assert (account(asha), account(bela)) == ((0, 30, 0, 0), (0, 0, 0, 0))
    go("2026-06-19")
    services.activate_due()
    assert account(asha) == (30, 0, 0, 0)
    whole()


def test_debts_are_made_good_by_whom_she_becomes_one_with(asha, bela):
    owed = bill()
    earn(bela, 100, owed)
    spend(bela, 100)
    services.reverse_earn(actor=system(), source=bill(), of=owed)
    earn(asha, 60)
    merged = merge(asha, bela)
    assert account(asha) == (0, 0, 0, 40)
    whole()
    customer_services.undo_merge(actor=system(), merge=merged)
    assert sum(each(customer) for customer in (asha, bela)) == -40
    whole()


def each(customer):
    available, _pending, _held, owed = account(customer)
    return available - owed


def test_a_refund_of_who_was_merged_comes_to_who_stands_for_her(asha, bela):
    earned, used = bill(), bill()
    earn(bela, 100, earned)
    spend(bela, 40, used)
    merge(asha, bela)
    services.reverse_spend(actor=system(), source=bill(), of=used)
    assert account(asha) == (100, 0, 0, 0)
    services.reverse_earn(actor=system(), source=bill(), of=earned)
    assert account(asha) == (0, 0, 0, 0)
    whole()


def test_tiers_count_what_both_spent(asha, bela):
    make_programme(tier_basis="spend")
    make_tiers(("Bronze", 0, 10_000), ("Gold", 15_000, 20_000))
    earn(asha, 100)
    earn(bela, 40)
    merge(asha, bela)
    earn(asha, 10)
    assert PointsAccount.objects.get(customer=asha).tier.name == "Gold"


def test_who_is_erased_gives_up_her_points(asha, bela):
    for customer in (asha, bela):
        owed = bill()
        earn(customer, 100, owed)
        hold(customer, 30)
        services.adjust_points(
            actor=system(), customer=customer, points=5, reason="Asha's wedding", source=bill()
        )
        if customer == bela:
            spend(customer, 75)
            services.reverse_earn(actor=system(), source=bill(), of=owed)
    for customer in (asha, bela):
        customer_services.erase_customer(actor=system(), customer=customer)
        assert account(customer) == (0, 0, 0, 0)
    assert not PointsTransaction.objects.exclude(reason="").exists()
    assert selectors.liability().points == 0
    whole()


def test_she_gets_all_that_is_kept(asha):
    earn(asha, 100, bill("INV-7"))
    data = customer_services.export_customer(actor=system(), customer=asha)["points"]
    assert [row["source_id"] for row in data["entries"]] == ["INV-7"]
    assert data["lots"][0]["remaining"] == 100


def test_her_history_tells_of_points(asha, manager):
    earn(asha, 1_200)
    spend(asha, 30)
    page = read_page(actor=manager, customer=asha)
    assert [entry.title for entry in page.entries if entry.type == "points"] == [
        "Used: −30 points",
        "Earned: +1,200 points",
    ]


def found(field, op, value=None):
    segment = SegmentFactory(rules=where(field, op, value))
    people = audience(segment=segment, branch_ids=None, now=clock.now())
    return set(people.values_list("first_name", flat=True))


@pytest.fixture
def chandni(chain, asha, bela):
    make_programme(expiry_months=1)
    [silver] = make_tiers(("Silver", 10_000, 10_000))
    earn(asha, 100)
    earn(bela, 50)
    CustomerFactory(first_name="Chandni", home_branch=chain.north)
    return silver


@pytest.mark.parametrize(
    ("field", "op", "value", "names"),
    [
        ("points_balance", "gte", 100, {"Asha"}),
        ("points_balance", "is_set", None, {"Asha", "Bela"}),
        ("points_balance", "not_set", None, {"Chandni"}),
        ("points_expire_days", "within_next", 30, {"Asha", "Bela"}),
        ("points_expire_days", "within_next", 29, set()),
        ("loyalty_tier", "is_set", None, {"Asha"}),
        ("loyalty_tier", "eq", "tier", {"Asha"}),
    ],
)
def test_rules_ask_about_points(chandni, field, op, value, names):
    value = str(chandni.pk) if value == "tier" else value
    assert found(field, op, value) == names


def test_messages_tell_of_points(chandni, asha, go):
    names = ["points_balance", "loyalty_tier", "points_expiring", "points_expiry_date"]
    go("2026-06-20")
    earn(asha, 7)
    assert merge_fields.values_of(asha, names) == {
        "points_balance": "107",
        "loyalty_tier": "Silver",
        "points_expiring": "100",
        "points_expiry_date": "2026-07-15",
    }
    nobody = Customer.objects.get(first_name="Chandni")
    assert merge_fields.values_of(nobody, names) == {
        "points_balance": "0",
        "loyalty_tier": "",
        "points_expiring": "",
        "points_expiry_date": "",
    }


def test_whose_points_expire_is_found_at_once(chandni, asha, bela, django_assert_num_queries):
    spend(bela, 20)
    with django_assert_num_queries(2):  # the chain's zone, and the rows
        rows = list(selectors.find_expiring_points(30))
    assert [(row.customer_id, row.points, row.expires_on) for row in rows] == [
        (asha.pk, 100, dt.date(2026, 7, 15)),
        (bela.pk, 30, dt.date(2026, 7, 15)),
    ]
    assert not selectors.find_expiring_points(29)


def test_corrections_are_noted(asha, manager):
    services.adjust_points(
        actor=manager, customer=asha, points=10, reason="Missed bill", source=bill()
    )
    entry = AuditEntry.objects.get(action="loyalty.adjust")
    assert entry.changes == {"points": 10, "reason": "Missed bill"}
