"""Whether a campaign is whole: what submit, approve and send refuse, and why."""

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketing.campaigns import rules, wording
from marketing.campaigns.models import Campaign, CampaignStatus, CampaignType
from marketing.campaigns.recurrence import Fault, RecurrenceError
from marketing.campaigns.selectors import dates, offers, plan
from marketing.campaigns.services import slot_values
from marketing.content.models import STOPPED, MessageTemplate, TemplateVersion, WhatsAppStatus
from marketing.content.selectors import sends_locked_only
from marketing.core.actor import Actor
from marketing.core.errors import (
    BudgetExceeded,
    DomainError,
    TemplateChannelMismatch,
    ValidationFailed,
    WhatsAppTemplateNotApproved,
)
from marketing.coupons.merge_fields import COUPON_CODE, OFFER_VALID_UNTIL
from marketing.coupons.owners import owner_of
from marketing.delivery.estimate import Estimate
from marketing.delivery.models import SendRun
from marketing.policy import selectors as policy
from marketing.policy.rules import purpose_of
from marketing.segments.models import Segment

# The gate's reason for whoever has no value for one of the text's placeholders.
MISSING_VALUE = "missing_value"


def require_content(campaign: Campaign) -> None:
    """Raises 021, 022 or `ValidationFailed` when a step's message cannot be sent.

    The field is `templateId` for the first, `steps.1.templateId` for the next.
    """
    for step in plan.channel_steps(campaign):
        try:
            _require_message(campaign, step)
        except DomainError as error:
            error.fields = {
                step.field if field == "templateId" else field: reasons
                for field, reasons in error.fields.items()
            }
            raise


def _require_message(campaign: Campaign, step: plan.ChannelStep) -> None:
    template = step.template
    if template is None:
        raise ValidationFailed(fields={"templateId": [_("Choose a message.")]})
    if template.channel != step.channel:
        text = _("“%(name)s” is for %(channel)s.") % {
            "name": template.name,
            "channel": template.get_channel_display(),
        }
        raise TemplateChannelMismatch(text, fields={"templateId": [text]})
    if not template.is_active:
        raise ValidationFailed(fields={"templateId": [_("This message is no longer in use.")]})
    purpose = purpose_of(template.template_type, template.trigger_type)
    if purpose != plan.purpose(campaign):
        text = _("“%(name)s” is of another kind than the first message.") % {"name": template.name}
        raise ValidationFailed(fields={"templateId": [text]})
    version = step.version
    if step.channel == "whatsapp" and version.whatsapp_status != WhatsAppStatus.APPROVED:
        raise WhatsAppTemplateNotApproved(
            fields={
                "templateId": [
                    _("WhatsApp has not approved “%(name)s” yet.") % {"name": template.name}
                ]
            },
            details={"whatsappStatus": version.whatsapp_status or None},
        )
    plan.require_known_placeholders(version)
    slot_values.require_filled(step)
    plan.require_compliant(campaign, version)


def require_may_choose(actor: Actor, template: MessageTemplate, field: str) -> None:
    """Raises `ValidationFailed` where the actor may send only what head office has locked."""
    if not template.is_locked and sends_locked_only(actor):
        text = _("Your branches send head office's messages only. Choose one with a lock.")
        raise ValidationFailed(fields={field: [text]})


def require_own_messages(actor: Actor, campaign: Campaign) -> None:
    """Raises as `require_may_choose` for any of the campaign's messages."""
    for step in plan.channel_steps(campaign):
        if step.template is not None:
            require_may_choose(actor, step.template, step.field)


def require_templates_approved(campaign: Campaign, run: SendRun | None) -> None:
    """Raises 022 when what goes on would send a template that WhatsApp has stopped.

    A frozen run goes on with the versions that it has, anything else begins with the newest.
    """
    if run is None or run.frozen_at is None or campaign.paused_from == CampaignStatus.SCHEDULED:
        require_sendable(campaign)
        return
    used = [step["versionId"] for step in run.steps]
    stopped = TemplateVersion.objects.filter(pk__in=used, whatsapp_status__in=STOPPED)
    if version := stopped.select_related("template").first():
        text = _("WhatsApp has stopped “%(name)s”. Once it is approved again you can go on.") % {
            "name": version.template.name
        }
        raise WhatsAppTemplateNotApproved(
            text,
            fields={"templateId": [text]},
            details={"whatsappStatus": version.whatsapp_status},
        )


def require_whole(campaign: Campaign, now: dt.datetime) -> None:
    """Raises the first reason why the campaign cannot be submitted, naming the input at fault."""
    if not campaign.name.strip():
        raise ValidationFailed(fields={"name": [_("Give the campaign a name.")]})
    require_sendable(campaign)
    plan.audience(campaign, now)
    require_schedule(campaign, now)


def require_sendable(campaign: Campaign) -> None:
    """Raises as `require_content` and `require_offer`, and when a segment that the campaign names
    was deleted.
    """
    require_content(campaign)
    require_offer(campaign)
    _require_segments(campaign)


def require_offer(campaign: Campaign) -> None:
    """Raises `ValidationFailed` on `couponId` when the offer does not fit the message, or no longer
    holds (`pauseReason`).
    """
    offer = campaign.coupon
    names = plan.fields_of_offer(campaign)
    if offer is None:
        if names:
            raise _at_offer(_("The message names an offer: choose one, or another message."))
        return
    if not offers.is_live(offer):
        raise _at_offer(
            _("The offer “%(name)s” is switched off or over; choose another.")
            % {"name": offer.name},
            pauseReason="offer_not_live",
        )
    if campaign.unique_codes and offer.is_automatic:
        raise _at_offer(_("“%(name)s” applies by itself: it has no codes.") % {"name": offer.name})
    owner = owner_of(offer.pk) if campaign.unique_codes else None
    if owner is not None:
        raise _at_offer(str(owner.no_codes))
    if COUPON_CODE in names and not campaign.unique_codes and not offer.code:
        raise _at_offer(
            _("“%(name)s” has no code for everybody: let each person get a code of her own.")
            % {"name": offer.name}
        )
    if OFFER_VALID_UNTIL in names and offer.valid_until is None:
        raise _at_offer(
            _("The message says until when, and “%(name)s” has no last day.") % {"name": offer.name}
        )


def _at_offer(text: str, **details: str) -> ValidationFailed:
    return ValidationFailed(text, fields={"couponId": [text]}, details=details)


def _require_segments(campaign: Campaign) -> None:
    named = [campaign.segment_id, *campaign.exclude_segment_ids]
    gone = Segment.objects.filter(pk__in=filter(None, named), is_active=False).first()
    if gone:
        field = "segmentId" if gone.pk == campaign.segment_id else "excludeSegmentIds"
        text = _("The segment “%(name)s” was deleted; choose another.") % {"name": gone.name}
        raise ValidationFailed(fields={field: [text]})


def require_schedule(campaign: Campaign, now: dt.datetime) -> None:
    """Raises `ValidationFailed` for a time that is past, or a recurrence that never comes."""
    if campaign.campaign_type == CampaignType.RECURRING:
        if not campaign.recurrence_rule:
            raise ValidationFailed(fields={"recurrencePattern": [_("Say how often it repeats.")]})
        if next_due(campaign, now) is None and (why := dates.silence(campaign, now)):
            raise ValidationFailed(fields={"recurrenceRule": [str(wording.SILENCES[why])]})
    elif campaign.scheduled_at is not None and campaign.scheduled_at <= now:
        raise ValidationFailed(
            fields={"scheduledAt": [_("This time is past; choose a later one.")]}
        )


def next_due(campaign: Campaign, now: dt.datetime) -> dt.datetime | None:
    """When the campaign should go next; None when a time was not set or the recurrence is over.

    Raises `ValidationFailed` for a rule that cannot be used.
    """
    if campaign.campaign_type != CampaignType.RECURRING:
        return campaign.scheduled_at
    try:
        return next(iter(dates.upcoming(campaign, now, 1)), None)
    except RecurrenceError as error:
        raise unusable(error) from error


def unusable(error: RecurrenceError) -> ValidationFailed:
    """The refusal of a recurrence rule, at the field to mend."""
    field = "scheduledAt" if error.fault == Fault.TOO_OLD else "recurrenceRule"
    return ValidationFailed(fields={field: [str(wording.RECURRENCE_FAULTS[error.fault])]})


def approval_reasons(campaign: Campaign, *, recipients: int, cost: Decimal) -> list[str]:
    """Why somebody else must approve so many people at such a cost, with the campaign's offer;
    empty when nobody need.
    """
    config = policy.get_config()
    return rules.approval_reasons(
        approval_required=config.campaign_approval_required,
        recipients=recipients,
        cost=cost,
        recipient_threshold=config.campaign_approval_threshold_recipients,
        cost_threshold=config.approval_threshold_cost,
        discount=offers.depth(campaign.coupon) if campaign.coupon else Decimal(0),
        discount_threshold=config.approval_threshold_discount_percent,
    )


def require_people(campaign: Campaign, estimate: Estimate) -> None:
    """Raises `ValidationFailed` on `segmentId` when the audience is empty.

    One that recurs may find somebody another day: whose birthday it is.
    """
    if not estimate.total and campaign.campaign_type != CampaignType.RECURRING:
        raise ValidationFailed(
            _("Nobody is in this audience."),
            fields={"segmentId": [_("Nobody is in this audience now. Choose a wider one.")]},
        )


def warnings(campaign: Campaign) -> list[dict[str, object]]:
    """What to say at once, by its newest count: what the budget cannot pay is refused later,
    people who lack a value that the text needs are skipped.
    """
    said: list[dict[str, object]] = []
    left = policy.budget_left(campaign.branch_ids)
    if left is not None and campaign.estimated_cost > left:
        said.append(
            {
                "code": BudgetExceeded.code,
                "message": str(BudgetExceeded.default_message),
                "details": {"asked": str(campaign.estimated_cost), "left": str(left)},
            }
        )
    lacking = (campaign.counted or {}).get("reasons", {}).get(MISSING_VALUE, 0)
    if lacking:
        text = ngettext(
            "%(count)s person lacks a value that the text needs, and would be skipped.",
            "%(count)s people lack a value that the text needs, and would be skipped.",
            lacking,
        )
        said.append(
            {
                "code": MISSING_VALUE,
                "message": text % {"count": lacking},
                "details": {"reason": MISSING_VALUE, "people": lacking},
            }
        )
    for code, text in offers.advice(campaign, plan.fields_of_offer(campaign)):
        said.append({"code": code, "message": text, "details": {}})
    return said
