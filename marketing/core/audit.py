"""The audit trail: one row per act, in the transaction of the act."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from marketing.core.actor import Actor
from marketing.core.prepared import kept_cursor
from marketing.core.request_id import request_id

WRITE = """
INSERT INTO core_auditentry (
    tenant_id, user_id, actor_label, action, object_type, object_id, changes, request_id)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s)
"""


def record(
    actor: Actor, action: str, target: models.Model, changes: Mapping[str, Any] | None = None
) -> None:
    """Note that `actor` did `action` (e.g. "campaign.approve") to `target`.

    `changes` maps a field to `[before, after]` or to a plain value; never a secret.
    """
    with kept_cursor() as cursor:
        cursor.execute(
            WRITE,
            [
                actor.tenant_id,
                actor.user_id,
                actor.label,
                action,
                target._meta.label_lower,
                target.pk if isinstance(target.pk, uuid.UUID) else None,
                DjangoJSONEncoder().encode(dict(changes or {})),
                request_id.get(),
            ],
        )


def difference(before: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields of `values` that differ from `before`, as `{field: [old, new]}`."""
    return {
        name: [getattr(before, name), value]
        for name, value in values.items()
        if getattr(before, name) != value
    }
