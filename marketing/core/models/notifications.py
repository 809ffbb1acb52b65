"""What a member of the staff should know of, shown in the page header and sent by e-mail."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from marketing.core.models.access import Staff
from marketing.core.tenancy import TenantModel


class StaffNotification(TenantModel):
    """One piece of news for one person; its words are made when it is read (`core/news.py`).

    `kind` and `key` together name the news, so that who tells it twice has told it once.
    `target_id` is what it is about, `facts` what its words need. `email_after` is when an e-mail
    is due; empty once it is sent, not wanted or given up.
    """

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    target_id = models.UUIDField(null=True)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)
    email_after = models.DateTimeField(null=True)
    email_attempts = models.PositiveSmallIntegerField(default=0)
    emailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "staff", "kind", "key"], name="staff_notification"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "staff", "id"], name="notification_by_staff"),
            models.Index(
                fields=["tenant", "staff"], name="notification_unread", condition=Q(read_at=None)
            ),
            models.Index(
                fields=["tenant", "target_id"],
                name="notification_open_target",
                condition=Q(read_at=None),
            ),
            models.Index(
                fields=["tenant", "email_after"],
                name="notification_mail_due",
                condition=Q(email_after__isnull=False),
            ),
        ]
