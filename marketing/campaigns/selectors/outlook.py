"""What a page says before anything goes: who, why not, how much, in which words."""

import datetime as dt
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from customers.models import Channel
from marketing.campaigns import rules
from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.offers import OfferOutlook, offer_outlook
from marketing.content import merge_fields
from marketing.content.links import compile_sent
from marketing.content.models import MessageTemplate, TemplateType
from marketing.content.preview import as_read, of_stranger
from marketing.content.rendering import Rendered, compile_version
from marketing.content.rules import SmsCount, count_sms
from marketing.content.selectors import templates_to_send
from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.delivery.estimate import Estimate
from marketing.policy import selectors as policy
from marketing.segments.selectors import get_segment_for_actor


@dataclass(frozen=True)
class Outlook:
    """An estimate for people to read.

    `counted_at` is when, if it was not counted now. `stand_in` is the message it was counted
    with while the campaign has none of its own. `problem` says why there is no estimate.
    `channels` are those of the plan, in order. `samples` are as many messages as were asked for,
    as real people would get them. `offer` is what the campaign's offer gives those who get it.
    """

    estimate: Estimate | None = None
    counted_at: dt.datetime | None = None
    budget_left: Decimal | None = None
    stand_in: MessageTemplate | None = None
    problem: str = ""
    channels: Sequence[str] = ()
    samples: Sequence[plan.Sample] = ()
    offer: OfferOutlook | None = None

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why people are left out, most frequent first."""
        found = self.estimate.reasons if self.estimate else {}
        return sorted(found.items(), key=lambda item: -item[1])

    @property
    def at_first(self) -> list[tuple[str, int]]:
        """How many messages go at once on each channel; empty when there is only one."""
        found = self.estimate.steps if self.estimate else {}
        if len(self.channels) < 2:
            return []
        return [(channel, found.get(number, 0)) for number, channel in enumerate(self.channels)]

    @property
    def left_out(self) -> int:
        return self.estimate.total - self.estimate.sendable if self.estimate else 0

    @property
    def is_over_budget(self) -> bool:
        return (
            self.estimate is not None
            and self.budget_left is not None
            and self.estimate.cost > self.budget_left
        )


def outlook(
    actor: Actor,
    campaign: Campaign,
    now: dt.datetime,
    *,
    segment_id: uuid.UUID | None = None,
    target_all_customers: bool | None = None,
    exclude_segment_ids: Sequence[uuid.UUID] | None = None,
    samples: int = 0,
    is_fresh: bool = True,
) -> Outlook:
    """What the campaign would do now, with an audience chosen but not saved where given.

    Not `is_fresh`: what was counted of late for the same audience will do.
    """
    saved = _audience(campaign)
    if target_all_customers is not None:
        campaign.target_all_customers = target_all_customers
        campaign.segment = get_segment_for_actor(actor, segment_id) if segment_id else None
        campaign.exclude_segment_ids = list(exclude_segment_ids or ())
    if campaign.segment is None and not campaign.target_all_customers:
        return Outlook()
    kept = None
    if not is_fresh and _audience(campaign) == saved:
        kept = _counted_of_late(campaign, now)
    stand_in = None
    if campaign.template is None:
        usable = templates_to_send(actor).filter(channel=campaign.channel)
        offers = usable.filter(template_type=TemplateType.PROMOTIONAL).order_by("-pk")
        campaign.template = stand_in = offers.first() or usable.order_by("-pk").first()
    try:
        judged = plan.judged(campaign, now)
        estimate = kept or judged.estimate()
        messages = judged.samples(samples) if samples else []
    except DomainError as error:
        reasons = [reason for found in error.fields.values() for reason in found]
        return Outlook(problem=" ".join(reasons) or error.message)
    finally:
        if stand_in is not None:
            campaign.template = None
    channels = [str(Channel(step["channel"]).label) for step in campaign.steps]
    budget_left = policy.budget_left(campaign.branch_ids)
    if budget_left is not None and campaign.status not in rules.HOLDING_NOTHING:
        budget_left += policy.held_for(campaign.pk)
    return Outlook(
        estimate,
        campaign.counted_at if kept else None,
        budget_left,
        stand_in,
        channels=channels,
        samples=messages,
        offer=offer_outlook(campaign, estimate.sendable),
    )


def _audience(campaign: Campaign) -> tuple[Any, ...]:
    chosen = campaign.segment.pk if campaign.segment else None
    return campaign.target_all_customers, chosen, frozenset(campaign.exclude_segment_ids)


def _counted_of_late(campaign: Campaign, now: dt.datetime) -> Estimate | None:
    """What was kept when the campaign was saved. One that waits for its approver is counted anew
    by a task.
    """
    if not campaign.counted or campaign.counted_at is None:
        return None
    is_waiting = campaign.status == CampaignStatus.PENDING_APPROVAL
    if not is_waiting and campaign.counted_at < now - rules.COUNT_HOLDS:
        return None
    # What an earlier version of Parlour kept may have other fields: then it is counted.
    with suppress(LookupError, TypeError):
        return Estimate.from_json(campaign.counted)
    return None


@dataclass(frozen=True)
class Preview:
    """The message of a channel in one language, filled with sample values.

    An SMS is counted as it will be sent, with short links.
    """

    channel: str
    message: Rendered
    sms: SmsCount | None

    @property
    def button_texts(self) -> list[str]:
        return [button.text for button in self.message.buttons]


def message_previews(campaign: Campaign, *, is_stranger: bool = False) -> list[Preview]:
    """The message of each channel in each of its languages; none before it is chosen.

    Filled with samples, or as for somebody of whom nothing is known.
    """
    if campaign.template is None:
        return []
    purpose = plan.purpose(campaign)
    steps = plan.channel_steps(campaign)
    return [preview for step in steps for preview in _previews(step, purpose, is_stranger)]


def _previews(step: plan.ChannelStep, purpose: str, is_stranger: bool) -> list[Preview]:
    compiled = compile_version(step.version)
    sent = compile_sent(step.version).compiled
    names = (*compiled.placeholders, *sent.placeholders)
    values = {name: f"[{name}]" for name in names} | merge_fields.samples(names)
    if is_stranger:
        # Who has no value for one of these would not get it at all.
        needed = compiled.required | sent.required
        values = {name: values[name] for name in needed} | of_stranger(names)
    filled = step.slots_or_examples()
    return [
        Preview(
            step.channel,
            as_read(compiled, language, values | filled.get(language, {}), purpose=purpose),
            count_sms(sent.render(language, values | filled.get(language, {})).body)
            if step.channel == "sms"
            else None,
        )
        for language in compiled.languages
    ]
