from marketing.core.services.delegations import delegate_approvals, revoke_delegation
from marketing.core.services.keys import issue_key, revoke_key, rotate_key
from marketing.core.services.notifications import (
    forget_old,
    mark_all_read,
    mark_read,
    note_sent,
    notify,
    send_mails,
    settle,
    take_mails,
)
from marketing.core.services.staff import create_staff, update_own, update_staff
from marketing.core.services.tenants import create_tenant

__all__ = [
    "create_staff",
    "create_tenant",
    "delegate_approvals",
    "forget_old",
    "issue_key",
    "mark_all_read",
    "mark_read",
    "note_sent",
    "notify",
    "revoke_delegation",
    "revoke_key",
    "rotate_key",
    "send_mails",
    "settle",
    "take_mails",
    "update_own",
    "update_staff",
]
