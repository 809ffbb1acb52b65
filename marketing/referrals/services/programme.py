"""How the chain's referrals are set up, and the two offers that carry their discounts."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.plain_words import say_plainly
from marketing.core.templatetags.formats import format_number
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.coupons import services as coupons
from marketing.coupons.models import Offer
from marketing.referrals.models import ReferralProgramme, RewardType

SETTINGS = (
    "is_enabled",
    *("referrer_reward_type", "referrer_reward_value", "referrer_reward_service"),
    *("referred_reward_type", "referred_reward_value", "referred_reward_service"),
    *("reward_on", "min_order_for_reward", "hold_days", "reward_days"),
    *("max_referrals_per_month", "weekly_rewards", "monthly_rewards", "entries_per_staff"),
    "flags_surnames",
    "share_text",
)
MAX_SHARE_TEXT = 1_000
MOST_POINTS = 1_000_000


@transaction.atomic
def update_programme(
    *, actor: Actor, values: Mapping[str, Any], version: int | None = None
) -> ReferralProgramme:
    """Change `SETTINGS`; what was promised before stays promised.

    Raises `ValidationFailed` by field, `Conflict` when somebody changed it since `version`.
    """
    actor.require("referral.config")
    if unknown := set(values) - set(SETTINGS):
        raise KeyError(unknown)
    ReferralProgramme.objects.bulk_create([ReferralProgramme()], ignore_conflicts=True)
    programme = ReferralProgramme.objects.select_for_update().get()
    if version is not None and version != programme.version:
        raise Conflict(details={"current": programme.version})
    changes = audit.difference(programme, values)
    for name, value in values.items():
        setattr(programme, name, value)
    _check(programme)
    if not changes and programme.friend_offer_id:
        return programme
    _keep_offers(programme)
    programme.version = F("version") + 1  # type: ignore[assignment]
    programme.save()
    programme.refresh_from_db()
    audit.record(
        actor,
        "referral.configure",
        programme,
        {name: [str(before), str(after)] for name, (before, after) in changes.items()},
    )
    return programme


def ensure_programme() -> ReferralProgramme:
    """The chain's programme with its offers; Module 11's defaults where nobody has set it up."""
    programme = ReferralProgramme.objects.first()
    if programme is None or programme.friend_offer_id is None:
        ReferralProgramme.objects.bulk_create([ReferralProgramme()], ignore_conflicts=True)
        programme = ReferralProgramme.objects.select_for_update().get()
        if programme.friend_offer_id is None:
            _keep_offers(programme)
            programme.save()
    return programme


def own_offers() -> set[uuid.UUID]:
    """The chain's two offers that carry discounts of referrals."""
    both = ReferralProgramme.objects.values_list("friend_offer", "referrer_offer")
    return {pk for row in both for pk in row if pk is not None}


def _check(programme: ReferralProgramme) -> None:
    faults: dict[str, list[str]] = {}
    try:
        programme.full_clean(exclude=["tenant"], validate_constraints=False)
    except ValidationError as error:
        faults |= say_plainly(error).message_dict
    for side in ("referrer", "referred"):
        kind = getattr(programme, f"{side}_reward_type")
        value = getattr(programme, f"{side}_reward_value")
        if kind == RewardType.FREE_SERVICE and getattr(programme, f"{side}_reward_service") is None:
            faults.setdefault(f"{side}_reward_service", []).append(_("Say which service."))
        if not isinstance(value, Decimal | int) or f"{side}_reward_value" in faults:
            continue
        if kind == RewardType.DISCOUNT and not 0 < value <= 100:
            faults[f"{side}_reward_value"] = [_("A discount is 0.01 to 100 percent.")]
        if kind == RewardType.POINTS and (value != int(value) or not 1 <= value <= MOST_POINTS):
            most = format_number(MOST_POINTS)
            faults[f"{side}_reward_value"] = [
                _("Whole points, from 1 to %(most)s.") % {"most": most}
            ]
    for language, text in dict(programme.share_text or {}).items():
        if language not in {*current_tenant().languages, "en"}:
            faults["share_text"] = [_("This language is not one of the chain's.")]
        elif not isinstance(text, str) or len(text) > MAX_SHARE_TEXT:
            faults["share_text"] = [_("At most %(max)d characters.") % {"max": MAX_SHARE_TEXT}]
    if faults:
        raise ValidationFailed(fields=faults)


def _keep_offers(programme: ReferralProgramme) -> None:
    """Make the two offers, or change them to what the rewards are now."""
    for side, column, name, more in (
        ("referred", "friend_offer", "Welcome from a friend", {"firstVisitOnly": True}),
        ("referrer", "referrer_offer", "Thank you for a friend", {}),
    ):
        kind = getattr(programme, f"{side}_reward_type")
        body: dict[str, Any] = {"isActive": programme.is_enabled and kind != RewardType.POINTS}
        if kind == RewardType.FREE_SERVICE:
            service = getattr(programme, f"{side}_reward_service_id")
            body |= {"discountType": "free_service", "freeServiceId": str(service)}
        elif kind == RewardType.DISCOUNT:
            value = getattr(programme, f"{side}_reward_value")
            body |= {"discountType": "percentage", "discountValue": str(value)}
        offer: Offer | None = getattr(programme, column)
        # Who configures referrals need not be the one who makes offers, and it is not her offer.
        system = Actor.system(current_tenant_id())
        if offer is not None:
            coupons.update_offer(actor=system, offer=offer, values=body, by_owner=True)
            continue
        # An offer of no reward at all gives the smallest there is, and is off.
        body = {"discountType": "percentage", "discountValue": "1"} | body
        per_customer = 1 if side == "referred" else None
        body |= {"name": name, "maxUsesPerCustomer": per_customer, "stacking": "invoice", **more}
        setattr(programme, column, coupons.create_offer(actor=system, body=body))
