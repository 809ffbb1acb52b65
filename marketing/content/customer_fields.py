"""The merge fields whose data lies with the customer: Module 11's placeholders that stand."""

from django.db.models import DateField, F, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from customers.models import FULL_NAME, Membership
from marketing.content.merge_fields import DATE, DAY_OF_YEAR, NUMBER, SYSTEM, MergeField, register

_LOCAL_LAST_VISIT = Cast(
    Func(
        Coalesce(F("home_branch__time_zone"), F("tenant__time_zone")),
        F("facts__last_visit_at"),
        function="timezone",
    ),
    DateField(),
)
_VISITS = Coalesce(F("facts__visit_count"), Value(0))
_SESSIONS_LEFT = Func(
    F("facts__package_sessions_left"), Value(0), function="NULLIF", output_field=TextField()
)


def _current_plan() -> Subquery:
    """Without the manager, which would ask for a tenant scope while apps are loaded."""
    plans: QuerySet[Membership] = QuerySet(Membership).filter(customer=OuterRef("pk"))
    running = plans.exclude(status=Membership.Status.CANCELLED).order_by("-expires_on")
    return Subquery(running.values("plan")[:1])


def register_customer_fields() -> None:
    register(
        MergeField("customer_name", _("First name"), F("first_name"), "Asha"),
        MergeField("last_name", _("Last name"), F("last_name"), "Sharma"),
        MergeField(
            "full_name",
            _("Full name"),
            FULL_NAME,
            "Asha Sharma",
        ),
        MergeField("salon_name", _("Salon chain"), F("tenant__name"), "Kesar Salon"),
        MergeField("branch_name", _("Home branch"), F("home_branch__name"), "Bandra West"),
        MergeField("branch_phone", _("Branch phone"), F("home_branch__phone"), "+912226400100"),
        MergeField("branch_city", _("Branch city"), F("home_branch__city"), "Mumbai"),
        MergeField(
            "last_visit_date", _("Date of last visit"), _LOCAL_LAST_VISIT, "2026-10-18", DATE
        ),
        MergeField("visit_count", _("Number of visits"), _VISITS, "7", NUMBER),
        MergeField(
            "favourite_service",
            _("Favourite service"),
            F("facts__favourite_service__name"),
            "Hair spa",
        ),
        MergeField("membership_plan", _("Membership plan"), _current_plan(), "Gold"),
        MergeField(
            "membership_expiry_date",
            _("Membership valid until"),
            F("facts__membership_expires_on"),
            "2026-12-31",
            DATE,
        ),
        MergeField(
            "package_sessions_left",
            _("Package sessions left"),
            _SESSIONS_LEFT,
            "3",
            NUMBER,
        ),
        MergeField(
            "package_expiry_date",
            _("Package valid until"),
            F("facts__package_expires_on"),
            "2026-12-15",
            DATE,
        ),
        MergeField("birthday", _("Birthday"), F("birth_date"), "1994-12-05", DAY_OF_YEAR),
        MergeField(
            "unsubscribe_url",
            _("Unsubscribe link"),
            None,
            "https://example.com/u/3fJq9dKw",
            SYSTEM,
        ),
    )
