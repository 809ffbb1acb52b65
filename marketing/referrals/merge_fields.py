"""What messages may say of referrals."""

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from marketing.content.merge_fields import MergeField, register
from marketing.referrals.links import PATH
from marketing.referrals.models import ReferralCode


def register_merge_fields() -> None:
    """Called once, while apps are loaded."""
    base = settings.PUBLIC_BASE_URL + PATH
    link = Concat(
        Value(base), F("customer__tenant__slug"), Value("/"), F("code"), output_field=TextField()
    )
    register(
        MergeField("referral_code", _("Code for friends"), _of_code(F("code")), "7KM2XWQ9"),
        MergeField("referral_link", _("Link for friends"), _of_code(link), f"{base}salon/7KM2XWQ9"),
    )


def _of_code(value: F | Concat) -> Subquery:
    """Without the manager, which would ask for a tenant scope while apps are loaded."""
    codes: QuerySet[ReferralCode] = QuerySet(ReferralCode).filter(customer=OuterRef("pk"))
    return Subquery(codes.annotate(said=value).values("said")[:1])
