"""Work that is due in every chain."""

import logging
import uuid
from collections.abc import Callable

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope

logger = logging.getLogger(__name__)


def in_each_chain(work: Callable[[], object], *, only: str | None = None) -> None:
    """Do `work` in every active chain, or `only` in one: a transaction in its scope each.

    A fault in one chain keeps no other waiting: it is logged, and raised when all have had
    their turn.
    """
    _sweep(lambda tenant_id: _scoped(work, tenant_id), only)


def drain_each_chain(batch: Callable[[], object], *, only: str | None = None) -> None:
    """As `in_each_chain`, batch after batch until one returns nothing that is true."""

    def drain(tenant_id: uuid.UUID) -> None:
        while _scoped(batch, tenant_id):
            pass

    _sweep(drain, only)


def _sweep(turn: Callable[[uuid.UUID], object], only: str | None) -> None:
    active = Tenant.objects.filter(is_active=True).values_list("pk", flat=True)
    fault: Exception | None = None
    for tenant_id in [uuid.UUID(only)] if only else list(active):
        try:
            turn(tenant_id)
        except Exception as error:
            logger.exception("a sweep failed in chain %s", tenant_id)
            fault = error
    if fault:
        raise fault


def _scoped(work: Callable[[], object], tenant_id: uuid.UUID) -> object:
    with tenant_scope(tenant_id):
        return work()
