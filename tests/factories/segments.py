"""Segments of the open tenant scope.

SegmentFactory(rules=where("visit_count", "gt", 1))
StaticSegmentFactory(members=[customer, …])
"""

from collections.abc import Iterable
from typing import Any

import factory
from factory.django import DjangoModelFactory

from customers.models import Customer
from marketing.segments.models import Segment, SegmentMember


def where(field: str, op: str, value: Any = None) -> dict[str, Any]:
    """A rule tree of one condition."""
    return group("AND", condition(field, op, value))


def condition(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def group(operator: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


class SegmentFactory(DjangoModelFactory[Segment]):
    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"Segment {n}")
    rules = factory.LazyFunction(lambda: where("visit_count", "gte", 1))


class StaticSegmentFactory(SegmentFactory):
    class Meta:
        model = Segment
        skip_postgeneration_save = True

    is_dynamic = False
    rules: dict[str, Any] = {}

    @factory.post_generation
    def members(
        self: Segment, create: bool, extracted: Iterable[Customer] | None, **_: Any
    ) -> None:
        for customer in extracted or ():
            SegmentMember.objects.create(segment=self, customer=customer)
