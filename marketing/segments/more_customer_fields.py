"""Fields that look beyond one column: where she lives, what she holds, who may write to her."""

import uuid
from collections.abc import Callable

from django.db.models import BinaryField, F, Func, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Now, NullIf
from django.utils.translation import gettext as now_said
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Membership, Package, Suppression, Visit
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant_id
from marketing.segments.customer_behaviours import branches
from marketing.segments.customer_fields import CONTACT, PERSON, PREPAID, VISITS
from marketing.segments.fields import Label, SegmentField, register
from marketing.segments.sources import Column, Coordinates, Found, Related
from marketing.segments.value_types import Age, Boolean, Choice, DaysAgo, Place, Several, Text

_ADDRESSES = {
    Channel.WHATSAPP: Coalesce(NullIf(OuterRef("phone"), Value("")), OuterRef("whatsapp_id")),
    Channel.SMS: OuterRef("phone"),
    Channel.EMAIL: OuterRef("email"),
}


def register_more_customer_fields() -> None:
    """Called once, while apps are loaded."""
    register(*_person(), *_held(), *_reached())


def _person() -> list[SegmentField]:
    return [
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
    ]


def _point_of_branch(pk: uuid.UUID) -> tuple[float, float]:
    point = Branch.objects.filter(pk=pk).values_list("latitude", "longitude").first()
    if point is None:
        raise ValueError(now_said("There is no such branch."))
    latitude, longitude = point
    if latitude is None or longitude is None:
        raise ValueError(now_said("This branch has no place on the map yet."))
    return latitude, longitude


def _held() -> list[SegmentField]:
    return [
        SegmentField(
            "visited_branch",
            _("Branches visited"),
            Several(),
            Related(Visit, "branch_id"),
            VISITS,
            choices=branches,
        ),
        SegmentField(
            "membership_plan",
            _("Membership plans"),
            Several(lapses=True),
            Related(
                Membership,
                "plan",
                Q(status=Membership.Status.ACTIVE),
                lambda day: Q(expires_on__gte=day.today),
            ),
            PREPAID,
            choices=_plans,
        ),
        SegmentField(
            "package_name",
            _("Packages"),
            Several(lapses=True),
            Related(
                Package,
                "name",
                Q(is_cancelled=False, sessions_used__lt=F("sessions_total")),
                lambda day: Q(expires_on__gte=day.today),
            ),
            PREPAID,
            choices=_package_names,
        ),
    ]


def _plans() -> list[tuple[str, Label]]:
    plans = Membership.objects.order_by("plan").values_list("plan", flat=True).distinct()
    return [(plan, plan) for plan in plans]


def _package_names() -> list[tuple[str, Label]]:
    names = Package.objects.order_by("name").values_list("name", flat=True).distinct()
    return [(name, name) for name in names]


def _reached() -> list[SegmentField]:
    fields = [
        SegmentField("phone", _("Phone"), Text(), Column("phone", is_text=True), CONTACT),
        SegmentField("email", _("E-mail"), Text(), Column("email", is_text=True), CONTACT),
    ]
    bases: list[tuple[str, Label]] = [
        ("explicit", _("she said so")),
        ("assumed", _("assumed when entered")),
    ]
    for channel, service, yes, no, basis, suppressed, is_suppressed, is_free in _WORDS:
        fields += [
            SegmentField(
                f"{channel}_service_consent",
                service,
                Boolean(),
                Column(f"consent__{channel}_service"),
                CONTACT,
                sample=True,
                phrases={"yes": yes, "no": no},
            ),
            SegmentField(
                f"{channel}_consent_basis",
                basis,
                Choice(),
                Column(f"consent__{channel}_basis", is_text=True),
                CONTACT,
                choices=lambda: bases,
                sample="explicit",
            ),
            SegmentField(
                f"{channel}_suppressed",
                suppressed,
                Boolean(),
                Found(Suppression, _suppressed(channel)),
                CONTACT,
                sample=False,
                phrases={"yes": is_suppressed, "no": is_free},
            ),
        ]
    return fields


class _AddressHash(Func):
    function = "parlour_address_hash"
    output_field = BinaryField()


def _suppressed(channel: Channel) -> Callable[[], Q]:
    """The rows by which her address on the channel is not to be written to."""

    def rows() -> Q:
        address = _ADDRESSES[channel]
        return Q(
            Q(until__isnull=True) | Q(until__gt=Now()),
            channel=channel,
            address_hash=_AddressHash(Value(current_tenant_id()), address),
        )

    return rows


_WORDS = [
    (
        Channel.WHATSAPP,
        _("Agreed to service messages on WhatsApp"),
        _("agreed to service messages on WhatsApp"),
        _("did not agree to service messages on WhatsApp"),
        _("Basis of the consent on WhatsApp"),
        _("Cannot be reached on WhatsApp"),
        _("cannot be reached on WhatsApp (suppressed)"),
        _("is not suppressed on WhatsApp"),
    ),
    (
        Channel.SMS,
        _("Agreed to service messages by SMS"),
        _("agreed to service messages by SMS"),
        _("did not agree to service messages by SMS"),
        _("Basis of the consent by SMS"),
        _("Cannot be reached by SMS"),
        _("cannot be reached by SMS (suppressed)"),
        _("is not suppressed by SMS"),
    ),
    (
        Channel.EMAIL,
        _("Agreed to service messages by e-mail"),
        _("agreed to service messages by e-mail"),
        _("did not agree to service messages by e-mail"),
        _("Basis of the consent by e-mail"),
        _("Cannot be reached by e-mail"),
        _("cannot be reached by e-mail (suppressed)"),
        _("is not suppressed by e-mail"),
    ),
]
