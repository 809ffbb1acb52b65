"""What the wizard shows when somebody else changed the campaign meanwhile."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from marketing.campaigns.models import CampaignStatus
from marketing.core.errors import Conflict
from marketing.core.templatetags.formats import moment
from marketing.policy.audit_words import act_in_words, changes_in_words

# The button that saves over the others' change sends the version it saw of it.
OVER = "over"
COLUMNS = {
    "campaignType": "campaign_type",
    "templateId": "template_id",
    "channelMode": "channel_mode",
    "furtherSteps": "further_steps",
    "couponId": "coupon_id",
    "uniqueCodes": "unique_codes",
    "segmentId": "segment_id",
    "targetAllCustomers": "target_all_customers",
    "excludeSegmentIds": "exclude_segment_ids",
    "branchIds": "branch_ids",
    "scheduledAt": "scheduled_at",
    "recurrenceRule": "recurrence_rule",
}


@dataclass(frozen=True)
class ConflictInWords:
    """Who did what since, and of each difference the field, theirs and yours."""

    by: str
    at: dt.datetime | None
    act: str
    status: str
    version: int
    changed: Sequence[tuple[str, str, str]]


def seen_version(posted: QueryDict, version: int | None) -> int | None:
    """The version that the person saw last: of the conflict she decided, else of her form."""
    over = posted.get(OVER, "")
    return int(over) if over.isdecimal() and len(over) < 10 else version


def in_words(error: Conflict) -> ConflictInWords:
    """The details of a refused `update_campaign` for people to read, times in the active zone."""
    details = error.details
    changed = {COLUMNS.get(name, name): pair for name, pair in details["changed"].items()}
    return ConflictInWords(
        by=details["by"] or "",
        at=parse_datetime(details["at"]) if details["at"] else None,
        act=act_in_words(details["act"]) if details["act"] else "",
        status=str(CampaignStatus(details["status"]).label),
        version=details["current"],
        changed=changes_in_words(_with_times(changed)),
    )


def _with_times(changed: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    return {
        name: [_moment(value) for value in pair] if name == "scheduled_at" else list(pair)
        for name, pair in changed.items()
    }


def _moment(value: str | None) -> str | None:
    at = parse_datetime(value) if value else None
    return moment(timezone.localtime(at)) if at else None
