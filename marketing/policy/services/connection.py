"""Testing an account's connection: asked for by a person, carried out by a task."""

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Throttled
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id, tenant_scope
from marketing.policy import connection
from marketing.policy.models import ProviderAccount
from marketing.policy.tasks import check_account_connection

BETWEEN_TESTS = dt.timedelta(seconds=10)


@transaction.atomic
def ask_connection_test(*, actor: Actor, account: ProviderAccount) -> None:
    """Have the account tested after the commit. Raises `Throttled` shortly after the last time."""
    actor.require("config.change")
    now = clock.now()
    rested = Q(test_asked_at=None) | Q(test_asked_at__lte=now - BETWEEN_TESTS)
    if not ProviderAccount.objects.filter(rested, pk=account.pk).update(test_asked_at=now):
        raise Throttled(_("This account was tested just now; wait a few seconds."))
    audit.record(actor, "account.test_connection", account)
    tenant_id = str(current_tenant_id())
    transaction.on_commit(lambda: nudge(check_account_connection, tenant_id, str(account.pk)))


def run_connection_test(*, tenant_id: uuid.UUID, account_id: uuid.UUID) -> None:
    """Ask the vendor and note what it said."""
    with tenant_scope(tenant_id):
        account = ProviderAccount.objects.get(pk=account_id)
        test = connection.prepare_test(account)
    fault = test()
    with tenant_scope(tenant_id):
        ProviderAccount.objects.filter(pk=account_id).update(
            tested_at=clock.now(), test_fault=fault[:500]
        )
