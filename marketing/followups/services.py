"""Reminders are made, put off, closed and opened again here, and nowhere else."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services.standing import standing_ids
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, NotFound, ValidationFailed
from marketing.core.models import Branch, Staff
from marketing.core.tenancy import current_tenant
from marketing.followups import rules, selectors
from marketing.followups.models import FollowupReminder

Status, Outcome = FollowupReminder.Status, FollowupReminder.Outcome

CHANGEABLE = frozenset({"reminder_date", "reminder_time", "note", "staff", "status", "outcome"})


@transaction.atomic
def create_followup(
    *,
    actor: Actor,
    customer: Customer,
    reminder_date: dt.date,
    reminder_time: dt.time | None = None,
    note: str = "",
    staff: Staff | None = None,
) -> FollowupReminder:
    """Remind `staff` (default: the actor) of the customer.

    Raises `ValidationFailed` naming `staff`, or `reminder_date` when it is past, more than two
    years away or taken by such a reminder already; `NotFound` for somebody erased.
    """
    actor.require("followup.use")
    who = _assignee(actor, staff or actor.staff)
    held = _hold(customer.pk)
    branch = _branch_of(who, held)
    _require_day(reminder_date, branch)
    if _is_taken(who, held, reminder_date):
        raise ValidationFailed(
            fields={"reminder_date": [_("There is a reminder for that day already.")]}
        )
    reminder = FollowupReminder.objects.create(
        staff=who,
        customer=held,
        branch=branch,
        reminder_date=reminder_date,
        reminder_time=reminder_time,
        note=note.strip(),
        created_by=actor.staff,
    )
    audit.record(actor, "followup.create", reminder, {"reminder_date": reminder_date})
    return reminder


@transaction.atomic
def update_followup(
    *, actor: Actor, followup: FollowupReminder, values: Mapping[str, Any]
) -> FollowupReminder:
    """Change its day, time, note or staff member; `status` and `outcome` close or open it.

    Raises `Conflict` for what is closed already, and `ValidationFailed` as `create_followup`.
    """
    unknown = set(values) - CHANGEABLE
    if unknown:
        raise KeyError(unknown)
    changes = dict(values)
    status = changes.pop("status", None)
    outcome = changes.pop("outcome", None)
    if outcome and status is None:
        status = Status.COMPLETED
    if outcome and status != Status.COMPLETED:
        raise ValidationFailed(fields={"outcome": [_("Only what is done has an outcome.")]})
    if status == Status.PENDING:
        followup = reopen_followup(actor=actor, followup=followup)
    if changes:
        followup = _change(actor, followup, changes)
    if status == Status.COMPLETED:
        followup = complete_followup(actor=actor, followup=followup, outcome=outcome or "")
    elif status == Status.DISMISSED:
        followup = dismiss_followup(actor=actor, followup=followup)
    return followup


@transaction.atomic
def complete_followup(
    *,
    actor: Actor,
    followup: FollowupReminder,
    outcome: str = "",
    again_in_days: int | None = None,
) -> FollowupReminder:
    """Note that the customer was called, and what came of it.

    `again_in_days` makes a new reminder so many days from today, unless that day has one. Saying
    the same twice changes nothing. Raises `Conflict` when it was closed otherwise.
    """
    if outcome and outcome not in Outcome.values:
        raise ValidationFailed(fields={"outcome": [_("There is no such outcome.")]})
    locked = _locked(actor, followup)
    if locked.status == Status.COMPLETED and locked.outcome == outcome:
        return locked
    _move(actor, locked, Status.COMPLETED, outcome)
    if again_in_days is not None:
        day = _today(locked.branch) + dt.timedelta(days=again_in_days)
        if not _is_taken(locked.staff, locked.customer, day):
            create_followup(
                actor=actor,
                customer=locked.customer,
                reminder_date=day,
                reminder_time=locked.reminder_time,
                note=locked.note,
                staff=locked.staff,
            )
    return locked


@transaction.atomic
def dismiss_followup(*, actor: Actor, followup: FollowupReminder) -> FollowupReminder:
    """Put it aside without having called. Raises `Conflict` when it is done."""
    locked = _locked(actor, followup)
    if locked.status != Status.DISMISSED:
        _move(actor, locked, Status.DISMISSED)
    return locked


@transaction.atomic
def reopen_followup(*, actor: Actor, followup: FollowupReminder) -> FollowupReminder:
    """Take back that it was closed. Raises `NotFound` when the customer was erased since."""
    _hold(followup.customer_id)
    locked = _locked(actor, followup)
    if locked.status != Status.PENDING:
        _move(actor, locked, Status.PENDING)
    return locked


@transaction.atomic
def snooze_followup(*, actor: Actor, followup: FollowupReminder, until: str) -> FollowupReminder:
    """Put it off to "tomorrow" or "next_week", counted from today in its branch."""
    if until not in rules.SNOOZES:
        raise ValidationFailed(fields={"until": [_("Tomorrow or next week.")]})
    day = _today(followup.branch) + dt.timedelta(days=rules.SNOOZES[until])
    return _change(actor, followup, {"reminder_date": day})


@transaction.atomic
def delete_followup(*, actor: Actor, followup: FollowupReminder) -> None:
    """Take it away for good, as if it had never been."""
    locked = _locked(actor, followup)
    audit.record(actor, "followup.delete", locked, {"status": locked.status})
    locked.delete()


def _change(actor: Actor, followup: FollowupReminder, values: dict[str, Any]) -> FollowupReminder:
    locked = _locked(actor, followup)
    if locked.status != Status.PENDING:
        raise Conflict(_("This follow-up is closed already. Open it again to change it."))
    if "note" in values:
        values["note"] = values["note"].strip()
    if "staff" in values:
        values["staff"] = _assignee(actor, values["staff"])
        values["branch"] = _branch_of(values["staff"], locked.customer)
    changed = audit.difference(locked, values)
    if not changed:
        return locked
    if "reminder_date" in changed:
        _require_day(values["reminder_date"], values.get("branch", locked.branch))
    for name in changed:
        setattr(locked, name, values[name])
    locked.save(update_fields=list(changed))
    # What a note says of a customer goes when she is erased: the trail knows only that it changed.
    told = {name: pair if name != "note" else True for name, pair in changed.items()}
    for name in {"staff", "branch"} & set(told):
        told[name] = [each and each.name for each in changed[name]]
    audit.record(actor, "followup.update", locked, told)
    return locked


def _move(actor: Actor, locked: FollowupReminder, status: str, outcome: str = "") -> None:
    """From one state to another, as `rules.TRANSITIONS` has it."""
    if status not in rules.TRANSITIONS[locked.status]:
        raise Conflict(_("This follow-up is closed already. Open it again to change it."))
    before = locked.status
    locked.status, locked.outcome = status, outcome
    locked.completed_at = None if status == Status.PENDING else clock.now()
    locked.save(update_fields=["status", "outcome", "completed_at"])
    act = {Status.COMPLETED: "complete", Status.DISMISSED: "dismiss", Status.PENDING: "reopen"}
    changes: dict[str, Any] = {"status": [before, status]}
    if outcome:
        changes["outcome"] = outcome
    audit.record(actor, f"followup.{act[Status(status)]}", locked, changes)


def _locked(actor: Actor, followup: FollowupReminder) -> FollowupReminder:
    """The row as it is now; `NotFound` when it is gone, or no longer the actor's to see."""
    actor.require("followup.use")
    visible = selectors.followups_for_actor(actor).select_related("branch", "customer", "staff")
    row = visible.select_for_update(of=("self",)).filter(pk=followup.pk).first()
    if row is None:
        raise NotFound()
    return row


def _hold(customer_id: uuid.UUID) -> Customer:
    """Who stands for the customer now, held against merging and erasing."""
    pk = standing_ids([customer_id])[customer_id]
    customer = Customer.objects.select_for_update(no_key=True).get(pk=pk)
    if customer.status != Customer.Status.ACTIVE:
        raise NotFound()
    return customer


def _assignee(actor: Actor, staff: Staff | None) -> Staff:
    """Raises `ValidationFailed` where the actor may not remind this person."""
    known = staff and selectors.colleagues_for_actor(actor).filter(pk=staff.pk).first()
    if not known or not known.is_active:
        raise ValidationFailed(
            fields={"staff": [_("Choose yourself, or as a manager somebody of your branches.")]}
        )
    return known


def _branch_of(staff: Staff, customer: Customer) -> Branch | None:
    """The customer's branch if the staff member works there, else where she works."""
    own = list(staff.branches.order_by("name", "pk"))
    home = customer.home_branch
    if home and (not own or home in own):
        return home
    return own[0] if own else None


def _today(branch: Branch | None) -> dt.date:
    zone = branch.time_zone if branch else current_tenant().time_zone
    return rules.local_day(clock.now(), zone)


def _require_day(day: dt.date, branch: Branch | None) -> None:
    today = _today(branch)
    if day < today:
        raise ValidationFailed(fields={"reminder_date": [_("This day is over. Choose another.")]})
    if day > today + rules.FURTHEST:
        raise ValidationFailed(
            fields={"reminder_date": [_("Choose a day within the next two years.")]}
        )


def _is_taken(staff: Staff, customer: Customer, day: dt.date) -> bool:
    return FollowupReminder.objects.filter(
        staff=staff, customer=customer, reminder_date=day, status=Status.PENDING
    ).exists()
