"""Who brought whom, by which code, and how far it has come."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from marketing.core.models import Branch
from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key
from marketing.referrals import rules
from marketing.referrals.models.programme import RewardType


class ReferralCode(TenantModel):
    """A customer's own code, for life: seven of 31 symbols and a check symbol.

    `taken` counts the friends of `month` (its first day), those on reserved bills too.
    """

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    code = models.CharField(max_length=20)
    month = models.DateField(null=True)
    taken = models.PositiveIntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="referral_code"),
            models.UniqueConstraint(fields=["tenant", "customer"], name="referral_code_of_one"),
        ]

    def __str__(self) -> str:
        return self.code


class Referral(TenantModel):
    """A friend brought by `referrer`: Module 11's `Referral`.

    The friend is known by her phone (E.164) before she is a customer. Nobody else can have her
    while this is in none of `rules.FREE`. `is_flagged` waits for a manager: then the sweep leaves
    it. `bill_*` is the bill that qualified it, amounts in paise: `bill_units` what each unit of
    each line cost, `bill_refunded` what came back. Rewards are as promised when it was attributed.
    """

    class State(models.TextChoices):
        INVITED = rules.INVITED, _("Invited")
        ATTRIBUTED = rules.ATTRIBUTED, _("Signed up")
        QUALIFIED = rules.QUALIFIED, _("Came")
        HELD = rules.HELD, _("Waiting")
        APPROVED = rules.APPROVED, _("Approved")
        REWARDED = rules.REWARDED, _("Rewarded")
        REJECTED = rules.REJECTED, _("Rejected")
        VOIDED = rules.VOIDED, _("Refunded")
        CLAWED_BACK = rules.CLAWED_BACK, _("Taken back")
        EXPIRED = rules.EXPIRED, _("Not used")

    class Source(models.TextChoices):
        CODE = "code", _("Code at the counter")
        API = "api", _("Code at sign-up")
        LINK = "link", _("Link")

    referrer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    code = models.ForeignKey(
        ReferralCode, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    friend = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    friend_phone = models.CharField(max_length=20, blank=True)
    branch = models.ForeignKey(
        Branch, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    state = models.CharField(max_length=12, choices=State.choices)
    reason = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=4, choices=Source.choices)
    is_flagged = models.BooleanField(db_default=False)
    signals = models.JSONField(default=list)
    reviewed_at = models.DateTimeField(null=True)
    attributed_at = models.DateTimeField(null=True)
    first_invoice = models.CharField(max_length=100, blank=True)
    bill_invoice = models.CharField(max_length=100, blank=True)
    bill_total = models.BigIntegerField(null=True)
    bill_net = models.BigIntegerField(null=True)
    bill_units = models.JSONField(default=dict)
    bill_refunded = models.BigIntegerField(db_default=0)
    converted_at = models.DateTimeField(null=True)
    hold_until = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    referrer_reward_type = models.CharField(max_length=20, choices=RewardType.choices, blank=True)
    referrer_reward_value = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    referrer_reward_code = loose_key("coupons.CouponCode", null=True, db_index=False)
    referrer_reward_at = models.DateTimeField(null=True)
    friend_reward_type = models.CharField(max_length=20, choices=RewardType.choices, blank=True)
    friend_reward_value = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    friend_reward_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "friend_phone"],
                condition=~Q(state__in=sorted(rules.FREE)) & ~Q(friend_phone=""),
                name="referral_of_phone",
            ),
            models.UniqueConstraint(
                fields=["tenant", "friend"],
                condition=~Q(state__in=sorted(rules.FREE)) & Q(friend__isnull=False),
                name="referral_of_friend",
            ),
        ]
        indexes = [
            models.Index(fields=["referrer", "-id"], name="referral_by_referrer"),
            models.Index(fields=["tenant", "-id"], name="referral_list"),
            models.Index(fields=["code", "-id"], name="referral_by_code"),
            models.Index(fields=["tenant", "friend_phone"], name="referral_by_phone"),
            models.Index(
                fields=["friend"], condition=Q(friend__isnull=False), name="referral_by_friend"
            ),
            models.Index(
                fields=["tenant", "hold_until"],
                condition=Q(state__in=[rules.QUALIFIED, rules.HELD], is_flagged=False),
                name="referral_due",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(state=rules.APPROVED),
                name="referral_to_reward",
            ),
            models.Index(
                fields=["tenant", "referrer_reward_at"],
                condition=Q(state=rules.REWARDED),
                name="referral_rewarded",
            ),
            models.Index(
                fields=["tenant", "-id"], condition=Q(is_flagged=True), name="referral_to_review"
            ),
            models.Index(
                fields=["tenant", "attributed_at"],
                condition=Q(state=rules.ATTRIBUTED),
                name="referral_signed_up",
            ),
        ]

    @property
    def status(self) -> str:
        """Module 11's word for the state."""
        return rules.STATUS[self.state]


class ReferralStep(LooseTenantModel):
    """A referral came into a state: never changed."""

    referral = loose_key("referrals.Referral", db_index=False)
    state = models.CharField(max_length=12, choices=Referral.State.choices)
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["referral", "id"], name="referral_step")]


class ReferralTouch(LooseTenantModel):
    """Somebody met a code: opened its link, left her phone there, or told it at the counter."""

    class Kind(models.TextChoices):
        CLICK = "click", _("Link opened")
        PHONE = "phone", _("Phone left on the link's page")
        TYPED = "typed", _("Code told")

    code = loose_key("referrals.ReferralCode", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    referral = loose_key("referrals.Referral", null=True, db_index=False)
    branch = loose_key("core.Branch", null=True, db_index=False)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["code", "-id"], name="referral_touch")]
        verbose_name_plural = "referral touches"


class ReferralHold(LooseTenantModel):
    """A reserved bill keeps one of the code's places of `month`."""

    reservation_id = models.UUIDField()
    code = loose_key("referrals.ReferralCode", db_index=False)
    month = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reservation_id"], name="referral_hold")
        ]
