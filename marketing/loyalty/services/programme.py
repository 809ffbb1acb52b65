"""How the chain's points programme is set up."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Model, Q
from django.utils.translation import gettext as _

from customers.models import Service, ServiceCategory
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.plain_words import say_plainly
from marketing.loyalty import selectors
from marketing.loyalty.models import EarnRate, LoyaltyProgramme, PointsAccount, Tier

TIERS = (("Bronze", 0, 10_000), ("Silver", 2_500_000, 12_500), ("Gold", 7_500_000, 15_000))
NOT_SETTINGS = {"id", "tenant", "version"}


def setting_names() -> list[str]:
    """What of a programme may be changed."""
    fields = LoyaltyProgramme._meta.concrete_fields
    return [field.name for field in fields if field.name not in NOT_SETTINGS]


@transaction.atomic
def update_programme(
    *, actor: Actor, values: Mapping[str, Any], version: int | None = None
) -> LoyaltyProgramme:
    """Change settings; they hold for what is posted from now on.

    The first change makes the programme, with three tiers to begin with. Raises `ValidationFailed`
    by field, `Conflict` when somebody changed it since `version`.
    """
    actor.require("loyalty.config")
    if unknown := set(values) - set(setting_names()):
        raise KeyError(unknown)
    if not LoyaltyProgramme.objects.exists():
        LoyaltyProgramme.objects.bulk_create([LoyaltyProgramme()], ignore_conflicts=True)
        if not Tier.objects.exists():
            Tier.objects.bulk_create(
                [
                    Tier(name=name, level=level, threshold=threshold, multiplier=multiplier)
                    for level, (name, threshold, multiplier) in enumerate(TIERS, 1)
                ],
                ignore_conflicts=True,
            )
    programme = LoyaltyProgramme.objects.select_for_update().get()
    if version is not None and version != programme.version:
        raise Conflict()
    changes = audit.difference(programme, values)
    for name, value in values.items():
        setattr(programme, name, value)
    try:
        programme.full_clean(exclude=["tenant"], validate_constraints=False)
    except ValidationError as error:
        raise ValidationFailed(fields=say_plainly(error).message_dict) from error
    faults = _faults(programme)
    if "birthday_offer" in changes and not _may_be_given(programme):
        faults["birthday_offer"] = [_("Choose an offer that goes by code and is not over.")]
    if faults:
        raise ValidationFailed(fields=faults)
    if not changes:
        return programme
    programme.version = F("version") + 1  # type: ignore[assignment]
    programme.save()
    programme.refresh_from_db()
    audit.record(
        actor,
        "loyalty.configure",
        programme,
        {name: [_noted(value) for value in both] for name, both in changes.items()},
    )
    return programme


def _may_be_given(programme: LoyaltyProgramme) -> bool:
    chosen = programme.birthday_offer_id
    return chosen is None or selectors.offers_for_birthdays().filter(pk=chosen).exists()


def _noted(value: Any) -> Any:
    """As the audit trail keeps it: a row by its name."""
    return str(value) if isinstance(value, Model) else value


def _faults(programme: LoyaltyProgramme) -> dict[str, list[str]]:
    """What settings say against each other."""
    faults = {}
    least, most = programme.min_redeem_points, programme.max_redeem_points
    if most is not None and most < least:
        faults["max_redeem_points"] = [_("Not below the smallest use.")]
    to_the_day = programme.expiry_rounding == LoyaltyProgramme.Rounding.NONE
    if programme.expiry_months == 0 and to_the_day:
        # What is earned today would be gone tomorrow; who says 0 means never.
        faults["expiry_months"] = [_("At least 1, or empty: then they never expire.")]
    return faults


@transaction.atomic
def set_tier(
    *,
    actor: Actor,
    tier: Tier | None,
    name: str,
    level: int,
    threshold: int,
    multiplier: int,
    benefits: str = "",
    seen: str | None = None,
) -> Tier:
    """Make or change a tier. Levels and thresholds rise together.

    Who has a tier keeps it; a changed threshold is asked at the next bill or period end. The same
    new tier, sent again, is the one that was made. Raises `Conflict` when somebody changed it
    since `seen`, its `mark`, or took it away.
    """
    actor.require("loyalty.config")
    _wait_for_turn()
    known = {each.pk: each for each in selectors.tiers()}
    others = [each for each in known.values() if tier is None or each.pk != tier.pk]
    values = {
        "name": name,
        "level": level,
        "threshold": threshold,
        "multiplier": multiplier,
        "benefits": benefits,
    }
    if tier is not None and tier.pk not in known:
        raise Conflict()
    for each in others if tier is None else [known[tier.pk]]:
        if all(getattr(each, key) == value for key, value in values.items()):
            return each
    if tier is not None and seen and seen != known[tier.pk].mark:
        raise Conflict()
    faults: dict[str, list[str]] = {}
    if any(each.name.lower() == name.lower() for each in others):
        faults["name"] = [_("There is a tier of this name.")]
    if any(each.level == level for each in others):
        faults["level"] = [_("There is a tier of this level.")]
    if not 0 <= multiplier <= 100_000:
        faults["multiplier"] = [_("From 0 to 10 times.")]
    wrong = [each for each in others if (each.level < level) != (each.threshold < threshold)]
    if not faults and wrong:
        faults["threshold"] = [_("A higher tier needs more than a lower one.")]
    if faults:
        raise ValidationFailed(fields=faults)
    made = tier or Tier()
    changes = audit.difference(made, values)
    for key, value in values.items():
        setattr(made, key, value)
    made.save()
    audit.record(actor, "loyalty.tier", made, changes)
    return made


@transaction.atomic
def delete_tier(*, actor: Actor, tier: Tier) -> None:
    """Raises `Conflict` while somebody has it."""
    actor.require("loyalty.config")
    if PointsAccount.objects.filter(tier=tier).exists():
        raise Conflict(_("Customers have this tier. Raise its threshold instead."))
    audit.record(actor, "loyalty.tier_delete", tier, {"name": tier.name})
    tier.delete()


@transaction.atomic
def set_rates(
    *,
    actor: Actor,
    categories: Mapping[ServiceCategory, Decimal | None],
    services: Sequence[tuple[Service, Decimal]] = (),
    seen: str | None = None,
) -> None:
    """Give categories rates of their own (None: the programme's); `services` replace all others.

    Raises `Conflict` when somebody changed rates since `seen`, a `selectors.rates_mark`.
    """
    actor.require("loyalty.config")
    _wait_for_turn()
    wanted = {key.pk: rate for key, rate in [*categories.items(), *services] if rate is not None}
    asked = Q(service__isnull=False) | Q(category__in=categories)
    standing = EarnRate.objects.filter(asked)
    if wanted == {each.category_id or each.service_id: each.points_per_100 for each in standing}:
        return
    if seen is not None and seen != selectors.rates_mark():
        raise Conflict()
    standing.delete()
    EarnRate.objects.bulk_create(
        [
            *(
                EarnRate(category=category, points_per_100=rate)
                for category, rate in categories.items()
                if rate is not None
            ),
            *(EarnRate(service=service, points_per_100=rate) for service, rate in services),
        ]
    )
    programme = selectors.programme()
    noted = {str(key): str(rate) for key, rate in [*categories.items(), *services]}
    audit.record(actor, "loyalty.rates", programme, noted)


def _wait_for_turn() -> None:
    """Tiers and rates of a programme are changed one change after the other."""
    LoyaltyProgramme.objects.select_for_update().first()
