"""The audit trail: one row per act, in the transaction of the act."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from marketing.core.actor import Actor
from marketing.core.prepared import send_later
from marketing.core.request_id import request_id

# Also as a part of the statement of the act, with `entry` among its values.
WRITE = """
INSERT INTO core_auditentry (
    tenant_id, user_id, actor_label, action, object_type, object_id, changes, request_id)
VALUES (%(tenant)s, %(audit_user)s, %(audit_actor)s, %(audit_action)s, %(audit_type)s,
        %(audit_object)s, %(audit_changes)s::jsonb, %(audit_request)s)
"""


def record(
    actor: Actor, action: str, target: models.Model, changes: Mapping[str, Any] | None = None
) -> None:
    """Note that `actor` did `action` (e.g. "campaign.approve") to `target`.

    `changes` maps a field to `[before, after]` or to a plain value; never a secret.
    """
    send_later(WRITE, entry(actor, action, target, changes))


def entry(
    actor: Actor, action: str, target: models.Model, changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values of `WRITE`, of what `record` would note."""
    return {
        "tenant": actor.tenant_id,
        "audit_user": actor.user_id,
        "audit_actor": actor.label,
        "audit_action": action,
        "audit_type": target._meta.label_lower,
        "audit_object": target.pk if isinstance(target.pk, uuid.UUID) else None,
        "audit_changes": DjangoJSONEncoder().encode(dict(changes or {})),
        "audit_request": request_id.get(),
    }


def difference(before: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields of `values` that differ from `before`, as `{field: [old, new]}`."""
    return {
        name: [getattr(before, name), value]
        for name, value in values.items()
        if getattr(before, name) != value
    }
