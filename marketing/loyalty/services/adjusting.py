"""Points given or taken by hand, with a reason and within what the role may move."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Customer
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Forbidden, IdempotencyMismatch, ValidationFailed
from marketing.core.models import Role
from marketing.core.templatetags.formats import format_number
from marketing.loyalty import rules, selectors
from marketing.loyalty.models import Account, Kind, PointsTransaction
from marketing.loyalty.services.earning import give_points
from marketing.loyalty.services.entering import enter
from marketing.loyalty.services.posting import (
    Source,
    begin,
    note_next_expiry,
    post,
    take_from_lots,
    whole_points,
)

REASON_LENGTH = 200


def adjust_limit(actor: Actor) -> int:
    """How many points the actor may move at once; 0 for who may not at all."""
    if not actor.can("loyalty.adjust"):
        return 0
    if actor.is_system:
        return rules.MAX_POINTS
    programme = selectors.programme()
    return (
        {
            Role.SUPER_OWNER: rules.MAX_POINTS,
            Role.REGIONAL_MANAGER: programme.regional_adjust_limit,
            Role.BRANCH_MANAGER: programme.branch_adjust_limit,
        }.get(Role(actor.staff.role), 0)
        if actor.staff
        else 0
    )


@transaction.atomic
def adjust_points(
    *, actor: Actor, customer: Customer, points: int, reason: str, source: Source
) -> PointsTransaction:
    """Give so many points, or take them where `points` is below zero.

    They neither count for tiers nor take more than is there. The same source again changes
    nothing. Raises `Forbidden`, `ValidationFailed` at `points` or `reason`, `NotEnoughPoints`.
    """
    actor.require("loyalty.adjust")
    limit = adjust_limit(actor)
    whole_points(abs(points) if isinstance(points, int) else points)
    if not limit:
        raise Forbidden()
    if abs(points) > limit:
        raise ValidationFailed(
            fields={
                "points": [
                    ngettext(
                        "You may move up to %(limit)s point at once.",
                        "You may move up to %(limit)s points at once.",
                        limit,
                    )
                    % {"limit": format_number(limit)}
                ]
            }
        )
    reason = reason.strip()
    if not 3 <= len(reason) <= REASON_LENGTH:
        raise ValidationFailed(fields={"reason": [_("Say why, in 3 to 200 characters.")]})
    if points > 0:
        made = give_points(
            actor=actor,
            customer=customer,
            points=points,
            source=source,
            reason=reason,
            kind=Kind.ADJUST,
        )
    else:
        made = _take(actor, customer, -points, reason, source)
    audit.record(actor, "loyalty.adjust", customer, {"points": points, "reason": reason})
    return made


def _take(
    actor: Actor, customer: Customer, points: int, reason: str, source: Source
) -> PointsTransaction:
    now = clock.now()
    customer_id = enter(customer.pk, now, even_if_off=True).customer_id
    posted = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.ADJUST,
        source=source,
        points=-points,
        reason=reason,
    )
    made = posted.transaction
    if posted.is_repeat:
        if made.points != -points:
            raise IdempotencyMismatch()
        return made
    post(made, customer_id, {Account.AVAILABLE: -points, Account.CLAWED_BACK: points})
    take_from_lots(made, customer_id, points, now)
    note_next_expiry([customer_id])
    return made
