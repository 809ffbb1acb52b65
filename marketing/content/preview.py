"""A message as one person would get it, and what its author should know about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from customers.models import Channel, Customer
from marketing.content import merge_fields, rules
from marketing.content.contents import Contents
from marketing.content.links import with_short_links
from marketing.content.mail_footer import LINK, sender_of, with_footer
from marketing.content.merge_fields import SYSTEM
from marketing.content.rendering import CompiledVersion, Rendered, compile_contents
from marketing.content.rules import SmsCount
from marketing.content.slots import Slot, examples
from marketing.core.tenancy import current_tenant
from marketing.policy import selectors as policy
from marketing.policy.rules import PROMOTIONAL, TRANSACTIONAL


@dataclass(frozen=True)
class Preview:
    """`missing` names what the person has no value for: she would be skipped.

    `sms` is there on that channel only; `advice` are sentences, none of which is an error.
    """

    rendered: Rendered
    placeholders: tuple[str, ...]
    missing: tuple[str, ...]
    sms: SmsCount | None
    advice: tuple[str, ...]

    @property
    def characters(self) -> int:
        return len(self.rendered.body)


def preview(
    channel: str,
    contents: Contents,
    *,
    languages: Sequence[str],
    language: str,
    customer: Customer | None = None,
    sample_data: Mapping[str, str] | None = None,
    is_stranger: bool = False,
    purpose: str = PROMOTIONAL,
    slots: Sequence[Slot] = (),
) -> Preview:
    """The contents filled in for a customer, or with samples (`sample_data` goes before ours), or
    as for a stranger, of whom nothing is known and for whom defaults stand in.

    A missing value is shown by its name in angle brackets. An SMS is counted with short links
    where it will have them; an offer by e-mail ends as it will. Raises `MarkupError` for contents
    that were not cleaned.
    """
    compiled = compile_contents(channel, contents, tuple(languages))
    if is_stranger:
        variables = of_stranger(compiled.placeholders)
    else:
        variables = merge_fields.samples(compiled.placeholders)
    variables |= examples(slots, compiled.language_for(language))
    if customer is not None:
        variables |= merge_fields.values_of(customer, compiled.placeholders)
    elif not is_stranger:
        variables |= {k: v for k, v in (sample_data or {}).items() if k in variables}
    missing = compiled.missing(language, variables)
    variables |= {name: f"‹{name}›" for name in missing}
    rendered = as_read(compiled, language, variables, purpose=purpose)
    sent = rendered.body
    if channel == Channel.SMS and policy.is_tracked(channel):
        sent = _with_short_links(contents, tuple(languages), language, variables)
    return Preview(
        rendered=rendered,
        placeholders=compiled.placeholders,
        missing=tuple(missing),
        sms=rules.count_sms(sent) if channel == Channel.SMS else None,
        advice=tuple(_advice(channel, sent)),
    )


def of_stranger(names: Iterable[str]) -> dict[str, str]:
    """What is known of somebody of whom nothing is known: who writes, and what the sender makes."""
    known = merge_fields.samples(
        name for name in names if merge_fields.kind(name) == SYSTEM or merge_fields.is_given(name)
    )
    return known | {"salon_name": current_tenant().name}


def as_read(
    compiled: CompiledVersion, language: str, variables: Mapping[str, str], *, purpose: str
) -> Rendered:
    """The message with its author's own links; in the open tenant scope.

    Raises `MissingValue`, `MarkupError`.
    """
    if compiled.channel != Channel.EMAIL or purpose == TRANSACTIONAL:
        return compiled.render(language, variables)
    values = {**compiled.values(language, variables), **merge_fields.samples([LINK])}
    form = with_footer(compiled.mail(language), sender=sender_of(current_tenant().name))
    mail = form.fill(values)
    return Rendered(body=mail.body, language=mail.language, subject=mail.subject, html=mail.html)


def _with_short_links(
    contents: Contents, languages: tuple[str, ...], language: str, variables: Mapping[str, str]
) -> str:
    contents, _links = with_short_links(Channel.SMS, contents, settings.PUBLIC_BASE_URL)
    sent = compile_contents(Channel.SMS, contents, languages)
    return sent.render(language, {**merge_fields.samples(sent.placeholders), **variables}).body


def _advice(channel: str, text: str) -> list[str]:
    if channel == Channel.SMS:
        return _sms_advice(text)
    if channel == Channel.WHATSAPP and len(text) > rules.WHATSAPP_BODY:
        return [_("Filled in, this is longer than WhatsApp allows.")]
    return []


def _sms_advice(text: str) -> list[str]:
    count = rules.count_sms(text)
    advice = []
    suggestion = rules.suggest_gsm(text)
    if suggestion and suggestion.fits:
        cheaper = rules.count_sms(suggestion.text).segments
        if cheaper < count.segments:
            advice.append(
                _("Without %(characters)s this takes %(cheaper)d SMS instead of %(now)d.")
                % {
                    "characters": " ".join(suggestion.replaced),
                    "cheaper": cheaper,
                    "now": count.segments,
                }
            )
    if count.segments > 1:
        advice.append(_("Each person costs %(segments)d SMS.") % {"segments": count.segments})
    return advice
