from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, MessageTopic
from marketing.core.models import User
from marketing.core.tenancy import TenantModel


class TemplateType(models.TextChoices):
    PROMOTIONAL = "promotional", _("Promotional")
    TRANSACTIONAL = "transactional", _("Transactional")
    TRIGGER = "trigger", _("Trigger")


class TriggerType(models.TextChoices):
    """Module 11's eleven occasions, and news of a referral; a template for one is of type
    `trigger`."""

    POST_VISIT_THANK_YOU = "post_visit_thank_you", _("Thank-you after a visit")
    REBOOKING_REMINDER = "rebooking_reminder", _("Reminder to book again")
    PACKAGE_EXPIRY = "package_expiry", _("Package about to expire")
    MEMBERSHIP_EXPIRY = "membership_expiry", _("Membership about to expire")
    MISS_YOU = "miss_you", _("We miss you")
    FIRST_VISIT_FOLLOWUP = "first_visit_followup", _("After the first visit")
    BIRTHDAY_WISH = "birthday_wish", _("Birthday")
    ANNIVERSARY_WISH = "anniversary_wish", _("Anniversary")
    FEEDBACK_REQUEST = "feedback_request", _("Asking for feedback")
    LOYALTY_POINTS_EARNED = "loyalty_points_earned", _("Points earned")
    LOYALTY_POINTS_EXPIRING = "loyalty_points_expiring", _("Points about to expire")
    REFERRAL_NEWS = "referral_news", _("News of a referral")


class WhatsAppStatus(models.TextChoices):
    """Module 11's three, and the states in which Meta takes an approved template back."""

    PENDING = "pending", _("Waiting for WhatsApp")
    APPROVED = "approved", _("Approved by WhatsApp")
    REJECTED = "rejected", _("Rejected by WhatsApp")
    PAUSED = "paused", _("Paused by WhatsApp")
    DISABLED = "disabled", _("Disabled by WhatsApp")


# What WhatsApp has stopped: nothing goes by it until it is approved again.
STOPPED = (WhatsAppStatus.PAUSED, WhatsAppStatus.DISABLED, WhatsAppStatus.REJECTED)


class MessageTemplate(TenantModel):
    """A message the chain may send. Its words stand in its versions; `version` is the newest.

    Who does not want to hear of its `topic` does not get it. The words of one that `is_locked` are
    head office's alone; branches send them and fill in their slots.
    """

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    template_type = models.CharField(max_length=30, choices=TemplateType.choices)
    category = models.CharField(max_length=50, blank=True)
    trigger_type = models.CharField(max_length=50, blank=True)
    topic = models.ForeignKey(
        MessageTopic, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    is_system = models.BooleanField(default=False)
    is_locked = models.BooleanField(db_default=False, default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "channel", "is_active"], name="template_by_channel")
        ]

    def __str__(self) -> str:
        return self.name


# Who knew every template before it was noted with each.
FIRST_PROVIDER = "meta"


class TemplateVersion(TenantModel):
    """What a template said at one time; runs keep the version they were frozen with.

    `contents` maps a language to its parts: `{"en": {"body": …, "subject": …, "html": …,
    "header": …, "footer": …, "buttons": [{"type": "url|quick_reply|phone", "text": …,
    "value": …}]}}`; parts are Liquid. `placeholders` are the merge fields in order of first
    appearance. A WhatsApp version keeps per language what the vendor knows it by:
    `whatsapp` = `{"en": {"name": …, "id": …, "status": …, "reason": …, "provider": …,
    "vendorTemplateId": …, "category": …, "history": [{"at", "what", "from", "to", "reason"}]}}`,
    `vendorTemplateId` where the vendor sends by an id of its own, `category` by which it charges;
    `services/whatsapp_news.py` writes what it says later.
    `slots` are what campaigns fill in: `[{"name", "label", "kind", "max_length", "example"}]`.
    `tracks_links`: the form handed in to the vendor has our short links in place of the
    author's.
    """

    template = models.ForeignKey(MessageTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    contents = models.JSONField()
    placeholders = ArrayField(models.CharField(max_length=100), default=list)
    whatsapp_template_name = models.CharField(max_length=512, blank=True)
    whatsapp_status = models.CharField(max_length=20, choices=WhatsAppStatus.choices, blank=True)
    whatsapp = models.JSONField(default=dict)
    sms_ids = models.JSONField(default=dict, blank=True)
    slots = models.JSONField(default=list, db_default=[], blank=True)
    tracks_links = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "template", "number"], name="template_version"
            )
        ]

    @property
    def is_handed_in(self) -> bool:
        """Whether WhatsApp was asked about any language."""
        return any("status" in entry for entry in self.whatsapp.values())

    def vendor_template(self, language: str) -> str:
        """What the vendor knows this language's text by, "" when it does not."""
        entry: dict[str, str] = self.whatsapp.get(language) or self.sms_ids.get(language, {})
        return entry.get("vendorTemplateId") or entry.get("name", "")

    @property
    def price_category(self) -> str:
        """What WhatsApp charges the version as, the dearest of its languages; "" while unknown."""
        found = {str(entry.get("category", "")) for entry in self.whatsapp.values()}
        return "marketing" if "marketing" in found else "utility" if found == {"utility"} else ""

    def whatsapp_provider(self, language: str) -> str:
        """The provider that knows this language's text; "" when none does."""
        entry: dict[str, str] = self.whatsapp.get(language, {})
        return entry.get("provider", FIRST_PROVIDER) if entry.get("id") else ""
