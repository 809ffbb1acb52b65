"""Handing one's approvals to somebody else while one is away."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import DELEGABLE, MANAGERS, PERMISSIONS, Actor
from marketing.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from marketing.core.models import Delegation, Role, Staff
from marketing.core.services.notifications import notify
from marketing.core.tenancy import current_tenant

LONGEST = dt.timedelta(days=90)
NAMED = "delegation.named"


def possible_delegates(actor: Actor) -> QuerySet[Staff]:
    """Whom the actor may name: active managers of the chain, but not themselves."""
    people = Staff.objects.filter(is_active=True, role__in=MANAGERS)
    return people.exclude(pk=actor.staff.pk) if actor.staff else people.none()


def delegations_for_actor(actor: Actor) -> QuerySet[Delegation]:
    """What holds or will hold: the actor's own, or for a super owner everybody's."""
    if actor.staff is None or not actor.approves_itself:
        return Delegation.objects.none()
    to_come = Delegation.objects.filter(revoked_at=None, ends_at__gt=clock.now())
    if actor.staff.role != Role.SUPER_OWNER:
        to_come = to_come.filter(delegator=actor.staff)
    return to_come.select_related("delegator", "delegate").order_by("begins_at", "pk")


@transaction.atomic
def delegate_approvals(
    *, actor: Actor, delegate_id: uuid.UUID, begins_on: dt.date, ends_on: dt.date
) -> Delegation:
    """Let `delegate_id` approve what the actor may, from the first to the last day, inclusive.

    Days are those of the chain's zone. Only one's own right can be handed on, and only to a
    manager of the chain. Raises `Forbidden`, or `ValidationFailed` naming `delegate`,
    `begins_on` or `ends_on`; of two at once for overlapping days, one is refused.
    """
    actor.require(DELEGABLE)
    if actor.staff is None or not actor.approves_itself:
        raise Forbidden(_("You approve in somebody's place; that cannot be handed on."))
    # Who delegates waits here for her other press, so that two cannot overlap.
    delegator = Staff.objects.select_for_update().get(pk=actor.staff.pk)
    if not delegator.is_active or delegator.role not in PERMISSIONS[DELEGABLE]:
        raise Forbidden()
    delegate = _delegate(actor, delegate_id)
    zone = ZoneInfo(current_tenant().time_zone)
    _require_days(begins_on, ends_on, clock.now().astimezone(zone).date())
    begins_at = dt.datetime.combine(begins_on, dt.time(), zone)
    ends_at = dt.datetime.combine(ends_on + dt.timedelta(days=1), dt.time(), zone)
    others = Delegation.objects.filter(
        delegator=delegator, revoked_at=None, begins_at__lt=ends_at, ends_at__gt=begins_at
    )
    if other := others.select_related("delegate").first():
        text = _("%(name)s already stands in for you on some of these days.")
        raise ValidationFailed(fields={"begins_on": [text % {"name": other.delegate.name}]})
    made = Delegation.objects.create(
        delegator=delegator, delegate=delegate, begins_at=begins_at, ends_at=ends_at
    )
    days = {"from": begins_on.isoformat(), "to": ends_on.isoformat()}
    audit.record(actor, "delegation.create", made, {"delegate": delegate.name, **days})
    notify(NAMED, staff_ids=[delegate.pk], key=str(made.pk), facts={"by": delegator.name, **days})
    return made


def _delegate(actor: Actor, delegate_id: uuid.UUID) -> Staff:
    if actor.staff is not None and delegate_id == actor.staff.pk:
        raise ValidationFailed(fields={"delegate": [_("Name somebody else than yourself.")]})
    person = Staff.objects.filter(pk=delegate_id, is_active=True).first()
    if person is None:
        raise ValidationFailed(fields={"delegate": [_("There is no such person.")]})
    if person.role not in MANAGERS:
        text = _("Only a manager can approve in your place.")
        raise ValidationFailed(fields={"delegate": [text]})
    return person


def _require_days(begins_on: dt.date, ends_on: dt.date, today: dt.date) -> None:
    if begins_on < today:
        raise ValidationFailed(fields={"begins_on": [_("This day is over.")]})
    if ends_on < begins_on:
        raise ValidationFailed(fields={"ends_on": [_("The last day comes before the first.")]})
    if ends_on - begins_on > LONGEST:
        raise ValidationFailed(fields={"ends_on": [_("At most 90 days at once.")]})


@transaction.atomic
def revoke_delegation(*, actor: Actor, delegation_id: uuid.UUID) -> Delegation:
    """End it at once; the delegator herself, or a super owner.

    Raises `NotFound` for anybody else's and `Conflict` when it is over already.
    """
    actor.require(DELEGABLE)
    found = Delegation.objects.select_for_update().filter(pk=delegation_id).first()
    is_owner = actor.staff is not None and actor.staff.role == Role.SUPER_OWNER
    if found is None or actor.staff is None or not (is_owner or found.delegator == actor.staff):
        raise NotFound()
    if found.revoked_at is not None or found.ends_at <= clock.now():
        raise Conflict(_("It is over already."))
    found.revoked_at = clock.now()
    found.save(update_fields=["revoked_at"])
    audit.record(actor, "delegation.revoke", found)
    return found
