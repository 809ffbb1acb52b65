"""The monthly budget never promises more than its limits, whoever asks at the same time."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.core.errors import BudgetExceeded
from marketing.core.models import DomainEvent
from marketing.core.tenancy import tenant_scope
from marketing.policy import selectors, services
from marketing.policy.models import BudgetMonth
from tests.concurrency import at_once
from tests.factories.core import make_chain
from tests.factories.policy import set_branch_config, set_config

NOON = dt.datetime(2026, 7, 15, 12, tzinfo=dt.UTC)
JULY = dt.date(2026, 7, 1)


def money(branch=None):
    row = BudgetMonth.objects.get(branch=branch, month=JULY)
    return row.reserved, row.spent


def reserve(costs):
    services.reserve_budget(
        branch_costs={branch and branch.pk: Decimal(cost) for branch, cost in costs.items()},
        on=NOON,
    )


def book(branch, reserved, spent="0"):
    services.book(
        changes={branch and branch.pk: (Decimal(reserved), Decimal(spent))},
        month=JULY,
    )


def test_costs_go_to_their_branch_and_all_of_them_to_the_chain(chain):
    reserve({chain.north: "10.1234", chain.south: "5", None: "1"})
    assert money(chain.north) == (Decimal("10.1234"), 0)
    assert money(chain.south) == (5, 0)
    assert money() == (Decimal("16.1234"), 0)


def test_settling_turns_the_promise_into_spend_and_frees_the_rest(chain):
    reserve({chain.north: "10"})
    book(chain.north, "-8", "6.5")
    assert money(chain.north) == money() == (2, Decimal("6.5"))
    book(chain.north, "-2")
    assert money(chain.north) == money() == (0, Decimal("6.5"))


def test_a_promise_up_to_the_limit_is_kept_and_a_paisa_more_refused(chain):
    set_branch_config(chain.north, monthly_budget_limit=Decimal("100.00"))
    reserve({chain.north: "100"})
    with pytest.raises(BudgetExceeded) as refusal:
        reserve({chain.south: "3", chain.north: "0.0001"})
    assert refusal.value.details["shortfalls"] == [
        {
            "branchId": str(chain.north.pk),
            "branch": chain.north.name,
            "limit": "100.00",
            "reserved": "100.0000",
            "spent": "0.0000",
            "asked": "0.0001",
            "left": "0.0000",
        }
    ]
    assert money(chain.north) == money() == (100, 0)
    assert not BudgetMonth.objects.filter(branch=chain.south).exists()


def test_the_chains_limit_binds_its_branches(chain):
    set_config(monthly_budget_limit=Decimal("50.00"))
    with pytest.raises(BudgetExceeded) as refusal:
        reserve({chain.north: "30", chain.south: "30"})
    assert [row["branchId"] for row in refusal.value.details["shortfalls"]] == [None]
    assert not BudgetMonth.objects.exists()


def test_what_was_sent_is_charged_even_beyond_the_limit(chain):
    set_config(monthly_budget_limit=Decimal("10.00"))
    reserve({None: "10"})
    book(None, "-10", "12")
    book(None, "3")
    assert money() == (3, 12)


def test_releasing_more_than_was_promised_changes_nothing(chain):
    reserve({chain.north: "5"})
    with pytest.raises(IntegrityError), transaction.atomic():
        book(chain.north, "-6")
    assert money(chain.north) == money() == (5, 0)


def test_the_month_is_the_one_of_the_tenants_zone(chain):
    last_minutes_of_june_in_utc = dt.datetime(2026, 6, 30, 19, tzinfo=dt.UTC)
    services.reserve_budget(branch_costs={None: Decimal(1)}, on=last_minutes_of_june_in_utc)
    assert money() == (1, 0)


def test_reaching_the_alert_share_is_told_once_a_month(chain):
    set_config(monthly_budget_limit=Decimal("100.00"), budget_alert_threshold_percent=80)
    told = DomainEvent.objects.filter(name="budget.threshold_reached")
    reserve({chain.north: "79.99"})
    assert not told.exists()
    reserve({chain.north: "0.01"})
    assert [event.payload["branchId"] for event in told] == [None]
    assert told.get().payload["limit"] == "100.00"
    book(chain.north, "-50")
    reserve({chain.north: "60"})
    assert told.count() == 1


def test_a_branchs_own_limit_alerts_too(chain):
    set_branch_config(chain.north, monthly_budget_limit=Decimal("10.00"))
    reserve({chain.north: "9"})
    event = DomainEvent.objects.get(name="budget.threshold_reached")
    assert event.payload["branchId"] == str(chain.north.pk)


def test_spend_of_month_lists_the_chain_and_every_branch(chain):
    set_config(monthly_budget_limit=Decimal("100.00"))
    set_branch_config(chain.south, monthly_budget_limit=Decimal("20.00"))
    reserve({chain.south: "15"})
    chain_spend, north, south, west = selectors.spend_of_month(JULY)
    assert (chain_spend.branch, chain_spend.left) == (None, 85)
    assert (north.branch, north.limit, north.left) == (chain.north, None, None)
    assert (south.branch, south.left, south.share) == (chain.south, 5, 0.75)
    assert (west.reserved, west.spent) == (0, 0)


def test_budget_left_is_bound_by_branches_and_chain(chain, time_machine):
    time_machine.move_to(NOON)
    assert selectors.budget_left(None) is None
    set_branch_config(chain.north, monthly_budget_limit=Decimal("20.00"))
    set_branch_config(chain.south, monthly_budget_limit=Decimal("30.00"))
    assert selectors.budget_left([chain.north.pk]) == 20
    assert selectors.budget_left([chain.north.pk, chain.south.pk]) == 50
    assert selectors.budget_left([chain.north.pk, chain.west.pk]) is None
    set_config(monthly_budget_limit=Decimal("40.00"))
    assert selectors.budget_left([chain.north.pk, chain.south.pk]) == 40
    assert selectors.budget_left([chain.north.pk, chain.west.pk]) == 40
    assert selectors.budget_left(None) == 40


def test_the_settings_page_and_the_checks_know_the_same_left(chain, time_machine):
    time_machine.move_to(NOON)
    set_config(monthly_budget_limit=Decimal("100.00"))
    set_branch_config(chain.north, monthly_budget_limit=Decimal("20.00"))
    reserve({chain.north: "15", chain.south: "60"})
    book(chain.north, "-10", "9.5")

    def known():
        return {
            row.branch and row.branch.pk: (
                row.left,
                selectors.budget_left(row.branch and [row.branch.pk]),
            )
            for row in selectors.spend_of_month()
        }

    assert known()[None] == (Decimal("25.5"), Decimal("25.5"))
    assert known()[chain.north.pk] == (Decimal("5.5"), Decimal("5.5"))
    # The chain binds a branch without a limit of its own.
    assert known()[chain.south.pk] == (None, Decimal("25.5"))
    set_config(monthly_budget_limit=Decimal("50.00"))
    set_branch_config(chain.north, monthly_budget_limit=Decimal("10.00"))
    assert known()[None] == known()[chain.north.pk] == (0, 0)


def test_another_chains_limit_does_not_bind(chain, other_chain, time_machine):
    time_machine.move_to(NOON)
    with tenant_scope(other_chain.tenant.pk):
        set_config(monthly_budget_limit=Decimal("1.00"))
    assert selectors.budget_left(None) is None


def test_opening_a_month_leaves_an_open_one_alone(chain):
    reserve({None: "7"})
    services.open_budget_month(on=NOON)
    assert money() == (7, 0)


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_never_promise_more_than_the_limits():
    chain = make_chain()
    tenant_id = chain.tenant.pk
    with tenant_scope(tenant_id):
        set_config(monthly_budget_limit=Decimal("100.00"))
        set_branch_config(chain.north, monthly_budget_limit=Decimal("60.00"))

    def ask(number):
        branch = (chain.north, chain.south)[number % 2]
        try:
            with tenant_scope(tenant_id):
                reserve({branch: "9.5"})
        except BudgetExceeded:
            return 0
        finally:
            connection.close()
        return 1

    with ThreadPoolExecutor(16) as threads:
        granted = sum(threads.map(ask, range(32)))
    with tenant_scope(tenant_id):
        assert granted == 10
        assert money() == (95, 0)
        assert money(chain.north)[0] <= 60


moves = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "settle", "release"]),
        st.sampled_from(["0.0001", "10.5", "33.3333", "50", "50.0001", "120"]).map(Decimal),
        st.sampled_from([None, "north", "south"]),
    ),
    min_size=3,
    max_size=20,
)


@given(moves=moves)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_sequence_keeps_the_books_straight(chain, moves):
    """No message costs more than was reserved for it here, so the limits hold at every step."""
    limits = {None: Decimal(100), chain.north.pk: Decimal(50)}
    with transaction.atomic():
        set_config(monthly_budget_limit=limits[None])
        set_branch_config(chain.north, monthly_budget_limit=limits[chain.north.pk])
        promised = {None: Decimal(0), chain.north.pk: Decimal(0), chain.south.pk: Decimal(0)}
        for kind, amount, name in moves:
            branch_id = getattr(chain, name).pk if name else None
            if kind == "reserve":
                try:
                    services.reserve_budget(branch_costs={branch_id: amount}, on=NOON)
                except BudgetExceeded:
                    continue
                promised[branch_id] += amount
            else:
                part = min(amount, promised[branch_id])
                promised[branch_id] -= part
                spent = part / 2 if kind == "settle" else Decimal(0)
                services.book(changes={branch_id: (-part, spent)}, month=JULY)
            for row in BudgetMonth.objects.all():
                assert row.reserved + row.spent <= limits.get(row.branch_id, row.reserved + 100)
                assert row.reserved == (
                    promised[row.branch_id] if row.branch_id else sum(promised.values())
                )
        transaction.set_rollback(True)


class TestThresholds:
    """Told once a month and row, also when a limit comes down to what is used."""

    def told(self):
        found = DomainEvent.objects.filter(name="budget.threshold_reached").order_by("pk")
        return [event.payload["branchId"] for event in found]

    def test_a_lowered_limit_tells(self, chain, time_machine):
        time_machine.move_to(NOON)
        owner = chain.actor(chain.owner)
        reserve({chain.north: "50"})
        assert self.told() == []
        services.update_config(actor=owner, values={"monthly_budget_limit": Decimal("100")})
        assert self.told() == []
        services.update_config(actor=owner, values={"budget_alert_threshold_percent": 50})
        assert self.told() == [None]
        limit = {"monthly_budget_limit": Decimal("60")}
        services.update_branch_config(actor=owner, branch=chain.north, values=limit)
        services.update_branch_config(actor=owner, branch=chain.south, values=limit)
        assert self.told() == [None, str(chain.north.pk)]

    def test_it_is_told_again_in_the_next_month(self, chain):
        set_config(monthly_budget_limit=Decimal("10.00"))
        for on in (NOON, NOON, NOON + dt.timedelta(days=31)):
            services.reserve_budget(branch_costs={None: Decimal("4.5")}, on=on)
        assert self.told() == [None]
        services.reserve_budget(branch_costs={None: Decimal("4")}, on=NOON + dt.timedelta(days=31))
        assert self.told() == [None, None]

    def test_a_limit_of_nothing_of_which_nothing_is_used_tells_nobody(self, chain):
        set_branch_config(chain.north, monthly_budget_limit=Decimal("0"))
        book(chain.north, "0")
        assert self.told() == []


@pytest.mark.django_db(transaction=True)
def test_eight_that_cross_the_threshold_at_once_tell_it_once():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        set_config(monthly_budget_limit=Decimal("100.00"), budget_alert_threshold_percent=50)

    def ask():
        with tenant_scope(chain.tenant.pk):
            reserve({chain.north: "12"})

    at_once(8, ask)
    with tenant_scope(chain.tenant.pk):
        assert DomainEvent.objects.filter(name="budget.threshold_reached").count() == 1


def test_what_is_held_is_replaced_and_given_back(chain):
    holder = uuid.uuid4()
    set_branch_config(chain.north, monthly_budget_limit=Decimal("10.00"))

    def hold(amount, on=NOON):
        services.hold_budget(
            holder_id=holder, branch_costs={chain.north.pk: Decimal(amount)}, on=on
        )

    hold("8")
    hold("10")
    assert money(chain.north) == money() == (10, 0)
    with pytest.raises(BudgetExceeded), transaction.atomic():
        hold("10.0001")
    assert money(chain.north) == money() == (10, 0)
    hold("9", on=NOON + dt.timedelta(days=31))
    assert money(chain.north) == money() == (0, 0)
    services.release_hold(holder_id=holder)
    services.release_hold(holder_id=holder)
    assert {row.reserved for row in BudgetMonth.objects.all()} == {0}


def test_of_a_lowered_limit_what_is_held_is_asked_for_again(chain):
    holder = uuid.uuid4()
    costs = {chain.north.pk: Decimal(8)}
    services.hold_budget(holder_id=holder, branch_costs=costs, on=NOON)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("7.00"))
    with pytest.raises(BudgetExceeded) as refusal, transaction.atomic():
        services.reserve_budget(branch_costs=costs, on=NOON, holder_id=holder)
    (short,) = refusal.value.details["shortfalls"]
    assert Decimal(short["left"]) == 7
    assert money(chain.north) == (8, 0)
