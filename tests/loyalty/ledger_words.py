"""What tests of the ledger say over and over."""

from marketing.loyalty import selectors, services
from marketing.loyalty.models import (
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
    PointsTransaction,
)
from tests.factories.loyalty import bill, system

A, B, C = bill("A"), bill("B"), bill("C")


def points(customer):
    return selectors.balance(customer.pk).points


def refund(source, of, lines=None):
    return services.reverse_earn(actor=system(), source=source, of=of, lines=lines)


def give_back(source, of, count=None):
    return services.reverse_spend(actor=system(), source=source, of=of, points=count)


def everything():
    return [
        list(model.objects.order_by("pk").values())
        for model in (PointsAccount, PointsTransaction, PointsEntry, PointsLot, PointsHold)
    ]


def whole():
    """The proof of the open chain finds nothing."""
    proof = services.prove_ledger()
    assert proof.differing == 0, proof.examples
