"""Who acts: a staff member, another module's API key, or the system itself."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject

from marketing.core import clock
from marketing.core.errors import Forbidden
from marketing.core.models import ApiKey, Delegation, Role, Staff, StaffBranch, User
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant_id

EVERYONE = frozenset(Role.values)
MANAGERS = frozenset({Role.BRANCH_MANAGER, Role.REGIONAL_MANAGER, Role.SUPER_OWNER})
APPROVERS = frozenset({Role.REGIONAL_MANAGER, Role.SUPER_OWNER})
OWNERS = frozenset({Role.SUPER_OWNER})

# Module 11's MARKETING_PERMISSIONS, completed for the endpoints of the HTTP contract.
PERMISSIONS: dict[str, frozenset[str]] = {
    "campaign.view": EVERYONE,
    "campaign.create": MANAGERS,
    "campaign.approve": APPROVERS,
    "campaign.send": MANAGERS,
    "template.view": MANAGERS,
    "template.manage": MANAGERS,
    "template.lock": OWNERS,
    "coupon.view": EVERYONE,
    "coupon.redeem": EVERYONE,
    "coupon.manage": MANAGERS,
    "segment.view": EVERYONE,
    "segment.manage": MANAGERS,
    "segment.export": MANAGERS,
    "referral.view": EVERYONE,
    "referral.apply": EVERYONE,
    "referral.review": MANAGERS,
    "referral.config": OWNERS,
    "budget.config": OWNERS,
    "config.view": MANAGERS,
    "config.change": OWNERS,
    "consent.view": EVERYONE,
    "consent.update": MANAGERS,
    "customer.view": EVERYONE,
    "customer.change": EVERYONE,
    "customer.opt_out": EVERYONE,
    "customer.export": MANAGERS,
    "customer.export_list": EVERYONE,
    "customer.import": MANAGERS,
    "customer.merge": MANAGERS,
    "customer.erase": OWNERS,
    "catalogue.change": OWNERS,
    "event.record": OWNERS,
    "followup.use": EVERYONE,
    "followup.manage": MANAGERS,
    "loyalty.view": EVERYONE,
    "loyalty.ledger": MANAGERS,
    "loyalty.adjust": MANAGERS,
    "loyalty.config": OWNERS,
    "analytics.view": MANAGERS,
    "operations.view": APPROVERS,
    "own.page": EVERYONE,
}

# What an approver may hand to another manager while she is away.
DELEGABLE = "campaign.approve"

# What an API key's scope stands for.
SCOPES: dict[str, frozenset[str]] = {
    "read": frozenset(name for name in PERMISSIONS if name.endswith(".view")),
    "counter": frozenset(
        {
            "customer.view",
            "customer.change",
            "customer.opt_out",
            "consent.view",
            "coupon.view",
            "coupon.redeem",
            "loyalty.view",
            "referral.view",
            "referral.apply",
        }
    ),
    "events": frozenset({"customer.view", "customer.change", "catalogue.change", "event.record"}),
}


@dataclass(frozen=True)
class Away:
    """An approver in whose place somebody else decides. `branch_ids` None means every branch."""

    staff_id: uuid.UUID
    user_id: uuid.UUID
    name: str
    branch_ids: frozenset[uuid.UUID] | None


def with_reach(people: QuerySet[Staff]) -> QuerySet[Staff]:
    """The people with what `Actor.for_staff` needs of each, so that it asks nothing more.

    Of delegations those that hold now, by approvers who still are.
    """
    now = clock.now()
    own = StaffBranch.objects.filter(staff=OuterRef("pk")).values("branch_id")
    theirs = StaffBranch.objects.filter(staff=OuterRef("delegator_id")).values("branch_id")
    held = Delegation.objects.filter(
        delegate=OuterRef("pk"),
        revoked_at=None,
        begins_at__lte=now,
        ends_at__gt=now,
        delegator__is_active=True,
        delegator__role__in=PERMISSIONS[DELEGABLE],
    ).order_by("pk")
    delegated = held.annotate(reach=ArraySubquery(theirs)).values(
        away=JSONObject(
            staff_id="delegator_id",
            user_id="delegator__user_id",
            name="delegator__name",
            role="delegator__role",
            branch_ids="reach",
        )
    )
    return people.annotate(own_branch_ids=ArraySubquery(own), delegated=ArraySubquery(delegated))


def _away(row: dict[str, Any]) -> Away:
    branch_ids = frozenset(map(uuid.UUID, row["branch_ids"]))
    return Away(
        staff_id=uuid.UUID(row["staff_id"]),
        user_id=uuid.UUID(row["user_id"]),
        name=row["name"],
        branch_ids=None if row["role"] == Role.SUPER_OWNER else branch_ids,
    )


@dataclass(frozen=True)
class Actor:
    """Who does something, and what they may do. `branch_ids` None means every branch.

    `stands_in_for` are approvers who are away: the permission to approve may be theirs alone,
    and then holds for their branches (`approves_itself`).
    """

    tenant_id: uuid.UUID
    label: str
    permissions: frozenset[str]
    branch_ids: frozenset[uuid.UUID] | None = None
    user: User | None = None
    staff: Staff | None = None
    api_key: ApiKey | None = None
    is_system: bool = field(default=False)
    stands_in_for: tuple[Away, ...] = ()

    @classmethod
    def for_staff(cls, staff: Staff, own_branch_ids: Iterable[uuid.UUID] | None = None) -> "Actor":
        """A staff member of the open scope, whose reach is read unless `with_reach` brought it.

        An owner has every branch. With `own_branch_ids` these are the branches, and nobody's
        place is taken.
        """
        delegated: list[dict[str, Any]] = []
        if own_branch_ids is None:
            reach = staff
            if not hasattr(staff, "own_branch_ids"):
                reach = with_reach(Staff.objects.filter(pk=staff.pk)).get()
            own_branch_ids, delegated = reach.own_branch_ids, reach.delegated  # type: ignore[attr-defined]
        if staff.role not in MANAGERS:
            delegated = []
        permissions = {name for name, roles in PERMISSIONS.items() if staff.role in roles}
        return cls(
            tenant_id=current_tenant_id(),
            label=staff.name,
            permissions=frozenset(permissions | ({DELEGABLE} if delegated else set())),
            branch_ids=None if staff.role == Role.SUPER_OWNER else frozenset(own_branch_ids),
            user=staff.user,
            staff=staff,
            stands_in_for=tuple(_away(row) for row in delegated),
        )

    @classmethod
    def for_api_key(cls, api_key: ApiKey) -> "Actor":
        granted = (SCOPES.get(scope, frozenset()) for scope in api_key.scopes)
        return cls(
            tenant_id=api_key.tenant_id,
            label=f"API key {api_key.name}",
            permissions=frozenset().union(*granted),
            branch_ids=None if api_key.branch_ids is None else frozenset(api_key.branch_ids),
            api_key=api_key,
        )

    @classmethod
    def system(cls, tenant_id: uuid.UUID) -> "Actor":
        """Parlour itself: scheduled work, webhooks, a person's own signed link."""
        return cls(
            tenant_id=tenant_id, label="Parlour", permissions=frozenset(PERMISSIONS), is_system=True
        )

    @property
    def user_id(self) -> uuid.UUID | None:
        return self.user.pk if self.user else None

    @property
    def approves_itself(self) -> bool:
        """Whether the right to approve is the actor's own, not only that of who is away."""
        return self.staff is not None and self.staff.role in PERMISSIONS[DELEGABLE]

    def can(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises `Forbidden` when the actor lacks the permission."""
        if permission not in PERMISSIONS:
            raise KeyError(permission)
        if not self.can(permission):
            message = _("No scope of this API key allows this.") if self.api_key else ""
            raise Forbidden(message, details={"permission": permission})

    def has_branch(self, branch_id: uuid.UUID | None) -> bool:
        """Whether the branch is theirs; what belongs to no branch is the whole chain's."""
        return self.branch_ids is None or branch_id in self.branch_ids
