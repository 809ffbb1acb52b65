"""Messages to one person: a manager's test to a staff phone, the answer to what she wrote."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Channel, Customer, Purpose
from marketing.content import merge_fields
from marketing.content.links import compile_sent
from marketing.content.models import TemplateVersion
from marketing.content.rendering import compile_version
from marketing.content.rules import count_sms
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import (
    ChannelDisabled,
    MarketingDisabled,
    ProviderFailed,
    ValidationFailed,
)
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.delivery.compliance import require_compliant, too_long, value_limits
from marketing.delivery.models import DispatchBatch, Message, MessageState, SendRun
from marketing.delivery.plan import resolvable
from marketing.delivery.tasks import nudge_dispatch
from marketing.policy import selectors as policy
from marketing.policy.models import ProviderAccount
from marketing.policy.rules import message_category, purpose_of

# Ahead of every campaign.
PRIORITY = 10


@transaction.atomic
def send_test(
    *,
    actor: Actor,
    version: TemplateVersion,
    customer: Customer,
    address: str,
    language: str,
    with_samples: bool = False,
    branch_id: uuid.UUID | None = None,
    slots: Mapping[str, Mapping[str, str]] | None = None,
) -> Message:
    """Send `version` as it would read for `customer`, or with sample values, to a staff address,
    at once; the cost is the branch's.

    `slots` is what the campaign fills in, by language.
    Consent, hours and caps are the customer's and do not hold for staff; the switches and what
    operators check do. Raises `MarketingDisabled`, `ChannelDisabled`, `ProviderFailed` while
    the account's circuit is open, what `compliance.require_compliant` raises, and
    `ValidationFailed` when the customer lacks a value the text needs, or has one too long.
    """
    channel = version.template.channel
    account = _open_account(channel)
    template, country = version.template, current_tenant().country
    purpose = purpose_of(template.template_type, template.trigger_type)
    require_compliant(version=version, account=account, country=country, purpose=purpose)
    compiled = compile_version(version)
    names = resolvable(compiled)
    variables = (
        merge_fields.samples(names) if with_samples else merge_fields.values_of(customer, names)
    )
    variables |= (slots or {}).get(compiled.language_for(language), {})
    if missing := compiled.missing(language, variables):
        raise _unfit(
            _(
                "The text needs %(fields)s, and %(customer)s has none. Choose another customer, "
                "or give it a default in the text."
            ),
            customer,
            missing,
        )
    limits = value_limits(version, country)
    if long := too_long(limits, compiled.language_for(language), variables):
        raise _unfit(
            _(
                "%(fields)s of %(customer)s is longer than operators let through. Choose another "
                "customer, or register more room for it."
            ),
            customer,
            long,
        )
    segments = _segments(version, language, variables)
    price = _price(account, channel, purpose)
    message = _queue(
        Message(
            customer=customer,
            branch_id=branch_id,
            account=account,
            template_version=version,
            kind=SendRun.Kind.TEST,
            channel=channel,
            address=address,
            language=language,
            variables=variables,
            segments=segments,
            cost=price * segments,
        ),
        steps=[{"channel": channel, "versionId": str(version.pk), "afterMinutes": 0}],
    )
    audit.record(actor, "message.test_sent", message, {"channel": channel})
    return message


@transaction.atomic
def send_reply(
    *, customer: Customer, channel: str, account: ProviderAccount, address: str, text: str
) -> Message:
    """Answer what a person wrote in free text, by the account she wrote to, at once.

    She asked for it: consent, hours and caps do not hold for it, the switches do. Where and
    how long free text is allowed is the caller's to know. Raises `MarketingDisabled`,
    `ChannelDisabled`, `ProviderFailed` while the account's circuit is open.
    """
    _require_open(channel, account)
    segments = count_sms(text).segments if channel == Channel.SMS else 1
    price = _price(account, channel, Purpose.TRANSACTIONAL)
    return _queue(
        Message(
            customer=customer,
            branch_id=customer.home_branch_id,
            account=account,
            kind=SendRun.Kind.TRANSACTIONAL,
            channel=channel,
            address=address,
            language=customer.language,
            variables={"text": text},
            segments=segments,
            cost=price * segments,
        ),
        steps=[],
    )


def _segments(version: TemplateVersion, language: str, variables: dict[str, str]) -> int:
    """Of an SMS as it leaves, with short links; 1 on other channels."""
    if version.template.channel != Channel.SMS:
        return 1
    sent = compile_sent(version).compiled
    text = sent.render(language, {**merge_fields.samples(sent.placeholders), **variables}).body
    return count_sms(text).segments


def _price(account: ProviderAccount, channel: str, purpose: str) -> Decimal:
    return policy.message_price(
        provider=account.provider,
        channel=channel,
        country=current_tenant().country,
        category=message_category(purpose),
        on=policy.day_of(clock.now()),
    )


def _unfit(sentence: str, customer: Customer, names: list[str]) -> ValidationFailed:
    """This customer cannot stand for the others: the merge fields with these names do not fit."""
    fields = ", ".join(f"“{merge_fields.label(name)}”" for name in names)
    text = sentence % {"fields": fields, "customer": customer.name}
    return ValidationFailed(text, fields={"customerId": [text]}, details={"names": names})


def _open_account(channel: str) -> ProviderAccount:
    """The channel's own account, fit to be sent by."""
    account = policy.default_account(channel)
    if account is None:
        raise ChannelDisabled()
    _require_open(channel, account)
    return account


def _require_open(channel: str, account: ProviderAccount) -> None:
    config = policy.get_config()
    if not config.marketing_enabled:
        raise MarketingDisabled()
    if not getattr(config, f"{channel}_enabled"):
        raise ChannelDisabled()
    if account.circuit_reason:
        raise ProviderFailed(
            _("Nothing can be sent by %(account)s just now: %(why)s")
            % {"account": account.name, "why": account.circuit_reason}
        )


def _queue(message: Message, *, steps: list[dict[str, Any]]) -> Message:
    """Save the message with a run and a batch of its own, ahead of campaigns."""
    run = SendRun.objects.create(
        state=SendRun.State.FROZEN,
        kind=message.kind,
        purpose=Purpose.TRANSACTIONAL,
        priority=PRIORITY,
        steps=steps,
        audience=1,
        frozen_at=clock.now(),
    )
    batch = DispatchBatch.objects.create(
        tenant_id=current_tenant_id(),
        run_id=run.pk,
        account_id=message.account_id,
        channel=message.channel,
        number=1,
        priority=PRIORITY,
        queued=1,
    )
    message.run, message.batch = run, batch
    message.purpose, message.state = Purpose.TRANSACTIONAL, MessageState.QUEUED
    message.save(force_insert=True)
    DispatchBatch.objects.filter(pk=batch.pk).update(first_id=message.pk, last_id=message.pk)
    transaction.on_commit(nudge_dispatch)
    return message
