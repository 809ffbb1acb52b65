import datetime as dt

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.core.ids import IdentifiedModel
from marketing.core.models.organisation import Branch, Tenant
from marketing.core.tenancy import TenantModel


class User(IdentifiedModel, AbstractUser):
    """A login. Global, because it is looked up before the tenant is known."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, blank=True)

    class Meta(AbstractUser.Meta):
        pass


class Role(models.TextChoices):
    """Module 11's roles, as `MARKETING_PERMISSIONS` spells them."""

    RECEPTIONIST = "Receptionist", _("Receptionist")
    BRANCH_MANAGER = "Branch_Manager", _("Branch manager")
    REGIONAL_MANAGER = "Regional_Manager", _("Regional manager")
    SUPER_OWNER = "Super_Owner", _("Super owner")


class Staff(TenantModel):
    """A person who works for the chain: a login with a role and branches.

    A super owner has every branch, whatever is listed. `language` is that of mail to them; empty
    is the chain's first.
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="staff")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=Role.choices)
    branches = models.ManyToManyField(Branch, through="StaffBranch", related_name="staff")
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    notify_by_email = models.BooleanField(default=True)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "staff"

    def __str__(self) -> str:
        return self.name


class StaffBranch(TenantModel):
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE)
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "staff", "branch"], name="staff_branch")
        ]


class Delegation(TenantModel):
    """Somebody who approves in an approver's place while she is away.

    From `begins_at` until before `ends_at`, both midnights of the chain's own zone. What it is
    worth is judged when it is used: the delegator's role and branches are those of that moment.
    """

    delegator = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="delegations")
    delegate = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("begins_at")), name="delegation_period"
            ),
            models.CheckConstraint(
                condition=~models.Q(delegate=models.F("delegator")), name="delegation_to_another"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "delegate", "ends_at"], name="delegation_by_delegate")
        ]

    @property
    def last_moment(self) -> dt.datetime:
        """Of the last day, which the delegation includes."""
        return self.ends_at - dt.timedelta(seconds=1)


class ApiKey(IdentifiedModel):
    """Another module's key. Global, because it is looked up before the tenant is known.

    The secret has 256 random bits, so a plain SHA-256 of it is safe to keep. `terminal` is the
    till that has it, where each has its own.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    terminal = models.CharField(max_length=60, blank=True, db_default="")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.BinaryField(editable=False)
    scopes = ArrayField(models.CharField(max_length=30), default=list)
    branch_ids = ArrayField(models.UUIDField(), null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
