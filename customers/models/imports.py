"""Imports: the file in parts, what it says row by row until it is taken over, and its job."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.core.models import Staff
from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key


class ImportJob(TenantModel):
    """One file on its way into the customers; the row is the truth, workers come and go.

    `checked_line` and `imported_line` are the markers: the last line whose chunk is committed.
    `branch_ids` are the branches of who sent the file (None: every branch). `mapping` has a
    target of `imports.columns` for each column of the file, or "".
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Columns to be chosen")
        MAPPED = "mapped", _("Waiting to be checked")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        IMPORTING = "importing", _("Being imported")
        DONE = "done", _("Imported")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    started_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    branch_ids = ArrayField(models.UUIDField(), null=True)
    file_name = models.CharField(max_length=200)
    file_bytes = models.BigIntegerField()
    format = models.CharField(max_length=4)
    encoding = models.CharField(max_length=10, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    headers = ArrayField(models.TextField())
    samples = models.JSONField(default=list)
    mapping = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    total_rows = models.PositiveIntegerField(default=0)
    checked_rows = models.PositiveIntegerField(default=0)
    checked_line = models.PositiveIntegerField(default=0)
    imported_rows = models.PositiveIntegerField(default=0)
    imported_line = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    reasons = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    leased_until = models.DateTimeField(null=True)
    is_tidy = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-id"], name="import_job_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_running(self) -> bool:
        return self.state in {self.State.MAPPED, self.State.CHECKING, self.State.IMPORTING}

    @property
    def is_over(self) -> bool:
        return self.state in {self.State.DONE, self.State.CANCELLED, self.State.FAILED}


class ImportPart(LooseTenantModel):
    """A piece of an uploaded file: web and workers share a database, but no disk."""

    job = loose_key("customers.ImportJob", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job", "number"], name="import_part")
        ]


class ImportRow(LooseTenantModel):
    """What one line of the file says, normalised; NULL where it says nothing.

    `cells` keeps the line as it came, only where `problems` say something about it: why it is
    not accepted, or (of one that is) on which channel its yes is left aside. The id becomes the
    customer's when the line brings a new one.
    """

    class Outcome(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
        UNCHANGED = "unchanged", _("Unchanged")
        DUPLICATE = "duplicate", _("Repeats another line")
        INVALID = "invalid", _("Not accepted")

    job = loose_key("customers.ImportJob", db_index=False)
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    problems = ArrayField(models.CharField(max_length=100), default=list)
    cells = ArrayField(models.TextField(), null=True)
    customer_id = models.UUIDField(null=True)
    given_id = models.UUIDField(null=True)
    external_id = models.CharField(max_length=100, null=True)
    first_name = models.CharField(max_length=100, null=True)
    last_name = models.CharField(max_length=100, null=True)
    phone = models.CharField(max_length=20, null=True)
    email = models.CharField(max_length=254, null=True)
    whatsapp_id = models.CharField(max_length=140, null=True)
    birth_date = models.DateField(null=True)
    anniversary = models.DateField(null=True)
    gender = models.CharField(max_length=10, null=True)
    language = models.CharField(max_length=10, null=True)
    preferred_channel = models.CharField(max_length=20, null=True)
    home_branch_id = models.UUIDField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    tags = ArrayField(models.CharField(max_length=50), null=True)
    attributes = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    consents = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "job", "line"], name="import_row")]
        indexes = [
            models.Index(
                fields=["job", "customer_id"],
                condition=models.Q(customer_id__isnull=False),
                name="import_row_of_known",
            )
        ]


class ImportMapping(TenantModel):
    """What a file with these headers was last mapped to."""

    headers_hash = models.CharField(max_length=64)
    mapping = models.JSONField()
    options = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "headers_hash"], name="import_mapping")
        ]
