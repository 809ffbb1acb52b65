from marketing.core.models.access import ApiKey, Delegation, Role, Staff, StaffBranch, User
from marketing.core.models.notifications import StaffNotification
from marketing.core.models.organisation import Branch, Region, Tenant
from marketing.core.models.records import (
    AuditEntry,
    DomainEvent,
    EventDelivery,
    IdempotencyRecord,
    LooseKeyCheck,
)

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Branch",
    "Delegation",
    "DomainEvent",
    "EventDelivery",
    "IdempotencyRecord",
    "LooseKeyCheck",
    "Region",
    "Role",
    "Staff",
    "StaffBranch",
    "StaffNotification",
    "Tenant",
    "User",
]
