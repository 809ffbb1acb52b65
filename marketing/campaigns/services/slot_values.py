"""What a campaign fills into the open places of its messages: one value for all its channels."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from customers.models import Channel
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.content import merge_fields, rules
from marketing.content.links import compile_sent
from marketing.content.slots import Faults, SlotFaults, clean_given, required_in, slots_of
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.delivery.compliance import value_limits

FIELD = "slotValues"


def cleaned(campaign: Campaign, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept; what is still missing is asked for at submission.

    Raises `ValidationFailed` on `slotValues.offer.hi` or `slotValues.until`.
    """
    kept, faults = _cleaned(campaign, given)
    if faults:
        raise _refused(faults)
    return kept


def fitting(campaign: Campaign, given: Mapping[str, Any]) -> dict[str, Any]:
    """Of the values those that the campaign's messages still have room for."""
    return _cleaned(campaign, given)[0]


def _cleaned(campaign: Campaign, given: Mapping[str, Any]) -> tuple[dict[str, Any], Faults]:
    """Every step judges what it has a slot for; the strictest decides."""
    kept: dict[str, Any] = {}
    faults: Faults = {}
    known: set[str] = set()
    for step in plan.channel_steps(campaign):
        if step.template is None:
            continue
        slots = slots_of(step.version)
        known |= {slot.name for slot in slots}
        own = _own(step, given)
        for name, value in own.items():
            try:
                found = clean_given(slots, {name: value}, list(step.version.contents))
            except SlotFaults as wrong:
                faults |= wrong.faults
                continue
            for clean in found.values():
                both = isinstance(clean, dict) and isinstance(kept.get(name), dict)
                kept[name] = {**kept[name], **clean} if both else clean
    for path in faults:
        kept.pop(path.partition(".")[0], None)
    faults |= {name: [_("The message has no such field.")] for name in given.keys() - known}
    return kept, faults


def _own(step: plan.ChannelStep, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the step's message has slots for, in the languages that it is written in."""
    own: dict[str, Any] = {}
    for slot in slots_of(step.version):
        value = given.get(slot.name)
        if isinstance(value, Mapping) and slot.is_per_language:
            languages = current_tenant().languages
            own[slot.name] = {
                code: text
                for code, text in value.items()
                if code in step.version.contents or code not in languages
            }
        elif value is not None:
            own[slot.name] = value
    return own


def require_filled(step: plan.ChannelStep) -> None:
    """Raises `ValidationFailed` at each value that is missing, or that no longer fits."""
    version = step.version
    slots = slots_of(version)
    if not slots:
        return
    faults: Faults = {}
    try:
        clean_given(slots, _own(step, step.slot_values), list(version.contents))
    except SlotFaults as wrong:
        faults |= wrong.faults
    limits = value_limits(version, current_tenant().country)
    for language, texts in step.slots.items():
        required = required_in(version, language)
        for slot in slots:
            text = texts[slot.placeholder]
            path = f"{slot.name}.{language}" if slot.is_per_language else slot.name
            limit = limits.get(language, {}).get(slot.placeholder)
            if not text and slot.placeholder in required:
                faults.setdefault(path, [_("Fill this in.")])
            elif limit is not None and len(text) > limit:
                faults[path] = [
                    _(
                        "The registered SMS has room for %(limit)d characters here; this has "
                        "%(length)d."
                    )
                    % {"limit": limit, "length": len(text)}
                ]
    if faults:
        raise _refused(faults)
    _require_length(step)


def _require_length(step: plan.ChannelStep) -> None:
    """Raises `ValidationFailed` when the message is too long, filled in, for anybody."""
    sent = compile_sent(step.version).compiled
    samples = merge_fields.samples(sent.placeholders)
    for language, texts in step.slots.items():
        body = sent.render(language, samples | texts).body
        segments = rules.count_sms(body).segments
        text = ""
        if step.channel == Channel.WHATSAPP and len(body) > rules.WHATSAPP_BODY:
            text = _("Filled in, this is longer than WhatsApp allows.")
        elif step.channel == Channel.SMS and segments > rules.MAX_SMS_SEGMENTS:
            text = _("This takes %(segments)d SMS; at most %(limit)d are allowed.") % {
                "segments": segments,
                "limit": rules.MAX_SMS_SEGMENTS,
            }
        if text:
            raise ValidationFailed(fields={FIELD: [text]})


def _refused(faults: Faults) -> ValidationFailed:
    return ValidationFailed(fields={f"{FIELD}.{path}": reasons for path, reasons in faults.items()})
