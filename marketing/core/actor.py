"""Who acts: a staff member, another module's API key, or the system itself."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from marketing.core.errors import Forbidden
from marketing.core.models import ApiKey, Role, Staff, User
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
    "coupon.manage": MANAGERS,
    "segment.view": EVERYONE,
    "segment.manage": MANAGERS,
    "segment.export": MANAGERS,
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
    "followup.use": EVERYONE,
    "followup.manage": MANAGERS,
    "analytics.view": MANAGERS,
    "operations.view": APPROVERS,
}

# What an API key's scope stands for.
SCOPES: dict[str, frozenset[str]] = {
    "read": frozenset(name for name in PERMISSIONS if name.endswith(".view")),
    "counter": frozenset({"customer.view", "customer.change", "customer.opt_out", "consent.view"}),
    "events": frozenset({"customer.view", "customer.change", "catalogue.change"}),
}


@dataclass(frozen=True)
class Actor:
    """Who does something, and what they may do. `branch_ids` None means every branch."""

    tenant_id: uuid.UUID
    label: str
    permissions: frozenset[str]
    branch_ids: frozenset[uuid.UUID] | None = None
    user: User | None = None
    staff: Staff | None = None
    api_key: ApiKey | None = None
    is_system: bool = field(default=False)

    @classmethod
    def for_staff(cls, staff: Staff, own_branch_ids: Iterable[uuid.UUID] | None = None) -> "Actor":
        """A staff member of the open scope, whose branches are read when the caller has them not.

        An owner has them all.
        """
        branch_ids = None
        if staff.role != Role.SUPER_OWNER:
            if own_branch_ids is None:
                own_branch_ids = staff.branches.values_list("id", flat=True)
            branch_ids = frozenset(own_branch_ids)
        return cls(
            tenant_id=current_tenant_id(),
            label=staff.name,
            permissions=frozenset(
                name for name, roles in PERMISSIONS.items() if staff.role in roles
            ),
            branch_ids=branch_ids,
            user=staff.user,
            staff=staff,
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

    def can(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises `Forbidden` when the actor lacks the permission."""
        if permission not in PERMISSIONS:
            raise KeyError(permission)
        if not self.can(permission):
            raise Forbidden(details={"permission": permission})

    def has_branch(self, branch_id: uuid.UUID | None) -> bool:
        """Whether the branch is theirs; what belongs to no branch is the whole chain's."""
        return self.branch_ids is None or branch_id in self.branch_ids
