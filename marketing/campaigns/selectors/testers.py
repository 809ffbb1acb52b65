"""Who may get test messages."""

from django.db.models import Q, QuerySet

from marketing.core.actor import Actor
from marketing.core.models import Role, Staff


def testers(actor: Actor) -> QuerySet[Staff]:
    """Those who work in the actor's branches, and the chain's owners, by name."""
    staff = Staff.objects.filter(is_active=True)
    if actor.branch_ids is None:
        return staff
    return staff.filter(
        Q(branches__in=actor.branch_ids) | Q(role=Role.SUPER_OWNER) | Q(user=actor.user)
    ).distinct()
