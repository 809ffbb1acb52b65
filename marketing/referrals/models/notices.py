"""What both are told of a referral: by which messages, and who was told."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.content.models import MessageTemplate
from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key
from marketing.referrals import rules


class NoticeKind(models.TextChoices):
    """Who is told, and of what."""

    JOINED = rules.TOLD_JOINED, _("Who brought a friend: when the friend signed up")
    CAME = rules.TOLD_CAME, _("Who brought a friend: when the friend came")
    REWARDED = rules.TOLD_REWARDED, _("Who brought a friend: when the reward is there")
    FRIEND_JOINED = rules.TOLD_FRIEND_JOINED, _("The friend: when she signed up")
    FRIEND_CAME = rules.TOLD_FRIEND_CAME, _("The friend: when she came")
    FRIEND = rules.TOLD_FRIEND, _("The friend: when her reward is there")


class NoticeTemplate(TenantModel):
    """The message that tells a notice on a channel; a kind without one is not told.

    Nothing that happened before `since` is told.
    """

    kind = models.CharField(max_length=15, choices=NoticeKind.choices)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    template = models.ForeignKey(
        MessageTemplate, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "channel"], name="referral_notice_by")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class ReferralNotice(LooseTenantModel):
    """A referral's notice was handed to delivery: never a second time.

    `lot` is the key by which its run's messages find what they say of it, `said` their merge
    values; empty once either of the two was erased.
    """

    referral = loose_key("referrals.Referral", db_index=False)
    kind = models.CharField(max_length=15, choices=NoticeKind.choices)
    customer = loose_key("customers.Customer", db_index=False)
    lot = models.UUIDField()
    run = loose_key("delivery.SendRun", null=True, db_index=False)
    said = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "referral", "kind"], name="referral_notice")
        ]
        indexes = [
            models.Index(fields=["customer", "lot"], name="referral_notice_of"),
            models.Index(fields=["run"], name="referral_notice_run"),
        ]
