"""Changes of what a chain calls new, loyal or lost, and late."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers import tasks
from customers.models import ScoringConfig
from customers.scoring import ensure_scoring
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.nudge import nudge
from marketing.core.plain_words import say_plainly

LIMITS = ("recency_limits", "frequency_limits", "monetary_limits")


@transaction.atomic
def update_scoring(*, actor: Actor, values: Mapping[str, Any]) -> ScoringConfig:
    """Change columns of `ScoringConfig`; everybody's facts follow soon.

    Raises `ValidationFailed` with the fields at fault; then nothing is changed.
    """
    actor.require("config.change")
    ensure_scoring()
    config = ScoringConfig.objects.select_for_update().get()
    changes = audit.difference(config, values)
    if not changes:
        return config
    for name, value in values.items():
        setattr(config, name, value)
    _check(config)
    config.version += 1
    config.save()
    audit.record(actor, "scoring.update", config, changes)
    transaction.on_commit(lambda: nudge(tasks.age_facts, str(config.tenant_id)))
    return config


def _check(config: ScoringConfig) -> None:
    try:
        config.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise ValidationFailed(fields=say_plainly(error).message_dict) from error
    faults: dict[str, list[str]] = {}
    for name in LIMITS:
        limits = getattr(config, name)
        if len(limits) != 4 or limits[0] <= 0 or any(low >= high for low, high in pairwise(limits)):
            faults[name] = [_("Give four limits above zero, each higher than the one before.")]
    if config.churned_days <= config.at_risk_days:
        faults["churned_days"] = [_("People are at risk before they are lost: give more days.")]
    if faults:
        raise ValidationFailed(fields=faults)
