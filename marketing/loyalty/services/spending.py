"""Points go out in two steps: held while she pays, then used, given back, or run out."""

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, IdempotencyMismatch, ValidationFailed
from marketing.core.prepared import kept_cursor
from marketing.core.sentences import gettext as _
from marketing.core.whole import whole
from marketing.loyalty import rules, selectors
from marketing.loyalty.errors import (
    PointsHoldOver,
    ProgrammeOff,
    RedemptionLimit,
)
from marketing.loyalty.models import (
    Account,
    HoldState,
    Kind,
    LoyaltyProgramme,
    PointsHold,
    PointsTransaction,
)
from marketing.loyalty.services.entering import Entered, enter
from marketing.loyalty.services.giving_back import give_back
from marketing.loyalty.services.posting import (
    NOTE_EXPIRY,
    Source,
    begin,
    find,
    take_from_lots,
    whole_points,
)

END = """
UPDATE loyalty_pointshold SET state = %(state)s::text, posted = %(posted)s
WHERE id = %(hold)s AND state = 'held' AND (expires_at > %(now)s OR %(state)s::text <> 'posted')
  AND points >= %(posted)s
"""
KEEP = f"""
WITH {NOTE_EXPIRY}
INSERT INTO loyalty_pointshold (
    tenant_id, customer_id, transaction_id, points, expires_at, created_at)
VALUES (%(tenant)s, %(customer)s, %(transaction)s, %(points)s, %(expires_at)s, %(created_at)s)
RETURNING id
"""  # noqa: S608  constants


@whole()
def hold_points(
    *,
    actor: Actor,
    customer: Customer,
    points: int,
    source: Source,
    payable_paise: int | None = None,
    minutes: int = rules.HOLD_MINUTES,
    branch_id: uuid.UUID | None = None,
    her: Entered | None = None,
) -> PointsHold:
    """Set points aside for a bill: nobody else can use them, and they no longer expire.

    The same source again gives the hold that it made. `her`: the customer, entered in this
    transaction. `payable_paise` is what is left to pay of
    the bill, of which the programme lets points pay a share. Raises `ProgrammeOff`,
    `ValidationFailed`, `RedemptionLimit`, `NotEnoughPoints`, and `IdempotencyMismatch` when the
    source held something else.
    """
    whole_points(points)
    _check_minutes(minutes)
    now = clock.now()
    her = her or enter(customer.pk, now)
    refusal = _refusal(her.programme, payable_paise, points)
    if refusal and not find(source, Kind.HOLD):
        raise refusal
    posted = begin(
        actor=actor,
        customer_id=her.customer_id,
        kind=Kind.HOLD,
        source=source,
        branch_id=branch_id,
        amounts={Account.AVAILABLE: -points, Account.HELD: points},
    )
    made = posted.transaction
    if posted.is_repeat:
        hold = PointsHold.objects.get(transaction=made)
        if hold.points != points:
            raise IdempotencyMismatch()
        return hold
    take_from_lots(made, her.customer_id, points, now)
    hold = PointsHold(
        customer_id=her.customer_id,
        transaction=made,
        points=points,
        posted=0,
        state=HoldState.HELD,
        expires_at=now + dt.timedelta(minutes=minutes),
        created_at=now,
    )
    _keep(hold)
    return hold


@transaction.atomic
def renew_hold(*, actor: Actor, hold: PointsHold, minutes: int = rules.HOLD_MINUTES) -> PointsHold:
    """Hold on for so many minutes from now, half an hour from the beginning at most."""
    _check_minutes(minutes)
    now = clock.now()
    last = F("created_at") + dt.timedelta(minutes=rules.LONGEST_HOLD_MINUTES)
    until = now + dt.timedelta(minutes=minutes)
    alive = PointsHold.objects.filter(pk=hold.pk, state=HoldState.HELD, expires_at__gt=now)
    if not alive.update(expires_at=Least(last, until)):
        raise _over(hold)
    hold.refresh_from_db()
    return hold


@whole()
def post_hold(
    *,
    actor: Actor,
    hold: PointsHold,
    source: Source,
    points: int | None = None,
    her: Entered | None = None,
) -> PointsTransaction:
    """Use the held points, or `points` of them: the others are given back.

    The same source again gives what was posted. Raises `PointsHoldOver` when they are no longer
    held, `ValidationFailed` for more than is held.
    """
    held = hold.transaction
    used = hold.points if points is None else whole_points(points)
    if used > hold.points:
        raise ValidationFailed(fields={"points": [_("More than is held.")]})
    now = clock.now()
    her = her or enter(hold.customer_id, now)
    customer_id = her.customer_id
    if not _ends(hold, HoldState.POSTED, used, now) and not find(source, Kind.POST):
        raise _over(hold)
    posted = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.POST,
        source=source,
        origin=held,
        points=-used,
        branch_id=held.branch_id,
        amounts={Account.HELD: -used, Account.REDEEMED: used},
    )
    made = posted.transaction
    if posted.is_repeat:
        if made.points != -used:
            raise IdempotencyMismatch()
        return made
    if used < hold.points:
        give_back(made, held.pk, hold.points - used, Account.HELD, her, now)
    events.record(
        "loyalty.points_redeemed",
        {
            "customerId": str(customer_id),
            "points": used,
            "source": {"type": source.type, "id": source.id},
        },
        actor_id=actor.user_id,
    )
    return made


@transaction.atomic
def void_hold(*, actor: Actor, hold: PointsHold) -> PointsHold:
    """Give the held points back; doing so twice changes nothing.

    Raises `PointsHoldOver` when they were used.
    """
    try:
        end_hold(actor=actor, hold=hold, state=HoldState.VOIDED)
    except PointsHoldOver:
        if _state(hold) == HoldState.POSTED:
            raise
    hold.refresh_from_db()
    return hold


@transaction.atomic
def end_hold(*, actor: Actor, hold: PointsHold, state: str) -> None:
    """Give the held points back as `state` says. Raises `PointsHoldOver` if it is over."""
    held = hold.transaction
    now = clock.now()
    her = enter(hold.customer_id, now)
    if not _ends(hold, state, 0, now):
        raise _over(hold)
    made = begin(
        actor=actor,
        customer_id=her.customer_id,
        kind=Kind.VOID,
        source=Source("hold", str(hold.pk)),
        origin=held,
    ).transaction
    give_back(made, held.pk, hold.points, Account.HELD, her, now)


def _check_minutes(minutes: int) -> None:
    if not 1 <= minutes <= rules.LONGEST_HOLD_MINUTES:
        raise ValidationFailed(fields={"minutes": [_("From 1 to 30 minutes.")]})


def _refusal(
    programme: LoyaltyProgramme, payable_paise: int | None, points: int
) -> DomainError | None:
    if not programme.is_enabled:
        return ProgrammeOff()
    least = programme.min_redeem_points
    most = selectors.most_for_bill(programme, payable_paise)
    if points < least or (most is not None and points > most):
        return RedemptionLimit(details={"least": least, "most": most})
    return None


def _keep(hold: PointsHold) -> None:
    """Write the hold, and which day her points go next, whose lots were drawn on."""
    with kept_cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": hold.tenant_id,
                "customer": hold.customer_id,
                "transaction": hold.transaction_id,
                "points": str(hold.points),
                "expires_at": hold.expires_at,
                "created_at": hold.created_at,
                "customers": [hold.customer_id],
            },
        )
        (hold.pk,) = cursor.fetchone()
    hold._state.adding = False


def _ends(hold: PointsHold, state: str, posted: int, now: dt.datetime) -> bool:
    """The one statement that ends a hold; who comes second finds it over: False."""
    with kept_cursor() as cursor:
        cursor.execute(END, {"hold": hold.pk, "state": state, "posted": str(posted), "now": now})
        return bool(cursor.rowcount)


def _over(hold: PointsHold) -> PointsHoldOver:
    return PointsHoldOver(details={"state": _state(hold)})


def _state(hold: PointsHold) -> str:
    """As the row says by now; one that ran out unnoticed is over too."""
    state: str = PointsHold.objects.values_list("state", flat=True).get(pk=hold.pk)
    return HoldState.EXPIRED if state == HoldState.HELD else state
