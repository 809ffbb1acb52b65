"""Reminders as staff may see them: their own; who manages, those of their branches too."""

import uuid
from enum import StrEnum

from django.db.models import Count, DateField, DateTimeField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import Staff
from marketing.core.tenancy import current_tenant
from marketing.followups.models import FollowupReminder

Status = FollowupReminder.Status


class Due(StrEnum):
    """Where a reminder stands on its branch's calendar."""

    OVERDUE = "overdue"
    TODAY = "today"
    COMING = "coming"
    DONE = "done"


WHERE = {
    Due.OVERDUE: Q(status=Status.PENDING, reminder_date__lt=F("day_now")),
    Due.TODAY: Q(status=Status.PENDING, reminder_date=F("day_now")),
    Due.COMING: Q(status=Status.PENDING, reminder_date__gt=F("day_now")),
    Due.DONE: ~Q(status=Status.PENDING),
}


def _dated(reminders: QuerySet[FollowupReminder]) -> QuerySet[FollowupReminder]:
    """Each with `day_now`, which day it is in its branch."""
    zone = Coalesce(F("branch__time_zone"), Value(current_tenant().time_zone))
    local = Func(zone, Value(clock.now()), function="timezone", output_field=DateTimeField())
    return reminders.annotate(day_now=Cast(local, DateField()))


def followups_for_actor(actor: Actor) -> QuerySet[FollowupReminder]:
    """The actor's own reminders; for managers also those of their branches."""
    reminders = _dated(FollowupReminder.objects.all())
    mine = Q(staff=actor.staff) if actor.staff else Q(pk=None)
    if not actor.can("followup.manage"):
        return reminders.filter(mine)
    if actor.branch_ids is None:
        return reminders
    return reminders.filter(mine | Q(branch__in=actor.branch_ids))


def own_followups(actor: Actor) -> QuerySet[FollowupReminder]:
    """The actor's own reminders alone, whatever else is visible."""
    return followups_for_actor(actor).filter(staff=actor.staff)


def get_followup_for_actor(actor: Actor, pk: uuid.UUID) -> FollowupReminder:
    reminder = followups_for_actor(actor).select_related("customer", "branch", "staff")
    found = reminder.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def where_due(reminders: QuerySet[FollowupReminder], due: Due) -> QuerySet[FollowupReminder]:
    """Those of the group, in the order in which they are to be done or were done last."""
    found = reminders.filter(WHERE[due])
    if due == Due.DONE:
        return found.order_by("-completed_at", "-pk")
    return found.order_by("reminder_date", F("reminder_time").asc(nulls_last=True), "pk")


def counts_by_due(reminders: QuerySet[FollowupReminder]) -> dict[str, int]:
    """How many wait in each group that waits."""
    waiting = (Due.OVERDUE, Due.TODAY, Due.COMING)
    return reminders.filter(status=Status.PENDING).aggregate(
        **{due.value: Count("pk", filter=WHERE[due]) for due in waiting}
    )


def due_for_actor(actor: Actor, limit: int) -> list[FollowupReminder]:
    """The actor's own reminders that are due today or were before, the oldest first."""
    due = own_followups(actor).filter(WHERE[Due.OVERDUE] | WHERE[Due.TODAY])
    ordered = due.order_by("reminder_date", F("reminder_time").asc(nulls_last=True), "pk")
    return list(ordered.prefetch_related("customer")[:limit])


def followups_of(actor: Actor, customer: Customer) -> QuerySet[FollowupReminder]:
    """Those about the customer: open ones by day, then closed ones, the latest first."""
    reminders = followups_for_actor(actor).filter(customer=customer).select_related("staff")
    is_open = F("completed_at").desc(nulls_first=True)
    return reminders.order_by(is_open, "reminder_date", "pk")


def colleagues_for_actor(actor: Actor) -> QuerySet[Staff]:
    """Whose reminders and customers the actor may look after; oneself, for most."""
    everybody = Staff.objects.order_by("name", "pk")
    own = Q(pk=actor.staff.pk) if actor.staff else Q(pk=None)
    if not actor.can("followup.manage"):
        return everybody.filter(own)
    if actor.branch_ids is None:
        return everybody
    return everybody.filter(own | Q(branches__in=actor.branch_ids)).distinct()


def get_colleague_for_actor(actor: Actor, pk: uuid.UUID) -> Staff:
    """Raises `NotFound` for staff of other branches, and for everybody else's of one's own."""
    staff = colleagues_for_actor(actor).filter(pk=pk).first()
    if staff is None:
        raise NotFound()
    return staff


def zone_of_staff(staff: Staff) -> str:
    """The time zone of where somebody works; of the chain for who has no branch."""
    zone = staff.branches.order_by("name", "pk").values_list("time_zone", flat=True).first()
    return zone or current_tenant().time_zone
