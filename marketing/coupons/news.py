"""What managers are told about codes."""

import uuid
from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.actor import Actor
from marketing.core.news import Kind


def _own_branches(actor: Actor, ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    return [pk for pk in ids if actor.has_branch(pk)]


WRONG_CODES = Kind(
    title=gettext_lazy("%(tried)s wrong codes within an hour at %(branch)s"),
    icon="alert-triangle",
    tone="warning",
    address=lambda target_id: reverse("home"),
    more=lambda facts: _("Somebody may be guessing. Ask who was at the counter."),
    in_sight=_own_branches,
)
