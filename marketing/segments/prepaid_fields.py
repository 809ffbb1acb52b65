"""What rules ask about memberships and packages."""

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Membership, Package
from marketing.segments.fields import Label, SegmentField, register
from marketing.segments.sources import Column, Related
from marketing.segments.value_types import Boolean, Choice, DaysUntil, Number, Several

PREPAID = _("Memberships and packages")


def register_prepaid_fields() -> None:
    """Called once, while apps are loaded."""
    register(*_memberships(), *_packages())


def _memberships() -> list[SegmentField]:
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
    ]


def _packages() -> list[SegmentField]:
    return [
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
