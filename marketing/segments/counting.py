"""How many people a condition describes: counted in their facts alone, where these say enough.

Facts hold copies of most of what rules ask, so that one table is gone through where three would
have to be joined. Whoever is marked stale is asked herself: the number is that of the rows.
"""

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet, Value

from customers.facts_columns import COPIES
from customers.models import Customer, CustomerFacts, StaleFacts
from marketing.segments.negation import DoesNotHold, does_not_hold
from marketing.segments.sources import HasRow

# With more of them, asking everybody is as fast.
MOST_MARKED = 5_000

_OWN = {**{name: name for name in COPIES}, "home_branch": "home_branch"}
_OWN |= {"created_at": "entered_at", "pk": "customer_id"}


class Counting:
    """Questions about the active customers of these home branches; None: of all and none."""

    def __init__(self, branch_ids: Collection[uuid.UUID] | None) -> None:
        self._branch_ids = branch_ids
        marked = StaleFacts.objects.values_list("customer_id", flat=True)
        self._marked = list(marked[: MOST_MARKED + 1])

    def count(self, q: Q) -> int:
        """How many of them `q` describes."""
        q, of_facts = self._asked(q)
        if of_facts is None:
            return Customer.objects.filter(q).count()
        counted = CustomerFacts.objects.filter(of_facts)
        if not self._marked:
            return counted.count()
        theirs = Customer.objects.filter(q, pk__in=self._marked)
        return counted.exclude(customer_id__in=self._marked).count() + theirs.count()

    def some(self, q: Q, most: int) -> QuerySet[Customer]:
        """Up to `most` of them. Facts say where to look; whether `q` holds is asked of the rows."""
        q, of_facts = self._asked(q)
        described = Customer.objects.filter(q)
        if of_facts is None:
            return described[:most]
        in_facts = CustomerFacts.objects.filter(of_facts).exclude(customer_id__in=self._marked)
        found = list(in_facts.values_list("customer_id", flat=True)[:most])
        if len(found) < most and self._marked:
            found += described.filter(pk__in=self._marked).values_list("pk", flat=True)[:most]
        return described.filter(pk__in=found[:most])

    def _asked(self, q: Q) -> tuple[Q, Q | None]:
        """The whole condition, of customers and of facts: None where these cannot say."""
        q = Q(status=Customer.Status.ACTIVE) & q
        if self._branch_ids is not None:
            q &= Q(home_branch_id__in=self._branch_ids)
        return q, None if len(self._marked) > MOST_MARKED else _of_facts(q)


def _of_facts(q: Q) -> Q | None:
    """The same condition over `CustomerFacts`; None where they do not hold what it asks."""
    children = []
    for child in q.children:
        translated = _child(child)
        if translated is None:
            return None
        children.append(translated)
    return Q(*children, _connector=q.connector, _negated=q.negated)


def _child(child: Any) -> Any:
    match child:
        case Q():
            return _of_facts(child)
        case DoesNotHold():
            inner = _of_facts(child.q)
            return None if inner is None else does_not_hold(inner)
        case HasRow():
            return child.copied or child.of("customer_id")
        case Value():
            return child
        case (str(path), value) if not _looks_at_customer(value):
            return None if (column := _column(path)) is None else (column, value)
    return None


def _looks_at_customer(value: Any) -> bool:
    """An expression may; a query of its own (ids that are looked for) stands alone."""
    return hasattr(value, "resolve_expression") and not isinstance(value, QuerySet)


def _column(path: str) -> str | None:
    table, _, rest = path.partition("__")
    if table == "facts":
        return rest
    if table == "consent":
        return rest if rest.partition("__")[0] in COPIES else None
    return None if table not in _OWN else "__".join(filter(None, (_OWN[table], rest)))
