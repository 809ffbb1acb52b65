"""The nightly proof: what it keeps, and that it finds what it must find."""

import uuid

import pytest

from marketing.core import diagnosis
from marketing.core.models import DomainEvent, StaffNotification
from marketing.loyalty import checks, selectors, services, tasks
from marketing.loyalty.models import (
    BalanceSnapshot,
    LedgerProof,
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
)
from marketing.loyalty.services import proving
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import bill, earn, hold, spend, system


def snap_now(monkeypatch):
    """Have the next proof keep snapshots of all that is posted by now."""
    last = PointsEntry.objects.order_by("-pk").first()
    bound = uuid.UUID(int=last.pk.int + 1)
    monkeypatch.setattr(proving, "lower_bound", lambda moment: bound)


def test_balances_are_snapshots_and_what_came_since(asha, go, monkeypatch):
    somebody = CustomerFactory()
    earn(asha, 100)
    earn(somebody, 10)
    snap_now(monkeypatch)
    assert services.prove_ledger().differing == 0
    assert BalanceSnapshot.objects.count() == 2
    go("2026-06-16")
    spend(asha, 30)
    hold(asha, 20)
    assert services.prove_ledger().differing == 0
    assert BalanceSnapshot.objects.count() == 2
    snap_now(monkeypatch)
    proof = services.prove_ledger()
    assert (proof.accounts, proof.differing) == (2, 0)
    kept = BalanceSnapshot.objects.filter(customer=asha).order_by("day")
    assert list(kept.values_list("available", "held")) == [(100, 0), (50, 20)]
    assert (proof.issued, proof.redeemed) == (110, 30)
    earn(asha, 5)
    found = selectors.liability()
    assert (found.issued, found.redeemed, found.points) == (115, 30, 85)
    # Again on the same day: nothing is counted twice.
    snap_now(monkeypatch)
    assert services.prove_ledger().differing == 0
    assert selectors.liability() == found


@pytest.mark.parametrize("is_snapped", [False, True])
@pytest.mark.parametrize(
    "tamper",
    [
        lambda: PointsAccount.objects.update(available=101),
        lambda: PointsAccount.objects.update(owed=1),
        lambda: PointsAccount.objects.all().delete(),
        lambda: PointsLot.objects.update(remaining=39),
        lambda: PointsLot.objects.update(customer_id=uuid.UUID(int=1)),
        lambda: PointsHold.objects.update(state="voided"),
        lambda: PointsEntry.objects.create(
            transaction_id=uuid.UUID(int=1),
            account="available",
            customer_id=PointsAccount.objects.get().customer_id,
            side="credit",
            points=1,
        ),
    ],
    ids=["balance", "debt", "account", "lot", "owner", "hold", "entry"],
)
def test_any_difference_raises_the_alarm(chain, asha, monkeypatch, tamper, is_snapped):
    earn(asha, 100)
    spend(asha, 40)
    hold(asha, 20)
    if is_snapped:
        snap_now(monkeypatch)
    assert services.prove_ledger().differing == 0
    tamper()
    for _twice in range(2):
        proof = services.prove_ledger()
        assert proof.differing >= 1
    assert str(asha.pk) in proof.examples
    assert DomainEvent.objects.filter(name="loyalty.ledger_differs").count() == 2
    told = StaffNotification.objects.get()
    assert told.staff_id == chain.owner.pk
    monkeypatch.setattr(checks.timezone, "now", lambda: proof.at)
    with pytest.raises(diagnosis.Problem, match="balances differ on"):
        checks.points_ledger()
    if tamper.__code__.co_names[0] == "PointsEntry":
        # What was tampered with cannot be taken back: let the test end without its check.
        from django.db import transaction

        transaction.set_rollback(True)


def test_the_doctor_wants_a_fresh_proof(chain, asha):
    assert checks.points_ledger() == "proven in 0 chains"
    earn(asha, 10)
    with pytest.raises(diagnosis.Problem, match="not proven"):
        checks.points_ledger()
    services.prove_ledger()
    assert checks.points_ledger() == "proven in 1 chains"


def test_the_nights_work_is_done_in_each_chain(chain, asha, go):
    from tests.factories.loyalty import make_programme

    make_programme(expiry_months=0, pending_days=1)
    earn(asha, 10, bill())
    go("2026-06-16", "12:00")
    tasks.turn_days()
    assert PointsAccount.objects.get().available == 10
    held = hold(asha, 4)
    go("2026-06-17", "00:00")
    tasks.end_overdue_holds()
    tasks.turn_days()
    tasks.prove_ledgers()
    held.refresh_from_db()
    assert held.state == "expired"
    assert LedgerProof.objects.get().differing == 0
    assert selectors.balance(asha.pk).expiring in (0, 4)
    assert system().is_system
