from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from marketing.core.models import Branch, Staff
from marketing.core.tenancy import TenantModel
from marketing.followups import rules


class FollowupReminder(TenantModel):
    """A staff member means to get in touch with a customer on a day.

    The day and the time are those of `branch` (None: of the chain), which also decides which
    managers see it. `completed_at` is when it was completed or dismissed.
    """

    class Status(models.TextChoices):
        PENDING = rules.PENDING, _("To do")
        COMPLETED = rules.COMPLETED, _("Done")
        DISMISSED = rules.DISMISSED, _("Dismissed")

    class Outcome(models.TextChoices):
        REACHED = "reached", _("Got through")
        BOOKED = "booked", _("Booked")
        NO_ANSWER = "no_answer", _("No answer")
        NOT_INTERESTED = "not_interested", _("Not interested")
        WRONG_NUMBER = "wrong_number", _("Wrong number")

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="followups", db_index=False
    )
    branch = models.ForeignKey(
        Branch, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    reminder_date = models.DateField()
    reminder_time = models.TimeField(null=True)
    note = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    completed_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status=rules.PENDING, completed_at=None)
                | Q(~Q(status=rules.PENDING), completed_at__isnull=False),
                name="followup_open_or_closed",
            ),
            models.CheckConstraint(
                condition=Q(outcome="") | Q(status=rules.COMPLETED),
                name="followup_outcome_of_completed",
            ),
        ]
        indexes = [
            models.Index(fields=["staff", "status", "reminder_date"], name="followup_by_staff"),
            models.Index(fields=["branch", "status", "reminder_date"], name="followup_by_branch"),
            models.Index(fields=["customer", "-id"], name="followup_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.reminder_date:%Y-%m-%d}"
