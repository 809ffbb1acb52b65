"""What was done and said about a campaign, read from the audit log, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketing.campaigns import wording
from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.core.ids import lower_bound
from marketing.core.models import AuditEntry
from marketing.core.templatetags.formats import format_number, money

DECISIONS = ("campaign.approve", "campaign.reject", "campaign.ask_for_changes")
ENDS_THE_WAIT = (*DECISIONS, "campaign.edit")
APPROVED_STATES = {CampaignStatus.APPROVED, CampaignStatus.SCHEDULED}
MOST = 100


@dataclass(frozen=True)
class HistoryItem:
    """One act: what, by whom, what they said, and what followed."""

    act: wording.Act
    at: datetime
    by: str
    said: str
    notes: Sequence[str]
    is_comment: bool


@dataclass(frozen=True)
class LastAct:
    """What ended a campaign's wait for an approval; `at` as RFC 3339."""

    action: str
    by: str
    at: str
    sentence: str


def entries_of(campaign: Campaign) -> QuerySet[AuditEntry]:
    """The audit log of the campaign, newest first."""
    return AuditEntry.objects.filter(
        object_type=campaign._meta.label_lower,
        object_id=campaign.pk,
        id__gte=lower_bound(campaign.created_at),
    ).order_by("-id")


def history(campaign: Campaign) -> list[HistoryItem]:
    """The newest hundred acts, newest first. Each edit says what it voided."""
    entries = list(entries_of(campaign)[:MOST])
    items: list[HistoryItem] = []
    approval: AuditEntry | None = None
    for entry in reversed(entries):
        items.append(_item(entry, approval))
        if entry.action == "campaign.approve":
            approval = entry
        elif "status" in entry.changes:
            approval = None
    return items[::-1]


def last_act(campaign: Campaign) -> LastAct | None:
    """What last ended its wait for an approval, if anything did."""
    entry = entries_of(campaign).filter(action__in=ENDS_THE_WAIT).first()
    if entry is None:
        return None
    by = whose(entry)
    sentence = str(wording.HAPPENED[entry.action.split(".", 1)[-1]]) % {"by": by}
    return LastAct(entry.action, by, entry.at.isoformat().replace("+00:00", "Z"), sentence)


def whose(entry: AuditEntry) -> str:
    """Who did it, and in whose place."""
    away = entry.changes.get("inPlaceOf")
    if not away:
        return entry.actor_label
    return _("%(name)s for %(away)s") % {"name": entry.actor_label, "away": away}


def decision(entry: AuditEntry) -> HistoryItem:
    """One decision, by itself."""
    return _item(entry, None)


def _item(entry: AuditEntry, approval: AuditEntry | None) -> HistoryItem:
    act = entry.action.split(".", 1)[-1]
    changes = entry.changes
    said = changes.get("text") or (changes.get("reason") if entry.action in DECISIONS else "")
    notes: list[str] = []
    if act == "edit":
        notes = _edited(changes, approval)
    elif act == "stop":
        notes = [str(wording.pause_reason(changes.get("reason", ""))), changes.get("detail", "")]
    elif act in ("submit", "approve", "resume"):
        notes = [_figures(changes), *_because(changes)]
    return HistoryItem(
        act=wording.ACTS.get(act, wording.UNKNOWN_ACT),
        at=entry.at,
        by=whose(entry),
        said=said or "",
        notes=[note for note in notes if note],
        is_comment=act == "comment",
    )


def _edited(changes: Mapping[str, Any], approval: AuditEntry | None) -> list[str]:
    """What was changed, and what that made void."""
    changed = dict.fromkeys(
        str(wording.PLAN_FIELDS[name]) for name in changes if name in wording.PLAN_FIELDS
    )
    notes = [", ".join(changed)]
    before = (changes.get("status") or [""])[0]
    if before == CampaignStatus.PENDING_APPROVAL:
        notes.append(_("It no longer waits for an approval; it has to be submitted again."))
    elif before in APPROVED_STATES and approval is not None:
        notes.append(
            _("This voided the approval by %(name)s: %(figures)s.")
            % {"name": whose(approval), "figures": _figures(approval.changes)}
        )
    elif before in APPROVED_STATES:
        notes.append(_("It is a draft again and has to be submitted again."))
    return notes


def _figures(changes: Mapping[str, Any]) -> str:
    """People and cost, as they were then; "" where the entry has none."""
    people, cost = changes.get("recipients"), changes.get("cost")
    if people is None or cost is None:
        return ""
    counted = ngettext("%(count)s person", "%(count)s people", people)
    counted %= {"count": format_number(people)}
    return _("%(people)s, about %(cost)s") % {"people": counted, "cost": money(Decimal(cost))}


def _because(changes: Mapping[str, Any]) -> list[str]:
    """Why an approval was needed."""
    if "approvalBecause" not in changes:
        return []
    reasons = [
        str(wording.THRESHOLDS[reason])
        for reason in changes["approvalBecause"]
        if reason in wording.THRESHOLDS
    ]
    if not reasons:
        return [] if changes["approvalBecause"] else [_("It needs nobody's approval.")]
    return [_("Over the threshold of: %(what)s") % {"what": ", ".join(reasons)}]
