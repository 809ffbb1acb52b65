from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.catalogue import Service
from customers.models.customer import Customer
from marketing.core.models import Branch, Staff
from marketing.core.tenancy import LooseTenantModel, loose_key


class CustomerFacts(LooseTenantModel):
    """One row a customer: the numbers segments and templates read, derived from source rows.

    `visit_interval_days` is the median of the days between her visits. After `due_on` she is
    overdue by it. Who never came has no scores. `engaged_90_days` is how many of the messages made
    in the last 90 days she read, `last_engaged_at` when she last read one of them.
    `discount_90_days` is what offers took off her bills, in calendar days. `points_…`,
    `offers_used` and `codes_held` (their batches) copy what upper apps keep of her, to count by;
    NULL is none.
    """

    class Stage(models.TextChoices):
        PROSPECT = "prospect", _("Never visited")
        NEW = "new", _("New")
        ACTIVE = "active", _("Active")
        ENGAGED = "engaged", _("Engaged")
        AT_RISK = "at_risk", _("At risk")
        CHURNED = "churned", _("Churned")
        REACTIVATED = "reactivated", _("Reactivated")

    class RfmGroup(models.TextChoices):
        CHAMPIONS = "champions", _("Champions")
        LOYAL = "loyal", _("Loyal customers")
        POTENTIAL_LOYALIST = "potential_loyalist", _("Potential loyalists")
        RECENT = "recent", _("Recent customers")
        PROMISING = "promising", _("Promising")
        NEEDS_ATTENTION = "needs_attention", _("Needs attention")
        ABOUT_TO_SLEEP = "about_to_sleep", _("About to sleep")
        AT_RISK = "at_risk", _("At risk")
        CANNOT_LOSE = "cannot_lose", _("Cannot lose them")
        HIBERNATING = "hibernating", _("Hibernating")
        LOST = "lost", _("Lost")

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="facts")
    visit_count = models.PositiveIntegerField(db_default=0)
    first_visit_at = models.DateTimeField(null=True)
    last_visit_at = models.DateTimeField(null=True)
    visits_365_days = models.PositiveIntegerField(db_default=0)
    visit_interval_days = models.FloatField(null=True)
    due_on = models.DateField(null=True)
    total_spend = models.DecimalField(max_digits=12, decimal_places=2, db_default=Decimal(0))
    spend_90_days = models.DecimalField(max_digits=12, decimal_places=2, db_default=Decimal(0))
    spend_365_days = models.DecimalField(max_digits=12, decimal_places=2, db_default=Decimal(0))
    average_ticket = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    favourite_service = models.ForeignKey(
        Service,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    favourite_branch = models.ForeignKey(
        Branch,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    favourite_staff = models.ForeignKey(
        Staff,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    membership_status = models.CharField(max_length=10, db_default="none")
    membership_expires_on = models.DateField(null=True)
    has_active_membership = models.BooleanField(db_default=False)
    has_active_package = models.BooleanField(db_default=False)
    package_sessions_left = models.PositiveIntegerField(db_default=0)
    package_expires_on = models.DateField(null=True)
    engaged_90_days = models.PositiveIntegerField(db_default=0)
    last_engaged_at = models.DateTimeField(null=True)
    last_offer_at = models.DateTimeField(null=True)
    discount_90_days = models.DecimalField(max_digits=12, decimal_places=2, db_default=Decimal(0))
    discount_365_days = models.DecimalField(max_digits=12, decimal_places=2, db_default=Decimal(0))
    stage = models.CharField(max_length=15, choices=Stage.choices, db_default=Stage.PROSPECT)
    rfm_recency = models.PositiveSmallIntegerField(null=True)
    rfm_frequency = models.PositiveSmallIntegerField(null=True)
    rfm_monetary = models.PositiveSmallIntegerField(null=True)
    rfm_group = models.CharField(max_length=20, choices=RfmGroup.choices, null=True)
    status = models.CharField(max_length=10, null=True)
    home_branch = models.ForeignKey(
        Branch,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    gender = models.CharField(max_length=10, null=True)
    language = models.CharField(max_length=10, null=True)
    preferred_channel = models.CharField(max_length=20, null=True)
    tags = ArrayField(models.CharField(max_length=50), null=True)
    birth_date = models.DateField(null=True)
    anniversary = models.DateField(null=True)
    entered_at = models.DateTimeField(null=True)
    whatsapp_promotional = models.BooleanField(null=True)
    whatsapp_service = models.BooleanField(null=True)
    sms_promotional = models.BooleanField(null=True)
    sms_service = models.BooleanField(null=True)
    email_promotional = models.BooleanField(null=True)
    email_service = models.BooleanField(null=True)
    is_dnd = models.BooleanField(null=True)
    marketing_opted_out = models.BooleanField(null=True)
    points_balance = models.BigIntegerField(null=True)
    points_tier_id = models.UUIDField(null=True)
    points_expire_on = models.DateField(null=True)
    offers_used = ArrayField(models.UUIDField(), null=True)
    codes_held = ArrayField(models.UUIDField(), null=True)
    scoring_version = models.PositiveIntegerField(db_default=0)
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "last_visit_at"], name="facts_last_visit"),
            models.Index(fields=["tenant", "total_spend"], name="facts_total_spend"),
        ]
        verbose_name_plural = "customer facts"


class CategoryRhythm(LooseTenantModel):
    """How often a customer has services of one category, kept with her facts.

    Bills of one day are one visit. `interval_days` is the median of the days between visits:
    a year abroad does not change it, as it would the mean. From three visits on there is a
    rhythm, and a row; after `due_on` she is overdue by it.
    """

    customer = loose_key("customers.Customer", db_index=False)
    category = loose_key("customers.ServiceCategory", db_index=False)
    visits = models.PositiveIntegerField()
    last_at = models.DateTimeField()
    interval_days = models.FloatField()
    due_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "category"], name="category_rhythm")
        ]


class StaleFacts(LooseTenantModel):
    """A mark that a customer's facts must be computed again.

    Append-only, without a unique key: marking never waits and no mark is ever lost.
    """

    customer_id = models.UUIDField()
    marked_at = models.DateTimeField(db_default=Now())
