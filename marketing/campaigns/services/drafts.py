"""Making, editing, copying and deleting campaigns."""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.campaigns import recurrence, rules
from marketing.campaigns.models import Campaign, CampaignStatus, CampaignType
from marketing.campaigns.recurrence import RecurrenceError
from marketing.campaigns.rules import Action, ChannelFault
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import authors_with
from marketing.campaigns.services import checks, conflicts, money, notices, slot_values
from marketing.campaigns.services.transitions import event_payload, lock, require_allowed
from marketing.content.models import MessageTemplate
from marketing.content.selectors import get_template_for_actor
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, DomainError, NotFound, ValidationFailed
from marketing.core.sent_again import make_once
from marketing.coupons.selectors import get_offer_for_actor
from marketing.coupons.services import create_offer
from marketing.delivery.models import SendRun
from marketing.policy import selectors as policy
from marketing.segments.selectors import get_segment_for_actor, narrow_branches

EDITABLE = (
    "name",
    "description",
    "campaign_type",
    "channel",
    "template_id",
    "channel_mode",
    "further_steps",
    "slot_values",
    "coupon_id",
    "unique_codes",
    "segment_id",
    "target_all_customers",
    "exclude_segment_ids",
    "branch_ids",
    "scheduled_at",
    "recurrence_rule",
)
FAULTS = {
    ChannelFault.NO_MODE: gettext_lazy("Say how the channels follow each other: cascade or all."),
    ChannelFault.NO_SECOND: gettext_lazy("Choose a second channel."),
    ChannelFault.USED_TWICE: gettext_lazy("Each channel can be used once."),
    ChannelFault.WAIT: gettext_lazy("From one minute to seven days."),
}


@transaction.atomic
def create_campaign(
    *, actor: Actor, values: Mapping[str, Any], must_be_whole: bool = False
) -> Campaign:
    """A new draft. `values` are fields of `EDITABLE`, or `recurrence_pattern`, `_day`, `_time`.

    `must_be_whole` (the API) refuses what submit would refuse but for an empty audience;
    drafts of the wizard may lack anything but name and channel. Raises `ValidationFailed`
    with the contract's field names, 021, 022.
    """
    actor.require("campaign.create")
    now = clock.now()
    campaign = Campaign(created_by=actor.user, created_at=now)
    campaign.author_ids = authors_with(actor, campaign)
    _apply(actor, campaign, {"branch_ids": None, **values})
    if must_be_whole:
        checks.require_whole(campaign, now)
    _estimate(campaign, now)
    campaign.save()
    audit.record(actor, "campaign.create", campaign, {"name": campaign.name})
    events.record(
        "campaign.created", event_payload(campaign, actor.user_id), actor_id=actor.user_id
    )
    return campaign


@transaction.atomic
def update_campaign(
    *, actor: Actor, campaign: Campaign, values: Mapping[str, Any], version: int | None = None
) -> Campaign:
    """Edit the campaign; one that waited, was approved or scheduled is a draft again.

    Nothing changes, and nothing is voided, when every value is as it was. Raises
    `InvalidCampaignStatus` once it has begun to send; on a stale `version` `Conflict`, whose
    details say what others changed since.
    """
    actor.require("campaign.create")
    campaign = lock(campaign)
    if version is not None and version != campaign.version:
        raise conflicts.stale(
            campaign,
            version=version,
            fields=EDITABLE,
            asked=values,
            apply=lambda mine: _apply(actor, mine, values),
        )
    require_allowed(campaign, Action.EDIT)
    before = {name: getattr(campaign, name) for name in EDITABLE}
    _apply(actor, campaign, values)
    changes = {
        name: [before[name], getattr(campaign, name)]
        for name in EDITABLE
        if before[name] != getattr(campaign, name)
    }
    if not changes:
        return campaign
    if campaign.status != CampaignStatus.DRAFT:
        changes["status"] = [campaign.status, CampaignStatus.DRAFT]
    campaign.status = CampaignStatus.DRAFT
    campaign.approved_by = campaign.approved_at = campaign.next_run_at = None
    campaign.approved_recipients = campaign.approved_cost = None
    campaign.approved_hash = ""
    campaign.author_ids = authors_with(actor, campaign)
    changes["version"] = [campaign.version, campaign.version + 1]
    campaign.version += 1
    _estimate(campaign, clock.now())
    campaign.save()
    money.release(campaign)
    audit.record(actor, "campaign.edit", campaign, changes)
    if "status" in changes:
        notices.settle(campaign)
    return campaign


@transaction.atomic
def bring_new_offer(
    *,
    actor: Actor,
    campaign: Campaign,
    offer: Mapping[str, Any],
    values: Mapping[str, Any],
    version: int | None = None,
) -> Campaign:
    """Make an offer for the campaign and its branches, and let it go with it.

    `offer` are the API's fields; the same asked for again, by the back button, is one offer.
    Both or nothing; raises as `create_offer` and `update_campaign`.
    """
    branches = campaign.branch_ids
    body = {
        **offer,
        "branchIds": [str(pk) for pk in branches] if branches else None,
        "campaignId": str(campaign.pk),
    }
    made = make_once(
        actor=actor,
        operation="campaign-offer",
        content=body,
        make=lambda: create_offer(actor=actor, body=body).pk,
    )
    return update_campaign(
        actor=actor, campaign=campaign, values={**values, "coupon_id": made.pk}, version=version
    )


@transaction.atomic
def copy_campaign(*, actor: Actor, campaign: Campaign) -> Campaign:
    """A new draft with the same plan and no times."""
    values = {name: getattr(campaign, name) for name in EDITABLE if name != "scheduled_at"}
    values["slot_values"] = slot_values.fitting(campaign, campaign.slot_values)
    copy = (_("Copy of %(name)s") % {"name": campaign.name})[
        : Campaign._meta.get_field("name").max_length
    ]
    return create_campaign(actor=actor, values=values | {"name": copy})


@transaction.atomic
def delete_campaign(*, actor: Actor, campaign: Campaign) -> None:
    """Delete a draft. Raises `Conflict` when it was sent before."""
    actor.require("campaign.create")
    campaign = lock(campaign)
    require_allowed(campaign, Action.DELETE)
    if campaign.runs.exists():
        raise Conflict(_("It was sent before and is kept for the record."))
    audit.record(actor, "campaign.delete", campaign, {"name": campaign.name})
    notices.settle_all(campaign)
    campaign.delete()


def _apply(actor: Actor, campaign: Campaign, values: Mapping[str, Any]) -> None:
    """Set the values, each checked for what the actor may refer to."""
    values = _with_steps(values)
    for name in ("name", "description", "channel", "target_all_customers"):
        if name in values:
            setattr(campaign, name, values[name])
    if "campaign_type" in values:
        campaign.campaign_type = _campaign_type(values["campaign_type"])
    if "scheduled_at" in values:
        moment = values["scheduled_at"]
        campaign.scheduled_at = moment and moment.astimezone(dt.UTC)
    if "template_id" in values:
        campaign.template = _chosen_template(actor, values["template_id"], "templateId")
    _set_channels(actor, campaign, values)
    if "slot_values" in values:
        campaign.slot_values = slot_values.cleaned(campaign, values["slot_values"])
    elif values.keys() & {"template_id", "further_steps", "channel_mode"}:
        campaign.slot_values = slot_values.fitting(campaign, campaign.slot_values)
    if "coupon_id" in values:
        campaign.coupon = _referred(get_offer_for_actor, actor, values["coupon_id"], "couponId")
    if values.keys() & {"coupon_id", "unique_codes"}:
        asked = values.get("unique_codes", campaign.unique_codes)
        campaign.unique_codes = bool(asked) and campaign.coupon is not None
    if "segment_id" in values:
        campaign.segment = _referred(
            get_segment_for_actor, actor, values["segment_id"], "segmentId"
        )
    if campaign.segment is not None and campaign.target_all_customers:
        raise ValidationFailed(
            fields={"segmentId": [_("Choose a segment or all customers, not both.")]}
        )
    if "exclude_segment_ids" in values:
        for pk in values["exclude_segment_ids"]:
            _referred(get_segment_for_actor, actor, pk, "excludeSegmentIds")
        campaign.exclude_segment_ids = sorted(set(values["exclude_segment_ids"]), key=str)
    if "branch_ids" in values:
        campaign.branch_ids = narrow_branches(actor, values["branch_ids"])
    campaign.recurrence_rule = _recurrence(campaign.recurrence_rule, values)
    if campaign.campaign_type != CampaignType.RECURRING:
        campaign.recurrence_rule = ""
    if campaign.recurrence_rule:
        checks.next_due(campaign, clock.now())


def _with_steps(values: Mapping[str, Any]) -> dict[str, Any]:
    """`steps` as the first channel and template, and what follows them."""
    taken = {name: value for name, value in values.items() if name != "steps"}
    if not values.get("steps"):
        return taken
    first, *further = values["steps"]
    for name, wire in (("channel", "channel"), ("template_id", "templateId")):
        if taken.setdefault(name, first[name]) != first[name]:
            raise ValidationFailed(fields={f"steps.0.{wire}": [_("It is not the campaign's own.")]})
    taken["further_steps"] = [
        {
            "channel": step["channel"],
            "templateId": str(step["template_id"]),
            "afterMinutes": step.get("after_minutes", 0),
        }
        for step in further
    ]
    if not further:
        taken.setdefault("channel_mode", SendRun.Mode.SINGLE)
    return taken


def _set_channels(actor: Actor, campaign: Campaign, values: Mapping[str, Any]) -> None:
    """The channels after the first, and how they are gone through.

    New WhatsApp campaigns with an SMS to fall back to are cascades where the chain's settings
    say so; otherwise the mode has to be given.
    """
    if not values.keys() & {"channel", "channel_mode", "further_steps"}:
        return
    if values.get("channel_mode") == SendRun.Mode.SINGLE:
        campaign.further_steps = []
    campaign.further_steps = list(values.get("further_steps", campaign.further_steps))
    if "further_steps" in values:
        for number, step in enumerate(campaign.further_steps, 1):
            field = f"steps.{number}.templateId"
            _chosen_template(actor, uuid.UUID(step["templateId"]), field)
    channels = [campaign.channel, *(step["channel"] for step in campaign.further_steps)]
    if "channel_mode" in values:
        campaign.channel_mode = values["channel_mode"]
    elif (
        campaign.channel_mode == SendRun.Mode.SINGLE
        and rules.falls_back_to_sms(channels)
        and policy.get_config().sms_fallback_enabled
    ):
        campaign.channel_mode = SendRun.Mode.CASCADE
    minutes = [0, *(step["afterMinutes"] for step in campaign.further_steps)]
    if faults := rules.channel_faults(campaign.channel_mode, channels, minutes):
        raise ValidationFailed(
            fields={field: [str(FAULTS[fault])] for field, fault in faults.items()}
        )


def _campaign_type(value: str) -> str:
    if value not in (CampaignType.ONE_TIME, CampaignType.RECURRING):
        raise ValidationFailed(fields={"campaignType": [_("One of one_time, recurring.")]})
    return value


def _chosen_template(actor: Actor, pk: uuid.UUID | None, field: str) -> MessageTemplate | None:
    template: MessageTemplate | None = _referred(get_template_for_actor, actor, pk, field)
    if template is not None:
        checks.require_may_choose(actor, template, field)
    return template


def _referred(getter: Any, actor: Actor, pk: uuid.UUID | None, field: str) -> Any:
    if pk is None:
        return None
    try:
        return getter(actor, pk)
    except NotFound as error:
        raise ValidationFailed(fields={field: [_("There is none, or it is not yours.")]}) from error


def _recurrence(rule: str, values: Mapping[str, Any]) -> str:
    """The rule given, or that of before, with Module 11's pattern, day and time laid over it.

    Where all three are null beside a rule, as a rule that says more reads, the rule stands.
    """
    rule = str(values.get("recurrence_rule", rule)).strip()
    try:
        rule = rule and recurrence.canonical(rule)
    except RecurrenceError as error:
        raise checks.unusable(error) from error
    given = {
        name: values[f"recurrence_{name}"]
        for name in ("pattern", "day", "time")
        if f"recurrence_{name}" in values
    }
    is_told_by_rule = "recurrence_rule" in values and set(given.values()) <= {None}
    if not given or is_told_by_rule:
        return rule
    parts = recurrence.recurrence_parts(rule) | given
    if not parts["pattern"]:
        return ""
    if parts["time"] is None:
        raise ValidationFailed(fields={"recurrenceTime": [_("Say at what time.")]})
    try:
        return recurrence.laid_over(rule, parts["pattern"], parts["day"], parts["time"])
    except ValueError as error:
        text = _("0 (Sunday) to 6 for weekly, 1 to 31 for monthly.")
        raise ValidationFailed(fields={"recurrenceDay": [text]}) from error


def _estimate(campaign: Campaign, now: dt.datetime) -> None:
    """Keep the newest figures; a draft that cannot be counted yet has none."""
    campaign.estimated_recipients, campaign.estimated_cost = 0, Decimal(0)
    campaign.counted = campaign.counted_at = None
    try:
        found = plan.estimate(campaign, now)
    except DomainError:
        return
    campaign.estimated_recipients, campaign.estimated_cost = found.total, found.cost
    campaign.counted, campaign.counted_at = found.to_json(), now
    reasons = checks.approval_reasons(campaign, recipients=found.total, cost=found.cost)
    campaign.requires_approval = bool(reasons)
