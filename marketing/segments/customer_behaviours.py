"""The countable behaviour whose rows lie with the customer: visits, bills and events."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, FloatField, Func, Q, QuerySet, Value
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext_lazy as _

from customers.models import (
    CustomerEvent,
    Purchase,
    PurchaseLine,
    Service,
    ServiceCategory,
    Visit,
)
from marketing.core.ids import lower_bound
from marketing.core.models import Branch, Staff
from marketing.segments.behaviours import Behaviour, register
from marketing.segments.fields import Label, SegmentField
from marketing.segments.sources import AnyRow, Attribute, Column, Numbered
from marketing.segments.value_types import Boolean, Choice, Money, Number, Text, ValueType
from marketing.segments.value_types.base import clean_text

# Whatever the language of the interface; each one's number is its place, from 1.
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
PROPERTY = "property."
MAX_PROPERTY = 50


def register_customer_behaviours() -> None:
    """Called once, while apps are loaded."""
    register(
        Behaviour(
            "visit",
            _("Visits"),
            _("number of visits"),
            _visits,
            lambda moment: Q(visited_at__gte=moment),
            "-visited_at",
            [
                SegmentField(
                    "branch", _("Branch"), Choice(), Column("branch_id"), choices=branches
                ),
                SegmentField("staff", _("Served by"), Choice(), Column("staff_id"), choices=_staff),
                *_services(_lines_of_visit, "purchase__visit_id"),
                *_calendar("visited_at"),
            ],
        ),
        Behaviour(
            "purchase",
            _("Bills"),
            _("number of bills"),
            _purchases,
            lambda moment: Q(purchased_at__gte=moment),
            "-purchased_at",
            [
                SegmentField(
                    "branch", _("Branch"), Choice(), Column("branch_id"), choices=branches
                ),
                SegmentField("total", _("Total"), Money(), Column("left"), sample=1000),
                SegmentField("discount", _("Discount"), Money(), Column("discount"), sample=0),
                *_services(_lines, "purchase_id"),
                *_calendar("purchased_at"),
            ],
        ),
        Behaviour(
            "event",
            _("Events"),
            _("number of events"),
            _events,
            _events_since,
            "-occurred_at",
            [SegmentField("name", _("Name"), Choice(), Column("name", is_text=True))],
            open_filters=_property,
        ),
    )


def branches() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in Branch.objects.values_list("pk", "name")]


def _staff() -> list[tuple[str, Label]]:
    return [(str(each.pk), str(each)) for each in Staff.objects.select_related("user")]


def _service_names() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in Service.objects.values_list("pk", "name")]


def categories() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in ServiceCategory.objects.values_list("pk", "name")]


def _visits() -> QuerySet[Any]:
    return Visit.objects.all()


def _purchases() -> QuerySet[Any]:
    """Bills with what is `left` of each after refunds."""
    bills = Purchase.objects.filter(status=Purchase.Status.FINALISED)
    return bills.annotate(left=F("total") - F("refunded"))


def _lines() -> QuerySet[Any]:
    return PurchaseLine.objects.filter(refunded_quantity__lt=F("quantity"))


def _lines_of_visit() -> QuerySet[Any]:
    return _lines().filter(purchase__status=Purchase.Status.FINALISED)


def _events() -> QuerySet[Any]:
    return CustomerEvent.objects.all()


def _events_since(moment: dt.datetime) -> Q:
    """Ids tell the months to look in: nothing is written down a day before it happens."""
    earliest = lower_bound(moment - dt.timedelta(days=1))
    return Q(occurred_at__gte=moment, id__gte=earliest)


def _services(lines: Any, key: str) -> list[SegmentField]:
    """What was on the bill: each is asked of any of its lines."""

    def line(path: str) -> AnyRow:
        return AnyRow(lines, key, path)

    return [
        SegmentField("service", _("Service"), Choice(), line("service_id"), choices=_service_names),
        SegmentField("category", _("Category"), Choice(), line("category_id"), choices=categories),
        SegmentField("service_name", _("Name of the service"), Text(), line("service__name")),
        SegmentField("category_name", _("Name of the category"), Text(), line("category__name")),
    ]


def _calendar(moment: str) -> list[SegmentField]:
    """The day of the week and the month, by the branch's clock."""

    def part(name: str, values: Sequence[str]) -> Numbered:
        local = Func(F("branch__time_zone"), F(moment), function="timezone")
        number = Func(Value(name), local, function="date_part", output_field=FloatField())
        return Numbered(number, {value: place for place, value in enumerate(values, 1)})

    days = list(zip(DAY_NAMES, WEEKDAYS.values(), strict=True))
    months = list(zip(MONTH_NAMES, MONTHS.values(), strict=True))
    return [
        SegmentField(
            "weekday",
            _("Day of the week"),
            Choice(),
            part("isodow", DAY_NAMES),
            choices=lambda: days,
        ),
        SegmentField(
            "month", _("Month"), Choice(), part("month", MONTH_NAMES), choices=lambda: months
        ),
    ]


_PROPERTY_TYPES: Mapping[type, ValueType] = {
    bool: Boolean(optional=True),
    int: Number(whole=False),
    float: Number(whole=False),
}


def _property(name: str, value: Any) -> SegmentField | None:
    """A property of an event, of the type of what it is compared with."""
    key = name.removeprefix(PROPERTY)
    if key == name or len(key) > MAX_PROPERTY:
        return None
    try:
        clean_text(key)
    except ValueError:
        return None
    first = value[0] if isinstance(value, list) and value else value
    kind = _PROPERTY_TYPES.get(type(first), Text())
    return SegmentField(name, key, kind, Attribute(key, "properties"))
