"""Tenant scope: the first wall is the manager that raises, the second is row-level security.

`tenant_scope(id)` opens a transaction, names the tenant to PostgreSQL for its length
(`SET LOCAL`) and restores the former value. Streams, tasks and on-commit callbacks open
their own.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import connection, models, transaction

from marketing.core.ids import IdentifiedModel
from marketing.core.prepared import keeps_all_statements, kept_cursor, send_later

if TYPE_CHECKING:
    from marketing.core.models import Tenant

M = TypeVar("M", bound=models.Model)

NAME = "SELECT set_config('app.tenant_id', %s, true)"
# Else a plan is made again for each bill's values where PostgreSQL takes them to be cheaper than
# any: for a chain that has little of everything, of which many are on one server.
NAME_AND_PLAN_ONCE = f"{NAME}, set_config('plan_cache_mode', 'force_generic_plan', true)"

_tenant_id: ContextVar[uuid.UUID | None] = ContextVar("tenant_id", default=None)
_known_tenant: ContextVar["Tenant | None"] = ContextVar("known_tenant", default=None)


class TenantScopeMissing(RuntimeError):
    """A tenant's data was asked for outside a `tenant_scope`."""


def current_tenant_id() -> uuid.UUID:
    """The tenant of the open scope. Raises `TenantScopeMissing` when none is open."""
    tenant_id = _tenant_id.get()
    if tenant_id is None:
        raise TenantScopeMissing("open a tenant_scope() first")
    return tenant_id


def open_tenant_id() -> uuid.UUID | None:
    """The tenant of the open scope, or None; the default of every tenant key."""
    return _tenant_id.get()


def current_tenant() -> "Tenant":
    """The chain of the open scope: its languages, country, currency and time zone."""
    from marketing.core.models import Tenant

    return _known_tenant.get() or Tenant.objects.get(pk=current_tenant_id())


def know_tenant(tenant: "Tenant | None") -> None:
    """Let `current_tenant` answer with this row until the open scope ends."""
    _known_tenant.set(tenant)


@contextmanager
def tenant_scope(tenant_id: uuid.UUID) -> Iterator[None]:
    """Run the body in one transaction that sees this tenant's rows only."""
    former = _tenant_id.get()
    formerly_known = _known_tenant.get()
    is_outermost = not connection.in_atomic_block
    _tenant_id.set(tenant_id)
    _known_tenant.set(None)
    try:
        with transaction.atomic():
            _name_to_postgres(tenant_id)
            yield
            # PostgreSQL forgets it with the transaction.
            if not is_outermost:
                _name_to_postgres(former)
            # Before the commit, so that its callbacks cannot read without a scope of their own.
            _tenant_id.set(former)
    finally:
        _tenant_id.set(former)
        _known_tenant.set(formerly_known)


def _name_to_postgres(tenant_id: uuid.UUID | None) -> None:
    if connection.needs_rollback:
        return  # the rollback that must follow restores the former value itself
    statement = NAME if keeps_all_statements(connection) else NAME_AND_PLAN_ONCE
    send_later(statement, [str(tenant_id or "")])


@cache
def _by_id(model: type[models.Model]) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    table = model._meta.db_table
    return f'SELECT {columns} FROM "{table}" WHERE id = %s AND tenant_id = %s'  # noqa: S608


class TenantManager(models.Manager[M]):
    """Default manager of tenant models: the open scope's rows, or an exception."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(tenant_id=current_tenant_id())

    def kept(self, pk: uuid.UUID) -> M | None:
        """The row of that id, by a kept statement: a till asks for the same few with each bill."""
        fields = self.model._meta.concrete_fields
        with kept_cursor() as cursor:
            cursor.execute(_by_id(self.model), [pk, current_tenant_id()])
            row = cursor.fetchone()
        if row is None:
            return None
        values = [
            field.from_db_value(value, None, connection)
            if hasattr(field, "from_db_value")
            else value
            for field, value in zip(fields, row, strict=True)
        ]
        return self.model.from_db(connection.alias, [field.attname for field in fields], values)


class TenantModel(IdentifiedModel):
    """A row of one tenant, with a time-ordered id made by the database."""

    tenant = models.ForeignKey(
        "core.Tenant",
        on_delete=models.PROTECT,
        default=open_tenant_id,
        editable=False,
        related_name="+",
        db_index=False,
    )
    tenant_id: uuid.UUID

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True


class LooseTenantModel(TenantModel):
    """A row whose tenant is a foreign key to Django only.

    For rows written by the thousand: PostgreSQL checks each, and locks the tenant's row for it.
    """

    tenant = models.ForeignKey(
        "core.Tenant",
        on_delete=models.DO_NOTHING,
        default=open_tenant_id,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        abstract = True


class AppendModel(LooseTenantModel):
    """A row of an append table: partitioned by id, without database foreign keys.

    Dropping a partition is refused while anything references it. `loose_keys` looks for the
    parents at night: those of its foreign keys, and of the columns that `plain_keys` names.
    """

    class Meta:
        abstract = True


def loose_key(to: str, **options: Any) -> models.ForeignKey[Any, Any]:
    """A foreign key without a database constraint, for rows written by the thousand.

    Its parent must outlive it, or in an append table the nightly check (`loose_keys`) raises an
    alarm. All of them do: an erased customer is blanked, not deleted, a run, batch, branch,
    account or version never is, and retention drops nothing but append tables. What may lose its
    parent later, or is above the app that writes it, is kept as a plain `UUIDField`, and said in
    the model's `plain_keys`.
    """
    return models.ForeignKey(
        to, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", **options
    )
