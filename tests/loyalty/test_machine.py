"""The ledger's laws under whatever may happen, in whatever order.

By hand, for many steps: LEDGER_EXAMPLES=200 LEDGER_STEPS=100 pytest tests/loyalty/test_machine.py
--hypothesis-seed=1
"""

import datetime as dt
import os
import uuid
from collections.abc import Callable

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from customers import services as customer_services
from customers.models import CustomerFacts, CustomerMerge, StaleFacts
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.loyalty import rules, selectors, services
from marketing.loyalty.errors import NotEnoughPoints, NothingToReverse, PointsHoldOver
from marketing.loyalty.models import (
    EarnedLine,
    LotUse,
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
    PointsTransaction,
    TierChange,
)
from marketing.loyalty.services import BillLine, Source
from tests.factories.customers import CustomerFactory, copy_beside_facts
from tests.factories.loyalty import make_programme, make_tiers, system

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "4"))
STEPS = int(os.environ.get("LEDGER_STEPS", "14"))
BEGIN = dt.datetime(2026, 1, 31, 6, 30, tzinfo=dt.UTC)
POLICIES = [rules.UNLIMITED, rules.UNLIMITED, rules.WITHIN_BALANCE, rules.ONLY_PENDING]
AMOUNTS = st.lists(st.integers(0, 30_000), min_size=1, max_size=3)
LEDGER = (
    *(PointsAccount, PointsTransaction, PointsEntry, PointsLot),
    *(LotUse, EarnedLine, PointsHold, TierChange),
)


def everything() -> list[list[dict[str, object]]]:
    return [list(model.objects.order_by("pk").values()) for model in LEDGER]


def sums(**where: object) -> dict[uuid.UUID | None, int]:
    """Credits less debits, by customer."""
    found: dict[uuid.UUID | None, int] = {}
    for pk, side, points in PointsEntry.objects.filter(**where).values_list(
        "customer_id", "side", "points"
    ):
        found[pk] = found.get(pk, 0) + (points if side == "credit" else -points)
    return found


class Ledger(RuleBasedStateMachine):
    """Three customers, of whom two may become one, and a clock that only moves forwards."""

    bills = Bundle("bills")
    holds = Bundle("holds")
    spends = Bundle("spends")

    @initialize(
        pending=st.sampled_from([0, 0, 3]),
        months=st.sampled_from([None, 0, 1, 12]),
        policy=st.sampled_from(
            [rules.UNLIMITED, rules.UNLIMITED, rules.WITHIN_BALANCE, rules.ONLY_PENDING]
        ),
        grace=st.sampled_from([0, 7]),
    )
    def open(self, pending: int, months: int | None, policy: str, grace: int) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = time_machine.travel(BEGIN, tick=False)
        self.now = self.clock.start()
        make_programme(
            pending_days=pending,
            expiry_months=months,
            negative_policy=policy,
            grace_days=grace,
            tier_basis="points",
            tier_span="month",
            tier_hold_days=20,
            tier_grace_months=1,
        )
        make_tiers(("Bronze", 0, 10_000), ("Silver", 200, 12_500), ("Gold", 500, 20_000))
        self.people = [CustomerFactory(facts={}) for _ in range(3)]
        self.merge: CustomerMerge | None = None
        self.number = 0
        self.done: list[Callable[[], object]] = []

    def teardown(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        self.clock.stop()
        if connection.needs_rollback:
            transaction.set_rollback(False)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def source(self) -> Source:
        self.number += 1
        return Source("bill", str(self.number))

    def call(self, work: Callable[[], object], *refusals: type[DomainError]) -> object:
        """What it came to; a refusal must have changed nothing."""
        before = everything()
        try:
            with transaction.atomic():
                result = work()
        except refusals:
            assert everything() == before
            return None
        self.done.append(work)
        return result

    @rule(
        target=bills,
        who=st.integers(0, 2),
        paise=st.lists(st.integers(0, 30_000), min_size=1, max_size=3),
    )
    def earn(self, who: int, paise: list[int]) -> object:
        source, person = self.source(), self.people[who]
        lines = [BillLine(str(number), amount) for number, amount in enumerate(paise)]
        self.call(
            lambda: services.earn_points(
                actor=system(), customer=person, source=source, lines=lines
            )
        )
        return source, paise

    @rule(who=st.integers(0, 2), points=st.integers(-80, 80).filter(bool))
    def adjust(self, who: int, points: int) -> None:
        source, person = self.source(), self.people[who]
        self.call(
            lambda: services.adjust_points(
                actor=system(), customer=person, points=points, reason="a test", source=source
            ),
            NotEnoughPoints,
        )

    @rule(target=holds, who=st.integers(0, 2), points=st.integers(1, 120))
    def hold(self, who: int, points: int) -> object:
        source, person = self.source(), self.people[who]
        stands = self.stands(who)
        services.activate_due()
        services.expire_due()
        expected = self.first_to_go(stands, points)
        held = self.call(
            lambda: services.hold_points(
                actor=system(), customer=person, points=points, source=source
            ),
            NotEnoughPoints,
        )
        assert (held is None) == (expected is None)
        if held is None:
            return multiple()
        uses = LotUse.objects.filter(transaction=held.transaction_id)
        assert dict(uses.values_list("lot_id", "points")) == expected
        return held

    def first_to_go(self, customer_id: uuid.UUID, points: int) -> dict[uuid.UUID, int] | None:
        """Law 9, worked out by hand: which lots so many points come from."""
        lots = PointsLot.objects.filter(customer_id=customer_id, is_pending=False)
        alive = [lot for lot in lots if lot.expires_at is None or lot.expires_at > clock.now()]
        far = dt.datetime.max.replace(tzinfo=dt.UTC)
        taken = {}
        for lot in sorted(alive, key=lambda lot: (lot.expires_at or far, lot.earned_at, lot.pk)):
            if points and lot.remaining:
                taken[lot.pk] = min(points, lot.remaining)
                points -= taken[lot.pk]
        return None if points else taken

    @rule(target=spends, held=consumes(holds), part=st.integers(1, 120) | st.none())
    def use(self, held: PointsHold, part: int | None) -> object:
        source = self.source()
        points = held.points if part is None else min(part, held.points)
        made = self.call(
            lambda: services.post_hold(actor=system(), hold=held, source=source, points=points),
            PointsHoldOver,
        )
        return source if made else multiple()

    @rule(held=holds)
    def free(self, held: PointsHold) -> None:
        self.call(lambda: services.void_hold(actor=system(), hold=held), PointsHoldOver)

    @rule(bill=bills, part=st.integers(1, 30_000) | st.none())
    def refund(self, bill: tuple[Source, list[int]], part: int | None) -> None:
        source, (of, paise) = self.source(), bill
        lines = None
        if part is not None:
            lines = {str(len(paise) - 1): part}
        self.call(
            lambda: services.reverse_earn(actor=system(), source=source, of=of, lines=lines),
            NothingToReverse,
        )

    @rule(of=spends, part=st.integers(1, 120) | st.none())
    def give_back(self, of: Source, part: int | None) -> None:
        source = self.source()
        self.call(
            lambda: services.reverse_spend(actor=system(), source=source, of=of, points=part),
            NothingToReverse,
        )

    @rule(who=st.integers(0, 2), points=st.integers(1, 60))
    def use_and_take_back(self, who: int, points: int) -> None:
        """Law 7: used and wholly given back, nothing of hers is another than before."""
        services.activate_due()
        services.expire_due()
        stands = self.stands(who)
        person, source = self.people[who], self.source()
        lots = PointsLot.objects.filter(customer_id=stands).order_by("pk").values()
        owing = ("available", "pending", "held", "owed", "tier_id", "next_expiry_on")
        account = PointsAccount.objects.filter(customer_id=stands).values(*owing)
        before = list(lots), list(account)
        try:
            with transaction.atomic():
                held = services.hold_points(
                    actor=system(), customer=person, points=points, source=source
                )
        except NotEnoughPoints:
            return
        services.post_hold(actor=system(), hold=held, source=source)
        services.reverse_spend(actor=system(), source=source, of=source)
        assert (list(lots.all()), list(account.all())) == before

    @rule(minutes=st.sampled_from([5, 11, 60 * 24, 60 * 24 * 4, 60 * 24 * 32]))
    def wait(self, minutes: int) -> None:
        self.now.shift(dt.timedelta(minutes=minutes))

    @rule()
    def night(self) -> None:
        services.void_overdue_holds()
        services.activate_due()
        services.expire_due()
        # A sweep that comes late may end a tier's period and its grace, one after the other.
        while services.end_periods():
            pass
        before = everything()
        for sweep in (
            services.void_overdue_holds,
            services.activate_due,
            services.expire_due,
            services.end_periods,
        ):
            assert not sweep()
        assert everything() == before

    @precondition(lambda self: self.done)
    @rule(which=st.integers(0, 1_000))
    def replay(self, which: int) -> None:
        """Laws 5 and 6."""
        services.activate_due()
        services.expire_due()
        before = everything()
        self.done[which % len(self.done)]()
        assert everything() == before

    @precondition(lambda self: self.merge is None)
    @rule()
    def become_one(self) -> None:
        before = self.total()
        self.merge = customer_services.merge_customers(
            actor=system(), keep=self.people[0], other=self.people[1], choices={}
        )
        assert self.total() == before

    @precondition(lambda self: self.merge is not None and not self.merge.undone_at)
    @rule()
    def come_apart(self) -> None:
        if clock.now() - self.merge.merged_at > dt.timedelta(days=30):
            return
        services.activate_due()
        services.expire_due()
        before = selectors.liability().points
        customer_services.undo_merge(actor=system(), merge=self.merge)
        self.merge.refresh_from_db()
        # Held points come back to lots that may be over by now.
        assert selectors.liability().points <= before

    def stands(self, who: int) -> uuid.UUID:
        merged = self.merge is not None and not self.merge.undone_at
        return self.people[0 if who == 1 and merged else who].pk

    def total(self) -> tuple[int, ...]:
        names = ("available", "pending", "held", "owed")
        found = PointsAccount.objects.aggregate(**{name: Sum(name) for name in names})
        a, p, h, o = (found[name] or 0 for name in names)
        return a - o, p, h

    @invariant()
    def laws(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        by_transaction: dict[uuid.UUID, int] = {}
        for pk, side, points in PointsEntry.objects.values_list("transaction", "side", "points"):
            by_transaction[pk] = by_transaction.get(pk, 0) + (
                points if side == "debit" else -points
            )
        assert not any(by_transaction.values())  # 1
        posted = {name: sums(account=name) for name in ("available", "pending", "held", "owed")}
        lots = list(PointsLot.objects.all())
        holds = list(PointsHold.objects.filter(state="held"))
        for account in PointsAccount.objects.all():
            pk = account.customer_id
            mine = [lot for lot in lots if lot.customer_id == pk]
            active = sum(lot.remaining for lot in mine if not lot.is_pending)
            assert account.available == posted["available"].get(pk, 0) == active  # 2
            waiting = sum(lot.remaining for lot in mine if lot.is_pending)
            assert account.pending == posted["pending"].get(pk, 0) == waiting
            held = sum(hold.points for hold in holds if hold.customer_id == pk)
            assert account.held == posted["held"].get(pk, 0) == held
            assert account.owed == -posted["owed"].get(pk, 0)
            assert not (account.available and account.owed)
            assert min(account.available, account.pending, account.held, account.owed) >= 0  # 4
            alive = sum(
                lot.remaining
                for lot in mine
                if lot.active_at <= clock.now()
                and (lot.expires_at is None or lot.expires_at > clock.now())
            )
            assert selectors.balance(pk).points == alive - account.owed  # 10
        for lot in lots:
            assert 0 <= lot.remaining <= lot.points  # 3
            assert lot.due_on is None or lot.expires_on >= lot.due_on
        found = selectors.liability()  # 11
        assert found.points == sum(self.total())
        assert services.prove_ledger().differing == 0

    @invariant()
    def copies(self) -> None:
        """What facts hold of an account is so, or she is marked."""
        if not hasattr(self, "savepoint"):
            return
        marked = set(StaleFacts.objects.values_list("customer_id", flat=True))
        copied = {each.customer_id: each for each in CustomerFacts.objects.all()}
        for account in PointsAccount.objects.exclude(customer_id__in=marked):
            copy = copied[account.customer_id]
            assert copy.points_balance == account.balance
            assert copy.points_tier_id == account.tier_id
            assert copy.points_expire_on == account.next_expiry_on
        StaleFacts.objects.all().delete()
        copy_beside_facts(self.people)


@pytest.mark.django_db
def test_the_laws_hold_whatever_happens(chain):
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="LEDGER_EXAMPLES" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
