"""Messages to one person: the test that a manager sends to a staff phone."""

from django.db import transaction

from customers.models import Customer
from marketing.content import merge_fields
from marketing.content.models import TemplateVersion
from marketing.content.rendering import compile_version
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import (
    ChannelDisabled,
    MarketingDisabled,
    ProviderFailed,
    ValidationFailed,
)
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.models import DispatchBatch, Message, MessageState, SendRun
from marketing.delivery.plan import resolvable
from marketing.delivery.tasks import nudge_dispatch
from marketing.policy import selectors as policy


@transaction.atomic
def send_test(
    *, actor: Actor, version: TemplateVersion, customer: Customer, address: str, language: str
) -> Message:
    """Send `version` as it would read for `customer` to a staff address, at once.

    Consent, hours and caps are the customer's and do not hold for staff; the switches do.
    Raises `MarketingDisabled`, `ChannelDisabled`, `ProviderFailed` while the account's
    circuit is open, `ValidationFailed` when the customer lacks a value the text needs.
    """
    channel = version.template.channel
    config = policy.get_config()
    if not config.marketing_enabled:
        raise MarketingDisabled()
    account = policy.default_account(channel)
    if account is None or not getattr(config, f"{channel}_enabled"):
        raise ChannelDisabled()
    if account.circuit_reason:
        raise ProviderFailed(account.circuit_reason)
    compiled = compile_version(version)
    variables = merge_fields.values_of(customer, resolvable(compiled))
    if missing := compiled.missing(language, variables):
        raise ValidationFailed(
            f"{customer.name} has no {', '.join(missing)}.", fields={"customerId": missing}
        )
    run = SendRun.objects.create(
        state=SendRun.State.FROZEN,
        kind=SendRun.Kind.TEST,
        purpose="transactional",
        priority=10,
        steps=[{"channel": channel, "versionId": str(version.pk), "afterMinutes": 0}],
        audience=1,
        frozen_at=clock.now(),
    )
    batch = DispatchBatch.objects.create(
        tenant_id=current_tenant_id(),
        run_id=run.pk,
        account_id=account.pk,
        channel=channel,
        number=1,
        priority=10,
        queued=1,
    )
    message = Message.objects.create(
        run=run,
        batch=batch,
        customer=customer,
        account=account,
        template_version=version,
        kind=SendRun.Kind.TEST,
        channel=channel,
        purpose="transactional",
        address=address,
        language=language,
        variables=variables,
        state=MessageState.QUEUED,
    )
    DispatchBatch.objects.filter(pk=batch.pk).update(first_id=message.pk, last_id=message.pk)
    audit.record(actor, "message.test_sent", message, {"channel": channel})
    transaction.on_commit(nudge_dispatch)
    return message
