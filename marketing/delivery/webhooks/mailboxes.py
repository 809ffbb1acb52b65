"""Fetching reports from vendors that do not call: into the inbox, like those that are called in."""

import logging
import uuid

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.connection import without_secrets
from marketing.delivery.providers.base import Account, Call
from marketing.delivery.registry import account_of, vendor
from marketing.delivery.webhooks import inbox
from marketing.policy import selectors as policy
from marketing.policy.services import note_mailbox

logger = logging.getLogger(__name__)


def read_mailboxes() -> None:
    """Take in what waits in every chain's mailboxes; one that fails holds up no other.

    Which cannot be read is noted at the account, and forgotten once it can.
    """
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk):
            accounts = [
                (account_of(row), row.mailbox_fault)
                for row in policy.accounts()
                if row.is_active and vendor(row.provider).mailbox
            ]
        for account, known_fault in accounts:
            try:
                _read_and_note(tenant.pk, account, known_fault)
            except Exception:
                # Whatever one mailbox does must not keep the others from being read.
                logger.exception("mailbox of account %s could not be noted", account.id)


def _read_and_note(tenant_id: uuid.UUID, account: Account, known_fault: str) -> None:
    fault = _read(tenant_id, account)
    if fault or known_fault:
        with tenant_scope(tenant_id):
            note_mailbox(account_id=account.id, fault=fault)


def _read(tenant_id: uuid.UUID, account: Account) -> str:
    """What kept it from being read, empty if nothing."""
    mailbox = vendor(account.provider).mailbox
    if mailbox is None or not mailbox.is_set(account):
        return ""
    try:
        for report in mailbox.reports(account):
            inbox.keep(tenant_id, account, Call(url="", headers={}, body=report))
    except mailbox.Unreachable as error:
        logger.warning("mailbox of account %s cannot be read: %s", account.id, error)
        return without_secrets(mailbox.explain(account, error), account)
    except Exception as error:
        logger.exception("mailbox of account %s could not be read", account.id)
        return without_secrets(mailbox.explain(account, error), account)
    return ""
