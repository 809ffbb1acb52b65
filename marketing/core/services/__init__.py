from marketing.core.services.keys import issue_key, revoke_key, rotate_key
from marketing.core.services.staff import create_staff, update_staff
from marketing.core.services.tenants import create_tenant

__all__ = [
    "create_staff",
    "create_tenant",
    "issue_key",
    "revoke_key",
    "rotate_key",
    "update_staff",
]
