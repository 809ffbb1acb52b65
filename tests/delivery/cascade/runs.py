"""Runs over several channels, and what happens to their messages."""

import datetime as dt
from collections import Counter
from decimal import Decimal

from django.utils import timezone

from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.selectors import run_progress
from marketing.delivery.services import (
    freeze_run,
    sweep_fallbacks,
)
from marketing.delivery.webhooks import statuses
from marketing.delivery.webhooks.reports import Report
from tests.factories.content import TemplateFactory
from tests.factories.delivery import (
    everyone,
    make_channel_run,
    make_sender,
    open_all_hours,
    start,
)

WHATSAPP, SMS, EMAIL = 0, 1, 2
PRICES = {"whatsapp": Decimal("0.8631"), "sms": Decimal("0.2500"), "email": Decimal("0.0200")}
# Where `prepare` puts the chain.
NOON = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
MINUTE = dt.timedelta(minutes=1)


def prepare():
    open_all_hours()
    for channel in ("whatsapp", "sms", "email"):
        make_sender(channel)


def templates():
    return TemplateFactory(), TemplateFactory(sms=True), TemplateFactory(email=True)


def frozen(mode="cascade", minutes=30, steps=3, **values):
    run = make_channel_run(mode, *templates()[:steps], minutes=minutes, **values)
    freeze_run(run=run, audience=everyone())
    run.refresh_from_db()
    return run


def attempts(run, customer=None):
    """(step, state) of every message, in the order in which they were made."""
    rows = Message.objects.filter(run=run).order_by("pk")
    rows = rows.filter(customer=customer) if customer else rows
    return [(row.step, row.state) for row in rows]


def live(run, customer):
    return Message.objects.get(run=run, customer=customer, fallback_id=None)


def finish(message, outcome, code="", at=None):
    """Send it, with the vendor's answer."""
    start(message, at)
    result = Result(outcome, code=code)
    outcomes.write(
        message.tenant_id, [Outcome(message.pk, result, tries=9)], message.pk, message.pk
    )


def report(message, state, error_class=""):
    update = StatusUpdate(
        key=f"{message.pk}{state}",
        state=state,
        at=timezone.now(),
        message_id=message.pk,
        error_class=error_class,
    )
    statuses.apply([Report(message.account_id, update)])


def fail(message):
    finish(message, ResultClass.FAIL_RECIPIENT, "131026")


def due(run):
    """Let the timers of the run be looked at now."""
    DispatchBatch.objects.filter(run_id=run.pk, fallback_at__isnull=False).update(
        fallback_at=timezone.now() - MINUTE
    )


def sweep(run):
    due(run)
    sweep_fallbacks()


def assert_sum_law(run):
    """Audience = sum of the nine states, and the counters say what the rows do."""
    progress = run_progress(run)
    assert sum(progress.states.values()) == progress.audience
    extra = DispatchBatch.objects.filter(run_id=run.pk, is_extra=True).values("pk")
    rows = Message.objects.filter(run=run, fallback_id=None).exclude(batch_id__in=extra)
    assert Counter(rows.values_list("state", flat=True)) == Counter(
        {state: count for state, count in progress.states.items() if count}
    )
