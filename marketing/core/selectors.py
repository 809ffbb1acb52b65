"""The chain's staff, keys and audit trail, as far as an actor may see them."""

import uuid
from collections.abc import Collection

from django.db.models import Q, QuerySet

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import ApiKey, AuditEntry, Branch, Staff


def branches_for_actor(actor: Actor) -> QuerySet[Branch]:
    """The actor's active branches."""
    branches = Branch.objects.filter(is_active=True)
    return branches if actor.branch_ids is None else branches.filter(pk__in=actor.branch_ids)


def staff_for_actor(actor: Actor) -> QuerySet[Staff]:
    """Everybody, with login and branches; nobody for whoever does not manage staff."""
    if not actor.can("config.change"):
        return Staff.objects.none()
    return Staff.objects.select_related("user").prefetch_related("branches")


def get_staff_for_actor(actor: Actor, pk: uuid.UUID) -> Staff:
    staff = staff_for_actor(actor).filter(pk=pk).first()
    if staff is None:
        raise NotFound()
    return staff


def keys_for_actor(actor: Actor) -> QuerySet[ApiKey]:
    """The chain's API keys, newest first, revoked ones too."""
    if not actor.can("config.change"):
        return ApiKey.objects.none()
    return ApiKey.objects.filter(tenant_id=actor.tenant_id).order_by("-id")


def get_key_for_actor(actor: Actor, pk: uuid.UUID) -> ApiKey:
    api_key = keys_for_actor(actor).filter(pk=pk).first()
    if api_key is None:
        raise NotFound()
    return api_key


def audit_trail(
    actor: Actor,
    *,
    search: str = "",
    acts: Collection[str] = (),
    user_id: uuid.UUID | None = None,
) -> QuerySet[AuditEntry]:
    """Acts, newest first; `search` is part of the action or of the actor's name.

    `acts` are further actions that the search means, by the words they are shown in.
    """
    if not actor.can("config.change"):
        return AuditEntry.objects.none()
    entries = AuditEntry.objects.order_by("-id")
    if user_id:
        entries = entries.filter(user_id=user_id)
    if search:
        entries = entries.filter(
            Q(action__icontains=search) | Q(actor_label__icontains=search) | Q(action__in=acts)
        )
    return entries
