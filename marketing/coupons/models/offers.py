"""Offers: the rule. What opens one is a code, what became of it a use."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.core.models import User
from marketing.core.tenancy import TenantModel


class OfferKind(models.TextChoices):
    """`pricing.terms.Kind` with words; the first three are Module 11's `discountType`."""

    PERCENTAGE = "percentage", _("Percentage")
    FLAT = "flat", _("Amount off")
    FREE_SERVICE = "free_service", _("Free service")
    FIXED_PRICE = "fixed_price", _("New price")
    BUY_X_GET_Y = "buy_x_get_y", _("Buy some, get some")
    BUNDLE = "bundle", _("Bundle")
    SPEND_TIERS = "spend_tiers", _("Spend tiers")


class UsePeriod(models.TextChoices):
    DAY = "day", _("Day")
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")
    YEAR = "year", _("Year")


class Offer(TenantModel):
    """An offer as lists show it; its terms are those of its latest `OfferRevision`.

    `code` is the one that everybody may type, if there is one; it stands in `CouponCode` too, as
    all codes do. Limits are copies of the terms', in the words of Module 11, so that counting
    can be done in SQL; `budget` is paise. `valid_until` is the last day on which it holds.
    `version` counts saves, for two who edit; `revision` the terms a bill was priced by.
    """

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    code = models.CharField(max_length=50, blank=True)
    kind = models.CharField(max_length=20, choices=OfferKind.choices)
    is_active = models.BooleanField(default=True)
    is_automatic = models.BooleanField(default=False)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    priority = models.IntegerField(default=0)
    max_total_uses = models.PositiveIntegerField(null=True)
    max_uses_per_customer = models.PositiveIntegerField(null=True)
    max_uses_per_branch = models.PositiveIntegerField(null=True)
    max_uses_per_period = models.PositiveIntegerField(null=True)
    use_period = models.CharField(max_length=5, choices=UsePeriod.choices, default=UsePeriod.MONTH)
    budget = models.BigIntegerField(null=True)
    reusable_after_cancel = models.BooleanField(default=True)
    campaign_id = models.UUIDField(null=True)
    revision = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "is_active", "-id"], name="offer_list"),
            models.Index(
                fields=["tenant", "campaign_id"],
                condition=models.Q(campaign_id__isnull=False),
                name="offer_by_campaign",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OfferRevision(TenantModel):
    """The terms of an offer from one change to the next. Never changed: past bills read it.

    `body` is what the editor sent, in the API's fields; `terms` the engine's own spelling with
    every default written out (`pricing.canonical`). `since` is the chain's `CatalogueMark.number`
    from which on it held.
    """

    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, related_name="revisions", db_index=False
    )
    revision = models.PositiveIntegerField()
    body = models.JSONField(encoder=DjangoJSONEncoder)
    terms = models.JSONField()
    since = models.PositiveBigIntegerField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "offer", "revision"], name="offer_revision")
        ]
        indexes = [models.Index(fields=["tenant", "since"], name="offer_revision_since")]


class CatalogueMark(TenantModel):
    """Which offers and code patterns a chain has now, in one small row.

    A trigger moves it in the transaction of every change of an offer or a batch, whoever makes
    it. `number` grows by each; `token` never comes twice, not even where a change is rolled back
    and the number used again: what a process keeps is kept by the token.
    """

    number = models.PositiveBigIntegerField()
    token = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="catalogue_mark")]
