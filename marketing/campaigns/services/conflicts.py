"""Two people editing one campaign: what the other one changed since."""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.history import entries_of
from marketing.core.errors import Conflict, DomainError
from marketing.core.models import AuditEntry

EDIT = "campaign.edit"


def stale(
    campaign: Campaign,
    *,
    version: int,
    fields: Iterable[str],
    asked: Mapping[str, Any],
    apply: Callable[[Campaign], None],
) -> Conflict:
    """The refusal for whoever read `version` of a campaign that is further by now.

    `details`: `current`, the newest version; `by`, `at` and `act` of the newest act; `status`;
    and `changed`, of what others edited since and the caller would have otherwise,
    `{"field": [theirs, yours]}`. What the caller does not ask to change is "yours" as it was.
    """
    mine = _wished(campaign, apply)
    acts = entries_of(campaign)
    # Each edit made one version more: what came after `version` is among so many.
    edits = acts.filter(action=EDIT)[: max(campaign.version - version, 0)]
    changed = {}
    for name, before in _edited_since(edits, version).items():
        if name not in fields:
            continue
        theirs, yours = getattr(campaign, name), getattr(mine, name)
        if theirs == yours and name not in asked:
            yours = before
        theirs, yours = _plain(theirs), _plain(yours)
        if theirs != yours:
            changed[_wire(name)] = [theirs, yours]
    newest = acts.first()
    return Conflict(
        details={
            "current": campaign.version,
            "status": campaign.status,
            "by": newest.actor_label if newest else None,
            "at": newest.at.isoformat() if newest else None,
            "act": newest.action if newest else None,
            "changed": changed,
        }
    )


def _wished(campaign: Campaign, apply: Callable[[Campaign], None]) -> Campaign:
    """The campaign as the caller would have it; as it is where that cannot be."""
    mine = copy.copy(campaign)
    try:
        apply(mine)
    except DomainError:
        return campaign
    return mine


def _edited_since(edits: Iterable[AuditEntry], version: int) -> dict[str, Any]:
    """The fields that were edited after `version`, each with what it was at that time."""
    before: dict[str, Any] = {}
    for edit in edits:
        # What was edited before versions were noted is of an unknown one, and counts.
        if edit.changes.get("version", [version])[0] >= version:
            before |= {name: change[0] for name, change in edit.changes.items()}
    return before


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _wire(name: str) -> str:
    """The column as it travels; `furtherSteps` are the contract's `steps` after the first."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
