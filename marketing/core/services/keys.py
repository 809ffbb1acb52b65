"""API keys of the chain's other modules: issued, turned, revoked."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from marketing.core import api_keys, audit, clock
from marketing.core.actor import SCOPES, Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.models import ApiKey, Branch

# How long the old key goes on working, so that the other module can change over.
ROTATION_GRACE = dt.timedelta(hours=24)


@transaction.atomic
def issue_key(
    *,
    actor: Actor,
    name: str,
    scopes: Sequence[str],
    branch_ids: Sequence[uuid.UUID] | None = None,
    terminal: str = "",
) -> tuple[ApiKey, str]:
    """Make a key for these scopes and branches (None: all). Returns it and its only showing.

    `terminal` names the till that is to have it, so that one can be cut off without the others.
    """
    actor.require("config.change")
    errors: dict[str, list[str]] = {}
    if not name.strip():
        errors["name"] = [_("Say which program the key is for.")]
    if not scopes or set(scopes) - set(SCOPES):
        errors["scopes"] = [_("Choose what the key is for.")]
    wanted = set(branch_ids or ())
    if Branch.objects.filter(pk__in=wanted).count() != len(wanted):
        errors["branch_ids"] = [_("There is no such branch.")]
    if errors:
        raise ValidationFailed(fields=errors)
    api_key, text = api_keys.issue_api_key(
        tenant_id=actor.tenant_id,
        name=name.strip(),
        scopes=scopes,
        branch_ids=branch_ids,
        terminal=terminal.strip(),
    )
    told = {"name": api_key.name, "terminal": api_key.terminal, "scopes": list(scopes)}
    audit.record(actor, "api_key.issue", api_key, told)
    return api_key, text


@transaction.atomic
def revoke_key(*, actor: Actor, api_key: ApiKey) -> None:
    """Stop a key at once. A key that was revoked before stays as it is."""
    actor.require("config.change")
    revoked = ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(revoked_at=clock.now())
    if revoked:
        audit.record(actor, "api_key.revoke", api_key, {"name": api_key.name})


@transaction.atomic
def rotate_key(*, actor: Actor, api_key: ApiKey) -> tuple[ApiKey, str]:
    """Issue a successor; the old key works for another 24 hours. Returns it and its showing."""
    actor.require("config.change")
    now = clock.now()
    old = ApiKey.objects.select_for_update().get(pk=api_key.pk)
    if old.revoked_at or (old.expires_at and old.expires_at <= now + ROTATION_GRACE):
        raise Conflict(_("This key has ended or is being replaced already."))
    successor, text = api_keys.issue_api_key(
        tenant_id=actor.tenant_id,
        name=old.name,
        scopes=old.scopes,
        branch_ids=old.branch_ids,
        terminal=old.terminal,
    )
    old.expires_at = now + ROTATION_GRACE
    old.save(update_fields=["expires_at"])
    audit.record(actor, "api_key.rotate", old, {"successor": successor.prefix})
    return successor, text
