"""Every write of another module, kept as it was sent, and done again where it failed.

    with recording(actor=…, operation="invoice", body=…, idempotency_key=…) as came:
        … came.about(natural_key=…, branch_id=…)        as soon as the body is understood
        … came.applied(made={…}, customer_ids=[…])      last of all, in the transaction of the work

A success is written in the transaction of the work: there is never the one without the other. A
refusal is written after the work was rolled back. What is to be sent again anyway (`503`, `429`,
the first request still at it) is not kept: nothing was taken.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from billing_bridge.counter.plain_words import plain
from billing_bridge.models import RawRow
from marketing.core import audit, clock, sentences
from marketing.core.actor import Actor
from marketing.core.drf.errors import as_domain_error, as_travelled
from marketing.core.errors import Conflict, DomainError
from marketing.core.idempotency import StillRunning
from marketing.core.ids import lower_bound
from marketing.core.models import ApiKey, Staff
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id

logger = logging.getLogger(__name__)

RETRYABLE = (429, 503)
# The row that failed before under the same natural key with the same body counts one more try;
# what failed before under the natural key of one that is applied now is settled by it.
WRITE = """
WITH again AS (
    UPDATE billing_bridge_rawrow SET tries = least(tries + 1, 32767), error = %(error)s::jsonb
    WHERE tenant_id = %(tenant)s::uuid AND operation = %(operation)s::text AND state = 'failed'
      AND natural_key = %(natural_key)s::text AND natural_key <> ''
      AND %(state)s::text = 'failed' AND body = %(body)s
    RETURNING id
), fresh AS (
    INSERT INTO billing_bridge_rawrow (
        tenant_id, api_key_id, user_id, branch_id, source, operation, target, natural_key,
        idempotency_key, body, state, error, made, tries, applied_at)
    SELECT %(tenant)s::uuid, %(api_key)s::uuid, %(user)s::uuid, %(branch)s::uuid,
        %(source)s::text, %(operation)s::text, %(target)s::text, %(natural_key)s::text,
        %(idempotency_key)s::text, %(body)s, %(state)s::text, %(error)s::jsonb, %(made)s::jsonb, 1,
        CASE WHEN %(state)s::text = 'applied' THEN %(now)s::timestamptz END
    WHERE NOT EXISTS (SELECT FROM again)
    RETURNING id
), settled AS (
    UPDATE billing_bridge_rawrow before
    SET state = 'applied', applied_at = %(now)s::timestamptz,
        made = jsonb_build_object('settledBy', fresh.id)
    FROM fresh
    WHERE before.tenant_id = %(tenant)s::uuid AND before.operation = %(operation)s::text
      AND before.natural_key = %(natural_key)s::text AND before.natural_key <> ''
      AND before.state = 'failed' AND %(state)s::text = 'applied'
), people AS (
    INSERT INTO billing_bridge_rawperson (tenant_id, row_id, customer_id)
    SELECT %(tenant)s::uuid, fresh.id, person FROM fresh, unnest(%(people)s::uuid[]) AS person
)
SELECT id FROM fresh UNION ALL SELECT id FROM again LIMIT 1
"""


@dataclass(frozen=True)
class Applied:
    """What came of a row. With an `error` some of it could not be taken: it stays failed."""

    made: Mapping[str, Any] = field(default_factory=dict)
    customer_ids: Sequence[uuid.UUID] = ()
    error: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[[Actor, RawRow], Applied]

_handlers: dict[str, Handler] = {}


def register_replay(operation: str, handler: Handler) -> None:
    """Have `handler(actor, row)` do rows of this operation again; called while apps are loaded.

    The actor is who sent the row, with the reach she has now. The handler does what the first
    try should have done, idempotent by the row's own keys, and raises `DomainError` like it.
    """
    _handlers[operation] = handler


class Coming:
    """A write under way: what is known of it, filled in while it is understood."""

    def __init__(self, actor: Actor, operation: str, body: bytes, **known: str) -> None:
        self._actor = actor
        self._values: dict[str, Any] = {"operation": operation, "body": body, **known}

    def about(self, *, natural_key: str = "", branch_id: uuid.UUID | None = None) -> None:
        """What the sender calls it, and where it happened."""
        self._values |= {"natural_key": natural_key[:200], "branch_id": branch_id}

    def said(self, body: bytes) -> None:
        """The body as it is now; for who makes it of what the work finds."""
        self._values["body"] = body

    def applied(
        self,
        *,
        made: Mapping[str, Any],
        customer_ids: Sequence[uuid.UUID] = (),
        error: Mapping[str, Any] | None = None,
    ) -> uuid.UUID:
        """Write the row in the open transaction of the work; returns its id."""
        state = RawRow.State.FAILED if error else RawRow.State.APPLIED
        return record_raw(
            actor=self._actor,
            state=state,
            made=made,
            customer_ids=customer_ids,
            error=error or {},
            **self._values,
        )

    def failed(self, error: Exception) -> None:
        """Write the row of a write that was refused, whose work is rolled back already."""
        domain = as_domain_error(error)
        if isinstance(domain, StillRunning) or (domain and domain.http_status in RETRYABLE):
            return
        values = {
            **self._values,
            "actor": self._actor,
            "state": RawRow.State.FAILED,
            "error": kept(domain or DomainError()),
        }
        if domain and domain.http_status < 500 and not connection.needs_rollback:
            record_raw(**values)
        else:
            _record_apart(values)


@contextmanager
def recording(
    *,
    actor: Actor,
    operation: str,
    body: bytes,
    target: str = "",
    idempotency_key: str = "",
    source: str = RawRow.Source.API,
) -> Iterator[Coming]:
    """Keep a write that fails in the body; the body itself says `applied` when it is done.

    Stands around `ApiView.once`, so that a refusal outlives the rollback, and an answer that is
    given again from memory writes nothing.
    """
    coming = Coming(
        actor,
        operation,
        body,
        target=target[:100],
        idempotency_key=idempotency_key[:255],
        source=source,
    )
    try:
        yield coming
    except Exception as error:
        coming.failed(error)
        raise


def record_raw(
    *,
    actor: Actor,
    operation: str,
    body: bytes,
    state: str,
    target: str = "",
    natural_key: str = "",
    idempotency_key: str = "",
    branch_id: uuid.UUID | None = None,
    made: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    customer_ids: Sequence[uuid.UUID] = (),
    source: str = RawRow.Source.API,
) -> uuid.UUID:
    """Write one row in the open transaction, in one statement; returns its id."""
    values = _values(
        actor, operation, body, state, target, natural_key, idempotency_key, branch_id, made,
        error, customer_ids, source,
    )  # fmt: skip
    with kept_cursor() as cursor:
        cursor.execute(WRITE, values)
        return uuid.UUID(str(cursor.fetchone()[0]))


def told(error: DomainError) -> dict[str, Any]:
    """A refusal as it is answered."""
    fields = {as_travelled(path): faults for path, faults in error.fields.items()}
    return {"code": error.code, "name": error.name, "message": error.message, "fields": fields}


def kept(error: DomainError) -> dict[str, Any]:
    """A refusal as the row keeps it: to be said in the language of whoever reads it."""
    usual = sentences.sentence(error.default_message)
    answer = told(error)
    return answer | {
        "message": sentences.kept(usual if error.message == usual else error.message),
        "fields": {
            path: [sentences.kept(plain(fault)) for fault in faults]
            for path, faults in answer["fields"].items()
        },
    }


@transaction.atomic
def replay_row(*, actor: Actor, row_id: uuid.UUID) -> RawRow:
    """Do a row again, as its sender. One that is applied is left as it is.

    A refusal is kept in the row, not raised. Raises `Conflict` for what nobody can do again:
    its body was forgotten with a person in it, or no handler knows its operation.
    """
    actor.require("config.change")
    row = RawRow.objects.select_for_update().get(pk=row_id)
    if row.state == RawRow.State.APPLIED:
        return row
    if row.forgotten_at or row.operation not in _handlers:
        raise Conflict(_("This cannot be done again: what was sent is not there any more."))
    try:
        with transaction.atomic():
            result = _handlers[row.operation](_sender(row) or actor, row)
    except OperationalError:
        raise  # the database is away, or two waited for each other: nothing is known of the row
    except Exception as error:
        domain = as_domain_error(error)
        if domain is None:
            logger.exception("raw row %s could not be done again", row.pk)
        result = Applied(error=kept(domain or DomainError()))
    row.tries = min(row.tries + 1, 32767)
    row.error, row.made = dict(result.error), {**row.made, **result.made}
    row.state = RawRow.State.FAILED if result.error else RawRow.State.APPLIED
    row.applied_at = None if result.error else clock.now()
    row.save(update_fields=["tries", "error", "made", "state", "applied_at"])
    _note_people(row, result.customer_ids)
    audit.record(actor, "raw.replay", row, {"state": row.state, "code": row.error.get("code", "")})
    return row


def replayable(
    *, operation: str = "", since: dt.datetime | None = None, until: dt.datetime | None = None
) -> list[uuid.UUID]:
    """The rows that are not applied, oldest first: of an operation, of a time (half-open).

    Not those of the counter's page: whoever was refused there has done it anew by herself.
    """
    rows = RawRow.objects.exclude(state=RawRow.State.APPLIED).filter(
        forgotten_at=None, source=RawRow.Source.API
    )
    if operation:
        rows = rows.filter(operation=operation)
    if since:
        rows = rows.filter(pk__gte=lower_bound(since))
    if until:
        rows = rows.filter(pk__lt=lower_bound(until))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _sender(row: RawRow) -> Actor | None:
    """Who sent it; None when she is not there any more."""
    if row.api_key_id:
        key = ApiKey.objects.filter(pk=row.api_key_id, tenant_id=current_tenant_id()).first()
        return Actor.for_api_key(key) if key else None
    if row.user_id is None:
        return None
    staff = Staff.objects.filter(user_id=row.user_id, is_active=True).first()
    return Actor.for_staff(staff) if staff else None


def _note_people(row: RawRow, customer_ids: Sequence[uuid.UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_bridge_rawperson (tenant_id, row_id, customer_id)
            SELECT %(tenant)s, %(row)s, person FROM unnest(%(people)s::uuid[]) AS person
            EXCEPT SELECT tenant_id, row_id, customer_id FROM billing_bridge_rawperson
            WHERE customer_id = ANY (%(people)s::uuid[]) AND row_id = %(row)s
            """,
            {"tenant": row.tenant_id, "row": row.pk, "people": list(customer_ids)},
        )


def _record_apart(values: Mapping[str, Any]) -> None:
    """Write it on a connection of its own: the caller's transaction will be rolled back."""
    apart = connection.copy()
    try:
        apart.set_autocommit(False)
        with apart.cursor() as cursor:
            tenant_id = str(current_tenant_id())
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [tenant_id])
            cursor.execute(WRITE, _values(**values))
        apart.commit()
    except Exception:
        logger.exception("a write that failed could not be kept: %s", values["operation"])
    finally:
        apart.close()


def _values(
    actor: Actor,
    operation: str,
    body: bytes,
    state: str,
    target: str = "",
    natural_key: str = "",
    idempotency_key: str = "",
    branch_id: uuid.UUID | None = None,
    made: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    customer_ids: Sequence[uuid.UUID] = (),
    source: str = RawRow.Source.API,
) -> dict[str, Any]:
    encode = DjangoJSONEncoder().encode
    return {
        "tenant": current_tenant_id(),
        "api_key": actor.api_key.pk if actor.api_key else None,
        "user": actor.user_id,
        "branch": branch_id,
        "source": source,
        "operation": operation,
        "target": target.replace("\0", ""),
        "natural_key": natural_key.replace("\0", ""),
        "idempotency_key": idempotency_key.replace("\0", ""),
        "body": body,
        "state": state,
        "made": encode(dict(made or {})),
        "error": encode(dict(error or {})).replace("\\u0000", ""),
        "people": list(dict.fromkeys(customer_ids)),
        "now": clock.now(),
    }
