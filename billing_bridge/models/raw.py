"""What other modules wrote, as they sent it: the proof of what was said, and what a replay reads.

Both tables go by partition, six months after a row came.
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.core.tenancy import AppendModel, loose_key


class RawRow(AppendModel):
    """One write: the body exactly as it came, what became of it, and what it made.

    `natural_key` is what the sender calls the thing (of a bill, branch and invoice), `target` the
    part of the address that named something. `error` is `{code, message, fields}` of the last
    try, its sentences as `core.sentences` keeps them, `made` the ids of what was made. Nothing but
    state, error, made and the tries is ever changed, and the body only once: when a person in it
    is erased.
    """

    class State(models.TextChoices):
        ACCEPTED = "accepted", _("Waiting")
        APPLIED = "applied", _("Applied")
        FAILED = "failed", _("Failed")

    class Source(models.TextChoices):
        API = "api", _("API")
        COUNTER = "counter", _("Counter's page")

    plain_keys = {"api_key_id": "core.ApiKey", "user_id": "core.User", "branch_id": "core.Branch"}

    api_key_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    branch_id = models.UUIDField(null=True)
    source = models.CharField(
        max_length=10, choices=Source.choices, default=Source.API, db_default=Source.API
    )
    operation = models.CharField(max_length=40)
    target = models.CharField(max_length=100, blank=True)
    natural_key = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices)
    error = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    made = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    tries = models.PositiveSmallIntegerField(default=1)
    received_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-id"], name="raw_row_newest"),
            models.Index(
                fields=["tenant", "operation", "natural_key"],
                condition=Q(state="failed"),
                name="raw_row_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.natural_key}".strip()


class RawPerson(AppendModel):
    """Whom a raw row is about: how erasing finds what was said of her."""

    plain_keys = {"row_id": "billing_bridge.RawRow"}

    row_id = models.UUIDField()
    customer = loose_key("customers.Customer", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["customer"], name="raw_person_by_customer")]
