"""Late by one's own rhythm: by how many days, and for which categories of services."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import JSONObject
from django.utils.translation import gettext_lazy

from customers.models import CategoryRhythm
from marketing.core.tenancy import current_tenant_id
from marketing.segments.local_time import LocalDay
from marketing.segments.negation import does_not_hold
from marketing.segments.sources import Lasting, Source
from marketing.segments.value_types import Choice, DaysUntil
from marketing.segments.value_types.base import COMPARISONS


class DaysOverdue(DaysUntil):
    """Calendar days since a stored date; until it has passed there is no value."""

    unit = gettext_lazy("… days late")
    operators = (*COMPARISONS, "is_set", "not_set")
    lowest = 1
    operator_labels = {
        "gt": gettext_lazy("are more than …"),
        "gte": gettext_lazy("are at least …"),
        "lt": gettext_lazy("are less than …"),
        "lte": gettext_lazy("are at most …"),
        "eq": gettext_lazy("are exactly …"),
        "ne": gettext_lazy("are not …"),
        "between": gettext_lazy("are between … and …"),
    }
    TURNED = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte", "eq": "exact"}

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        overdue = source.compare("lt", day.today)
        if op == "is_set":
            return overdue
        if op == "not_set":
            return does_not_hold(overdue)
        return overdue & super().condition(source, op, operand, day)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        return source.compare(self.TURNED[op], day.today - dt.timedelta(days=operand))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        days = None if stored is None else (day.today - stored).days
        return days if days and days > 0 else None


class OverdueFor(Choice):
    """The categories in which somebody is overdue today; of `OverdueCategories`."""

    uses_clock = True
    operators = ("eq", "in", "is_set", "not_set")
    operator_labels = {
        "eq": gettext_lazy("is exceeded for …"),
        "in": gettext_lazy("is exceeded for any of …"),
    }

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        wanted = {"eq": [operand], "in": operand}.get(op, [])
        overdue = source.compare("lt", (wanted, day.today))
        return does_not_hold(overdue) if op == "not_set" else overdue

    def read(self, stored: Any, day: LocalDay) -> list[str]:
        return [
            each["category"] for each in stored if dt.date.fromisoformat(each["due"]) < day.today
        ]


class OverdueCategories(Lasting):
    """A customer's rhythms; compared with categories (none: any) and a day."""

    def compare(self, lookup: str, value: tuple[Sequence[str], dt.date]) -> Q:
        categories, day = value
        chosen = tuple(map(uuid.UUID, categories))
        return Q(_Overdue(lookup, chosen, day, current_tenant_id()))

    def is_known(self) -> Q:
        return Q(Exists(CategoryRhythm.objects.filter(customer_id=OuterRef("pk"))))

    def expression(self) -> Combinable:
        rhythms = CategoryRhythm.objects.filter(customer_id=OuterRef("pk")).order_by("due_on")
        return ArraySubquery(rhythms.values(one=JSONObject(category="category_id", due="due_on")))


class _Overdue(Exists):
    """Equal to another of the same arguments, so that each time zone need not be asked apart."""

    def __init__(
        self, lookup: str, categories: tuple[uuid.UUID, ...], day: dt.date, tenant_id: uuid.UUID
    ) -> None:
        rhythms = CategoryRhythm.objects.filter(
            customer_id=OuterRef("pk"), **{f"due_on__{lookup}": day}
        )
        if categories:
            rhythms = rhythms.filter(category_id__in=categories)
        super().__init__(rhythms)
