"""What a campaign would do now: whom it reaches, through which versions, at what cost."""

import dataclasses
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.models import Channel, Customer
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.offers import NO_OFFER, OfferPlan, offer_plan
from marketing.content import merge_fields
from marketing.content import selectors as content
from marketing.content import slots as open_slots
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.rendering import Rendered, compile_version
from marketing.core import clock
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.coupons.merge_fields import COUPON_CODE, OFFER_FIELDS
from marketing.coupons.models import CodeBatch
from marketing.delivery import compliance
from marketing.delivery import estimate as delivery_estimate
from marketing.delivery.estimate import Estimate
from marketing.policy import selectors as policy
from marketing.policy.rules import purpose_of
from marketing.segments import selectors as segments


@dataclass(frozen=True)
class Sample:
    """One person of the audience and what they would read."""

    name: str
    channel: str
    message: Rendered


@dataclass(frozen=True)
class ChannelStep:
    """A channel of a campaign and its message; in a cascade, tried after so many minutes."""

    number: int
    channel: str
    template: MessageTemplate | None
    after_minutes: int
    known_version: TemplateVersion | None = None
    slot_values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    offer: OfferPlan = NO_OFFER

    @property
    def channel_label(self) -> str:
        return str(Channel(self.channel).label)

    @property
    def field(self) -> str:
        """Where the contract has its message, for errors."""
        return f"steps.{self.number}.templateId" if self.number else "templateId"

    @cached_property
    def version(self) -> TemplateVersion:
        """The newest version of the message. Raises `ValidationFailed` without one."""
        if self.template is None:
            raise ValidationFailed(fields={self.field: [_("Choose a message.")]})
        return self.known_version or content.current_version(self.template)

    @property
    def names_offer(self) -> frozenset[str]:
        """The merge fields of the message whose values come with the campaign's offer."""
        names = compile_version(self.version).placeholders
        return frozenset(name for name in names if merge_fields.is_given(name))

    @cached_property
    def slots(self) -> dict[str, dict[str, str]]:
        """What the campaign fills in, by language and placeholder; "" where it does not yet.

        Of its offer, what everybody reads: no code where each has one of her own.
        """
        named = self.names_offer
        offered = {name: value for name, value in self.offer.values.items() if name in named}
        own = open_slots.texts(self.version, self.slot_values)
        return {code: given | offered for code, given in own.items()}

    def slots_to_test(self) -> dict[str, dict[str, str]]:
        """The same, with a code that opens nothing where each has one of her own."""
        if not self.offer.sample_code or COUPON_CODE not in self.names_offer:
            return self.slots
        sample = {COUPON_CODE: self.offer.sample_code}
        return {code: sample | given for code, given in self.slots.items()}

    def slots_or_examples(self) -> dict[str, dict[str, str]]:
        """The same, with examples for what cannot stay empty: for drafts."""
        examples = merge_fields.samples(self.names_offer)
        shown = {code: examples | given for code, given in self.slots_to_test().items()}
        for code, given in shown.items():
            samples = open_slots.examples(open_slots.slots_of(self.version), code)
            for name in open_slots.required_in(self.version, code) & samples.keys():
                given[name] = given[name] or samples[name]
        return shown


def version_of(campaign: Campaign) -> TemplateVersion:
    """The newest version of the campaign's template. Raises `ValidationFailed` without one."""
    if campaign.template is None:
        raise ValidationFailed(fields={"templateId": [_("Choose a message.")]})
    return content.current_version(campaign.template)


def purpose(campaign: Campaign) -> str:
    """promotional, service or transactional, by the template. Needs one."""
    assert campaign.template is not None
    return purpose_of(campaign.template.template_type, campaign.template.trigger_type)


def channel_steps(campaign: Campaign) -> list[ChannelStep]:
    """The campaign's channels in their order, each with its message; one query, if any."""
    wanted = {uuid.UUID(step["templateId"]) for step in campaign.further_steps}
    if wanted and campaign.template_id:
        wanted.add(campaign.template_id)
    versions = content.current_versions(wanted) if wanted else {}
    first = versions.get(campaign.template_id) if campaign.template_id else None
    values, offer = campaign.slot_values, offer_plan(campaign)
    planned = [ChannelStep(0, campaign.channel, campaign.template, 0, first, values, offer)]
    for number, step in enumerate(campaign.further_steps, 1):
        version = versions.get(uuid.UUID(step["templateId"]))
        template = version.template if version else None
        planned.append(
            ChannelStep(
                number, step["channel"], template, step["afterMinutes"], version, values, offer
            )
        )
    return planned


def steps(campaign: Campaign, *, codes: CodeBatch | None = None) -> list[dict[str, Any]]:
    """The channel plan as delivery takes it: `[{"channel", "versionId", "afterMinutes", "slots",
    "personal"}]`, `slots` where the campaign fills in what the message leaves open, `personal`
    where it names the `codes` that each was given.

    Raises `ValidationFailed` when a step has no message.
    """
    planned = channel_steps(campaign)
    sent = _as_sent(planned)
    for step, shape in zip(planned, sent, strict=True):
        if codes is not None and COUPON_CODE in step.names_offer:
            shape["personal"] = {COUPON_CODE: str(codes.pk)}
    return sent


def fields_of_offer(campaign: Campaign) -> frozenset[str]:
    """The merge fields of its messages whose values come with its offer; none before it has any."""
    written = [step for step in channel_steps(campaign) if step.template is not None]
    return frozenset().union(*(step.names_offer for step in written))


def gives_own_codes(campaign: Campaign) -> bool:
    """Whether everybody gets a code of her own: one that a message has room for."""
    return campaign.unique_codes and COUPON_CODE in fields_of_offer(campaign)


def _as_sent(planned: list[ChannelStep], *, is_draft: bool = False) -> list[dict[str, Any]]:
    sent = []
    for step in planned:
        shape: dict[str, Any] = {
            "channel": step.channel,
            "versionId": str(step.version.pk),
            "afterMinutes": step.after_minutes,
        }
        slots = step.slots_or_examples() if is_draft else step.slots
        if any(slots.values()):
            shape["slots"] = slots
        sent.append(shape)
    return sent


def charged_branch_id(campaign: Campaign) -> uuid.UUID | None:
    """The campaign's only branch; None: each message is charged to its person's home branch."""
    return campaign.branch_ids[0] if campaign.branch_ids and len(campaign.branch_ids) == 1 else None


def audience(campaign: Campaign, now: dt.datetime, *, at_once: bool = False) -> QuerySet[Customer]:
    """Everyone the campaign is for, before the gate; `at_once` where all of them are read.

    Raises `ValidationFailed` on `segmentId` when nobody was chosen or the rule is broken.
    """
    if campaign.segment is None and not campaign.target_all_customers:
        raise ValidationFailed(fields={"segmentId": [_("Choose a segment or all customers.")]})
    try:
        return segments.audience(
            segment=campaign.segment,
            branch_ids=campaign.branch_ids,
            exclude_segment_ids=campaign.exclude_segment_ids,
            now=now,
            at_once=at_once,
        )
    except ValidationFailed as error:
        problems = [f"{path}: {text}" for path, texts in error.fields.items() for text in texts]
        raise ValidationFailed(
            _("The segment's rule is broken; mend it first."),
            fields={"segmentId": problems or [error.message]},
        ) from error


@dataclass(frozen=True)
class Judged:
    """A campaign's steps, and what the gate says of its audience at one moment."""

    steps: list[ChannelStep]
    verdicts: delivery_estimate.Judged

    def estimate(self) -> Estimate:
        """What would happen if it went: people, reasons for those left out, cost."""
        return delivery_estimate.estimate(self.verdicts)

    def samples(self, size: int) -> list[Sample]:
        """The message as a few people of the audience would get it."""
        return [
            Sample(
                person.name,
                self.steps[person.step].channel,
                compile_version(self.steps[person.step].version).render(
                    person.language, person.variables
                ),
            )
            for person in delivery_estimate.sample(self.verdicts, size=size)
        ]


def judged(campaign: Campaign, now: dt.datetime) -> Judged:
    """Plan the campaign once, to count its people and to look at some of them.

    Raises `ValidationFailed`, and as `delivery.plan.plan_channels` does.
    """
    planned = channel_steps(campaign)
    for step in planned:
        require_known_placeholders(step.version)
    verdicts = delivery_estimate.judged(
        audience=audience(campaign, now, at_once=True),
        purpose=purpose(campaign),
        mode=campaign.channel_mode,
        steps=_as_sent(planned, is_draft=True),
        charged_branch_id=charged_branch_id(campaign),
        now=now,
        versions={str(step.version.pk): step.version for step in planned},
    )
    return Judged(planned, verdicts)


def estimate(campaign: Campaign, now: dt.datetime) -> Estimate:
    """What would happen if it went now: people, reasons for those left out, cost."""
    return judged(campaign, now).estimate()


def completion_time(campaign: Campaign) -> dt.datetime | None:
    """When a run begun now should be through, by the account's rate.

    None without an account, or while it is stopped.
    """
    account = policy.default_account(campaign.channel)
    if account is None or account.circuit_reason:
        return None
    seconds = campaign.estimated_recipients / account.rate_per_second
    return clock.now() + dt.timedelta(seconds=seconds)


def require_compliant(campaign: Campaign, version: TemplateVersion) -> None:
    """Raises `SmsNotRegistered`, `SmsNotInBengali` on `templateId`; without an account, nothing."""
    if account := policy.default_account(version.template.channel):
        compliance.require_compliant(
            version=version,
            account=account,
            country=current_tenant().country,
            purpose=purpose(campaign),
        )


def require_known_placeholders(version: TemplateVersion) -> None:
    """Raises `ValidationFailed` on `templateId` for a name that no merge field fills, or none of
    a campaign's."""
    open_ones = {slot.placeholder for slot in open_slots.slots_of(version)}
    unknown = [
        name
        for name in compile_version(version).placeholders
        if (merge_fields.get(name) is None and name not in open_ones)
        or (merge_fields.is_given(name) and name not in OFFER_FIELDS)
    ]
    if unknown:
        named = ", ".join(f"{{{{{name}}}}}" for name in unknown)
        raise ValidationFailed(
            _("Nothing fills %(names)s.") % {"names": named},
            fields={
                "templateId": [_("Nothing fills %(names)s: mend the message.") % {"names": named}]
            },
            details={"placeholders": unknown},
        )


def fingerprint(campaign: Campaign, planned_steps: list[ChannelStep] | None = None) -> str:
    """SHA-256 of what an approval covers: audience rule, content, channels, schedule, budget.

    `planned_steps` are the campaign's `channel_steps`, where they were read already.
    """
    planned = campaign.scheduled_at
    planned_steps = planned_steps or channel_steps(campaign)
    chosen = [campaign.segment_id] if campaign.segment_id else []
    covered = {
        "segment": campaign.segment_id,
        "allCustomers": campaign.target_all_customers,
        "excluded": sorted(map(str, campaign.exclude_segment_ids)),
        "audience": segments.definitions([*chosen, *campaign.exclude_segment_ids]),
        "branches": sorted(str(pk) for pk in campaign.branch_ids or ()),
        "mode": campaign.channel_mode,
        "steps": _as_sent(planned_steps),
        "smsIds": [step.version.sms_ids for step in planned_steps],
        "topics": [step.template and step.template.topic_id for step in planned_steps],
        "type": campaign.campaign_type,
        "scheduledAt": planned and planned.astimezone(dt.UTC).isoformat(),
        "recurrence": campaign.recurrence_rule,
        "cost": f"{campaign.estimated_cost:.4f}",
    }
    if campaign.coupon is not None:
        offer = campaign.coupon
        covered["offer"] = [offer.pk, offer.revision, offer.code, campaign.unique_codes]
    text = json.dumps(covered, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
