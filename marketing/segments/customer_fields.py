"""What rules ask about the customer herself, her visits and what they tell of her."""

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext as now_said
from django.utils.translation import gettext_lazy as _

from customers.models import AttributeDefinition, Customer, CustomerFacts, Visit
from marketing.core.models import Branch
from marketing.segments.customer_behaviours import branches, categories
from marketing.segments.fields import Label, SegmentField, register, register_family
from marketing.segments.rhythms import DaysOverdue, OverdueCategories, OverdueFor
from marketing.segments.sources import Attribute, Column, Coordinates, Related
from marketing.segments.value_types import (
    Age,
    Boolean,
    Choice,
    Date,
    DaysAgo,
    DaysToYearday,
    DaysUntil,
    Money,
    Month,
    Number,
    Place,
    Several,
    Tags,
    Text,
    ValueType,
)

VISITS, VALUE, SPEND, PERSON, OWN = (
    _("Visits"),
    _("Value and rhythm"),
    _("Spend"),
    _("Person"),
    _("Your own attributes"),
)


def _cities() -> list[tuple[str, Label]]:
    cities = Branch.objects.order_by("city").values_list("city", flat=True).distinct()
    return [(city, city) for city in cities]


def register_customer_fields() -> None:
    """Called once, while apps are loaded."""
    register(*_visits(), *_value(), *_spend(), *_person())
    register_family("attribute", _attributes)


def _visits() -> list[SegmentField]:
    return [
        SegmentField(
            "last_visit_days",
            _("Last visit"),
            DaysAgo(),
            Column("facts__last_visit_at"),
            VISITS,
            sample=30,
            phrases={"is_set": _("has visited"), "not_set": _("has never visited")},
        ),
        SegmentField(
            "first_visit_days",
            _("First visit"),
            DaysAgo(),
            Column("facts__first_visit_at"),
            VISITS,
            sample=30,
            phrases={"is_set": _("has visited"), "not_set": _("has never visited")},
        ),
        SegmentField(
            "visit_count",
            _("Number of visits"),
            Number(),
            Column("facts__visit_count"),
            VISITS,
            sample=1,
        ),
        SegmentField(
            "stage",
            _("Life-cycle stage"),
            Choice(),
            Column("facts__stage"),
            VISITS,
            choices=lambda: CustomerFacts.Stage.choices,
            sample="new",
        ),
        SegmentField(
            "home_branch",
            _("Home branch"),
            Choice(),
            Column("home_branch_id"),
            VISITS,
            choices=branches,
        ),
        SegmentField(
            "city",
            _("City of the home branch"),
            Choice(),
            Column("home_branch__city", is_text=True),
            VISITS,
            choices=_cities,
        ),
        SegmentField(
            "visited_branch",
            _("Branches visited"),
            Several(),
            Related(Visit, "branch_id"),
            VISITS,
            choices=branches,
        ),
    ]


def _value() -> list[SegmentField]:
    scores = [
        SegmentField(name, label, Number(), Column(f"facts__{name}"), VALUE, sample=4)
        for name, label in (
            ("rfm_recency", _("Recency score (1 to 5)")),
            ("rfm_frequency", _("Frequency score (1 to 5)")),
            ("rfm_monetary", _("Spend score (1 to 5)")),
        )
    ]
    return [
        SegmentField(
            "rfm_group",
            _("Value group"),
            Choice(),
            Column("facts__rfm_group"),
            VALUE,
            choices=lambda: CustomerFacts.RfmGroup.choices,
            sample="champions",
        ),
        *scores,
        SegmentField(
            "overdue_days",
            _("Days late by the own rhythm"),
            DaysOverdue(),
            Column("facts__due_on"),
            VALUE,
            sample=7,
            phrases={
                "is_set": _("is overdue by the own rhythm"),
                "not_set": _("is not overdue by the own rhythm"),
            },
        ),
        SegmentField(
            "due_in_days",
            _("Due date by the own rhythm"),
            DaysUntil(),
            Column("facts__due_on"),
            VALUE,
            sample=7,
            phrases={
                "is_set": _("has an own rhythm"),
                "not_set": _("has no own rhythm yet"),
            },
        ),
        SegmentField(
            "overdue_category",
            _("Own rhythm"),
            OverdueFor(),
            OverdueCategories(),
            VALUE,
            choices=categories,
            phrases={
                "is_set": _("is overdue for some service"),
                "not_set": _("is overdue for no service"),
            },
        ),
    ]


def _spend() -> list[SegmentField]:
    return [
        SegmentField(name, label, Money(), Column(f"facts__{column}"), SPEND, sample=sample)
        for name, label, column, sample in (
            ("total_spend", _("Total spend"), "total_spend", 10000),
            ("spend_90_days", _("Spend in the last 90 days"), "spend_90_days", 5000),
            ("spend_365_days", _("Spend in the last 365 days"), "spend_365_days", 20000),
            ("average_ticket", _("Average bill"), "average_ticket", 1500),
        )
    ]


def _person() -> list[SegmentField]:
    return [
        SegmentField(
            "birthday_month",
            _("Birthday month"),
            Month(),
            Column("birth_date"),
            PERSON,
            sample="current",
        ),
        SegmentField(
            "birthday_in_days",
            _("Birthday"),
            DaysToYearday(),
            Column("birth_date"),
            PERSON,
            sample=7,
        ),
        SegmentField(
            "anniversary_month",
            _("Anniversary month"),
            Month(),
            Column("anniversary"),
            PERSON,
            sample="current",
        ),
        SegmentField(
            "anniversary_in_days",
            _("Anniversary"),
            DaysToYearday(),
            Column("anniversary"),
            PERSON,
            sample=7,
        ),
        SegmentField(
            "gender",
            _("Gender"),
            Choice(),
            Column("gender", is_text=True),
            PERSON,
            choices=lambda: Customer.Gender.choices,
            sample="female",
        ),
        SegmentField("age", _("Age"), Age(), Column("birth_date"), PERSON, sample=30),
        SegmentField(
            "location",
            _("Location"),
            Place(_point_of_branch),
            Coordinates("latitude", "longitude"),
            PERSON,
            choices=branches,
            sample={"km": 5},
        ),
        SegmentField(
            "customer_since_days",
            _("First entered"),
            DaysAgo(),
            Column("created_at"),
            PERSON,
            sample=30,
        ),
        SegmentField("tags", _("Tags"), Tags(), Column("tags"), PERSON, sample="vip"),
    ]


def _point_of_branch(pk: uuid.UUID) -> tuple[float, float]:
    point = Branch.objects.filter(pk=pk).values_list("latitude", "longitude").first()
    if point is None:
        raise ValueError(now_said("There is no such branch."))
    latitude, longitude = point
    if latitude is None or longitude is None:
        raise ValueError(now_said("This branch has no place on the map yet."))
    return latitude, longitude


_ATTRIBUTE_TYPES: dict[str, ValueType] = {
    AttributeDefinition.Type.TEXT: Text(),
    AttributeDefinition.Type.NUMBER: Number(whole=False),
    AttributeDefinition.Type.BOOLEAN: Boolean(optional=True),
    AttributeDefinition.Type.DATE: Date(),
    AttributeDefinition.Type.CHOICE: Choice(),
}


def _attributes() -> Sequence[SegmentField]:
    return [_attribute(definition) for definition in AttributeDefinition.objects.all()]


def _attribute(definition: AttributeDefinition) -> SegmentField:
    is_choice = definition.type == AttributeDefinition.Type.CHOICE
    options = [(choice, choice) for choice in definition.choices]
    return SegmentField(
        f"attribute.{definition.key}",
        definition.label,
        _ATTRIBUTE_TYPES[definition.type],
        Attribute(definition.key),
        OWN,
        choices=(lambda: options) if is_choice else None,
    )
