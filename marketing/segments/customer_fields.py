"""The fields whose data stands on the customer, her facts and her consent."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from customers.models import (
    AttributeDefinition,
    Channel,
    Customer,
    CustomerFacts,
    Membership,
    ServiceCategory,
)
from marketing.core.models import Branch
from marketing.segments.fields import Label, SegmentField, register, register_family
from marketing.segments.rhythms import DaysOverdue, OverdueCategories, OverdueFor
from marketing.segments.sources import Attribute, Column
from marketing.segments.value_types import (
    Boolean,
    Choice,
    Date,
    DaysAgo,
    DaysToYearday,
    DaysUntil,
    Money,
    Month,
    Number,
    Tags,
    Text,
    ValueType,
)

LANGUAGES: dict[str, Label] = {"en": _("English"), "hi": _("Hindi"), "bn": _("Bengali")}

VISITS, VALUE, SPEND, PERSON, PREPAID, CONTACT, OWN = (
    _("Visits"),
    _("Value and rhythm"),
    _("Spend"),
    _("Person"),
    _("Memberships and packages"),
    _("Contact and consent"),
    _("Your own attributes"),
)


def _branches() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in Branch.objects.values_list("pk", "name")]


def _cities() -> list[tuple[str, Label]]:
    cities = Branch.objects.order_by("city").values_list("city", flat=True).distinct()
    return [(city, city) for city in cities]


def _languages() -> list[tuple[str, Label]]:
    return list(LANGUAGES.items())


def _categories() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in ServiceCategory.objects.values_list("pk", "name")]


def register_customer_fields() -> None:
    """Called once, while apps are loaded."""
    register(*_visits(), *_value(), *_spend(), *_person(), *_prepaid(), *_contact())
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
            choices=_branches,
        ),
        SegmentField(
            "city",
            _("City of the home branch"),
            Choice(),
            Column("home_branch__city", is_text=True),
            VISITS,
            choices=_cities,
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
            "overdue_category",
            _("Own rhythm"),
            OverdueFor(),
            OverdueCategories(),
            VALUE,
            choices=_categories,
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
        SegmentField("tags", _("Tags"), Tags(), Column("tags"), PERSON, sample="vip"),
    ]


def _prepaid() -> list[SegmentField]:
    statuses: list[tuple[str, Label]] = [("none", _("Never a member"))]
    statuses += [(status.value, status.label) for status in Membership.Status]
    return [
        SegmentField(
            "membership_status",
            _("Membership"),
            Choice(),
            Column("facts__membership_status"),
            PREPAID,
            choices=lambda: statuses,
            sample="active",
        ),
        SegmentField(
            "has_active_membership",
            _("Has an active membership"),
            Boolean(),
            Column("facts__has_active_membership"),
            PREPAID,
            sample=True,
            phrases={"yes": _("has an active membership"), "no": _("has no active membership")},
        ),
        SegmentField(
            "membership_expires_days",
            _("Membership expiry"),
            DaysUntil(),
            Column("facts__membership_expires_on"),
            PREPAID,
            sample=30,
        ),
        SegmentField(
            "has_active_package",
            _("Has an active package"),
            Boolean(),
            Column("facts__has_active_package"),
            PREPAID,
            sample=True,
            aliases=("has_package",),
            phrases={"yes": _("has an active package"), "no": _("has no active package")},
        ),
        SegmentField(
            "package_expires_days",
            _("Package expiry"),
            DaysUntil(),
            Column("facts__package_expires_on"),
            PREPAID,
            sample=30,
        ),
        SegmentField(
            "package_sessions_left",
            _("Package sessions left"),
            Number(),
            Column("facts__package_sessions_left"),
            PREPAID,
            sample=1,
        ),
    ]


def _contact() -> list[SegmentField]:
    consents = [
        SegmentField(
            f"{channel}_consent",
            label,
            Boolean(),
            Column(f"consent__{channel}_promotional"),
            CONTACT,
            sample=True,
            phrases={"yes": yes, "no": no},
        )
        for channel, label, yes, no in (
            (
                "whatsapp",
                _("Agreed to offers on WhatsApp"),
                _("agreed to offers on WhatsApp"),
                _("did not agree to offers on WhatsApp"),
            ),
            (
                "sms",
                _("Agreed to offers by SMS"),
                _("agreed to offers by SMS"),
                _("did not agree to offers by SMS"),
            ),
            (
                "email",
                _("Agreed to offers by e-mail"),
                _("agreed to offers by e-mail"),
                _("did not agree to offers by e-mail"),
            ),
        )
    ]
    return [
        SegmentField(
            "language",
            _("Language"),
            Choice(),
            Column("language", is_text=True),
            CONTACT,
            choices=_languages,
            sample="hi",
        ),
        SegmentField(
            "preferred_channel",
            _("Preferred channel"),
            Choice(),
            Column("preferred_channel", is_text=True),
            CONTACT,
            choices=lambda: Channel.choices,
            sample="whatsapp",
        ),
        *consents,
        SegmentField(
            "is_dnd",
            _("On the do-not-disturb register"),
            Boolean(),
            Column("consent__is_dnd"),
            CONTACT,
            sample=False,
            phrases={
                "yes": _("is on the do-not-disturb register"),
                "no": _("is not on the do-not-disturb register"),
            },
        ),
        SegmentField(
            "marketing_opted_out",
            _("Opted out of marketing"),
            Boolean(),
            Column("consent__marketing_opted_out"),
            CONTACT,
            sample=False,
            phrases={
                "yes": _("opted out of marketing"),
                "no": _("did not opt out of marketing"),
            },
        ),
    ]


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
