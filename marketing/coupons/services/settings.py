"""How the chain prices its bills, changed."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.plain_words import say_plainly
from marketing.coupons.models import CounterSettings
from marketing.coupons.selectors.settings import COLUMNS


@transaction.atomic
def update_counter_settings(
    *, actor: Actor, values: Mapping[str, Any], version: int | None = None
) -> CounterSettings:
    """Change `CounterSettings`' columns; bills priced from the commit on go by them.

    Raises `ValidationFailed` with the fields at fault, and `Conflict` when `version` is given and
    no longer theirs (`details["current"]`).
    """
    actor.require("config.change")
    if unknown := set(values) - set(COLUMNS):
        raise KeyError(unknown)
    CounterSettings.objects.bulk_create([CounterSettings()], ignore_conflicts=True)
    kept = CounterSettings.objects.select_for_update().get()
    if version is not None and version != kept.version:
        raise Conflict(details={"current": kept.version})
    changes = audit.difference(kept, values)
    for name, value in values.items():
        setattr(kept, name, value)
    try:
        kept.full_clean(exclude=["tenant"], validate_constraints=False)
    except ValidationError as error:
        raise ValidationFailed(fields=say_plainly(error).message_dict) from error
    if changes:
        kept.version += 1
        kept.save()
        audit.record(actor, "counter_settings.update", kept, changes)
    return kept
