"""Runs of the open tenant scope, ready to be frozen."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from customers.models import Channel, Customer
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.rendering import compile_version
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.models import Branch, Tenant
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.models import DispatchBatch, Message, MessageState, SendRun
from marketing.delivery.services import create_run, finish_run_if_done
from marketing.policy.models import Provider, ProviderAccount
from tests.factories.content import TemplateFactory
from tests.factories.policy import make_default_accounts, set_config

PROVIDER = {
    Channel.WHATSAPP: Provider.META,
    Channel.SMS: Provider.MSG91,
    Channel.EMAIL: Provider.SENDGRID,
}


def open_all_hours(**values: Any) -> None:
    """Settings and places under which the clock does not decide a test.

    No setting opens India's hours for SMS, so the chain moves to where it is noon.
    """
    open_window(**values)
    move_to_noon()


def move_to_noon() -> None:
    """All of the chain, to zones where it is between twelve and one."""
    hours_to_noon = 12 - clock.now().hour
    # POSIX counts west of Greenwich: "Etc/GMT-5" is five hours ahead.
    zone = f"Etc/GMT{-hours_to_noon:+d}" if hours_to_noon else "UTC"
    Branch.objects.update(time_zone=zone)
    Tenant.objects.filter(pk=current_tenant_id()).update(time_zone=zone)


def open_window(**values: Any) -> None:
    """The chain's own window open around the clock, wherever it lies."""
    set_config(
        send_window_start=dt.time(0), send_window_end=dt.time(0), email_enabled=True, **values
    )


def make_sender(channel: str = Channel.WHATSAPP, **values: Any) -> ProviderAccount:
    return make_default_accounts(PROVIDER[Channel(channel)], **values)[0]


def make_senders() -> None:
    """An account for each channel."""
    make_default_accounts(*PROVIDER.values())


def templates_at_meta(version: TemplateVersion, account: ProviderAccount) -> list[dict[str, Any]]:
    """The version in each of its languages, as the sandbox is told that Meta approved it."""
    compiled = compile_version(version)
    return [
        {
            "provider": "meta",
            "owner": account.sender["waba_id"],
            "name": version.whatsapp_template_name,
            "language": language,
            "body": {"components": compiled.meta_components(language)},
        }
        for language in compiled.languages
    ]


def make_run(
    template: MessageTemplate | None = None, *, purpose: str = "promotional", **values: Any
) -> SendRun:
    template = template or TemplateFactory()
    version = template.versions.get(number=template.version)
    return create_run(
        actor=Actor.system(current_tenant_id()),
        kind=values.pop("kind", SendRun.Kind.CAMPAIGN),
        purpose=purpose,
        steps=[{"channel": template.channel, "versionId": str(version.pk), "afterMinutes": 0}],
        **values,
    )


def make_channel_run(
    mode: str, *templates: MessageTemplate, minutes: int = 30, **values: Any
) -> SendRun:
    """A run over the templates' channels in this order, each tried `minutes` after the last."""
    return create_run(
        actor=Actor.system(current_tenant_id()),
        kind=SendRun.Kind.CAMPAIGN,
        purpose=values.pop("purpose", "promotional"),
        mode=mode,
        steps=[
            {
                "channel": template.channel,
                "versionId": str(template.versions.get(number=template.version).pk),
                "afterMinutes": minutes if number else 0,
            }
            for number, template in enumerate(templates)
        ],
        **values,
    )


def everyone() -> Any:
    return Customer.objects.filter(status=Customer.Status.ACTIVE)


def set_load(customer: Customer, sent: Sequence[dt.datetime]) -> None:
    """The send times that the caps are taken from."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO delivery_contactload (tenant_id, customer_id, sent) VALUES (%s, %s, %s)",
            [current_tenant_id(), customer.pk, list(sent)],
        )


def states_of(run: SendRun) -> dict[str, int]:
    """The counters of the run's batches, zeros left out."""
    names = MessageState.values
    batches = DispatchBatch.objects.filter(run_id=run.pk)
    sums = {name: sum(getattr(batch, name) for batch in batches) for name in names}
    return {name: count for name, count in sums.items() if count}


def start(message: Message, at: dt.datetime | None = None) -> None:
    """What marking does: sending, with a cap slot."""
    at = at or timezone.now()
    Message.objects.filter(pk=message.pk).update(state="sending", sending_at=at, slot_at=at)
    move_counters([Move(message.batch_id, message.state, "sending", 1)])


def become(message: Message, state: str, code: str = "", error_class: str = "") -> None:
    """Change a message the way every writer does: the row, then its batch's counters."""
    was, old_code = message.state, message.error_code or message.reason
    message.state, message.error_code, message.error_class = state, code, error_class
    message.failed_at = timezone.now() if state == "failed" else None
    message.save(update_fields=["state", "error_code", "error_class", "failed_at"])
    move_counters([Move(message.batch_id, was, state, 1, old_code, code)])


def finish(run: SendRun) -> None:
    """Close the run as its last batch would."""
    DispatchBatch.objects.filter(run_id=run.pk).update(state="done")
    assert finish_run_if_done(run_id=run.pk)
    run.refresh_from_db()
