"""What messages may say of referrals."""

from collections.abc import Callable

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Concat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.content.merge_fields import MergeField, register
from marketing.referrals.links import PATH
from marketing.referrals.models import ReferralCode, ReferralNotice

FRIEND, REFERRER, REWARD = "referral_friend", "referral_referrer", "referral_reward"
NOTICE_FIELDS = (FRIEND, REFERRER, REWARD)


def register_merge_fields() -> None:
    """Called once, while apps are loaded."""
    base = settings.PUBLIC_BASE_URL + PATH
    link = Concat(
        Value(base), F("customer__tenant__slug"), Value("/"), F("code"), output_field=TextField()
    )
    register(
        MergeField("referral_code", _("Code for friends"), _of_code(F("code")), "7KM2XWQ9"),
        MergeField("referral_link", _("Link for friends"), _of_code(link), f"{base}salon/7KM2XWQ9"),
        _of_notice(FRIEND, _("The friend who came"), "Ravi"),
        _of_notice(REFERRER, _("Who brought her"), "Meera"),
        _of_notice(REWARD, _("Reward for a friend"), "100 points"),
    )


def _of_code(value: F | Concat) -> Subquery:
    """Without the manager, which would ask for a tenant scope while apps are loaded."""
    codes: QuerySet[ReferralCode] = QuerySet(ReferralCode).filter(customer=OuterRef("pk"))
    return Subquery(codes.annotate(said=value).values("said")[:1])


def _of_notice(name: str, label: str | Promise, sample: str) -> MergeField:
    return MergeField(name, label, None, sample, is_given=True, personal=_told(name))


def _told(name: str) -> Callable[[str], Subquery]:
    """What the notice to her in this lot says."""

    def value(lot: str) -> Subquery:
        notices: QuerySet[ReferralNotice] = QuerySet(ReferralNotice).filter(
            tenant_id=OuterRef("tenant_id"), customer=OuterRef("pk"), lot=lot
        )
        return Subquery(notices.annotate(words=KT(f"said__{name}")).values("words")[:1])

    return value
