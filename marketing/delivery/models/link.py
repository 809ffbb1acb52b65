from django.db import models
from django.db.models.functions import MD5, Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core.tenancy import AppendModel, TenantModel, loose_key


class TrackedLink(models.Model):
    """A link of a template version, or the picture that shows its e-mail was opened.

    Global, because it is what names the tenant of a short link. `source` is the link as its
    author wrote it, merge fields included; empty for the picture. `content` is what web
    statistics call the version.
    """

    tenant_id = models.UUIDField()
    version_id = models.UUIDField()
    source = models.TextField(blank=True)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    content = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint("version_id", MD5("source"), name="tracked_link")]

    def __str__(self) -> str:
        return self.source or "…"


class Engagement(AppendModel):
    """Somebody, or a machine, followed a link of a message or loaded its picture.

    `machine` says why it does not count as the person's own doing, empty if it does. Neither
    the address of the visitor nor the whole name of the browser is kept.
    """

    class Kind(models.TextChoices):
        CLICK = "click", _("Clicked")
        OPEN = "open", _("Opened")

    plain_keys = {
        "message_id": "delivery.Message",
        "run_id": "delivery.SendRun",
        "link_id": "delivery.TrackedLink",
    }

    kind = models.CharField(max_length=10, choices=Kind.choices)
    message_id = models.UUIDField()
    customer = loose_key("customers.Customer", db_index=False)
    run_id = models.UUIDField()
    link_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())
    machine = models.CharField(max_length=20, blank=True)
    agent = models.CharField(max_length=30, blank=True)
    is_counted = models.BooleanField(db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "id"], name="engagement_by_customer"),
            models.Index(
                fields=["tenant", "id"],
                condition=models.Q(is_counted=False),
                name="engagement_uncounted",
            ),
        ]


class LinkCount(TenantModel):
    """How often a link was followed in a run, or its picture loaded.

    `times` by people, `people` how many different ones, `first_people` those of them who had
    followed no other link of the run before: their sum over a run's links is how many people
    clicked at all. `machine_times` stand apart.
    """

    run_id = models.UUIDField()
    link_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=Engagement.Kind.choices)
    times = models.PositiveIntegerField(db_default=0)
    people = models.PositiveIntegerField(db_default=0)
    first_people = models.PositiveIntegerField(db_default=0)
    machine_times = models.PositiveIntegerField(db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "link_id"], name="link_count")]
