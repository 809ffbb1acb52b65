"""What somebody must mend for messages to go on, each with the place where it is mended.

The home page shows what was found by the last round of beat, at no cost to itself.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from marketing.core.actor import Actor
from marketing.core.diagnosis import BEAT_SILENCE
from marketing.core.templatetags import formats
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.delivery.models import DispatchBatch, SendRun
from marketing.delivery.operations.figures import AccountFigures, Operations, Undecided, operations
from marketing.policy import selectors as policy
from marketing.policy.models import ProviderAccount
from marketing.policy.selectors import MonthSpend
from marketing.policy.vendors import VENDORS

logger = logging.getLogger(__name__)

LAG = dt.timedelta(minutes=5)
# Vendors report within seconds; after this long without a word while sending, something is off.
SILENCE = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Alert:
    """`permission` is what mending takes; `tone` danger while messages do not go."""

    code: str
    tone: str
    title: str
    detail: str
    url: str
    action: str
    permission: str
    branch_ids: frozenset[uuid.UUID] | None = None

    def is_for(self, actor: Actor) -> bool:
        """Whether the actor may mend it, and has the branches it is about (None: all)."""
        has_branches = actor.branch_ids is None or (
            self.branch_ids is not None and self.branch_ids <= actor.branch_ids
        )
        return actor.can(self.permission) and has_branches


def alerts_for(actor: Actor, found: Operations) -> list[Alert]:
    """The alerts that the actor may act on, what stops messages first."""
    return _for_actor(actor, list(_alerts(found, _spent_months())))


def keep_alerts() -> None:
    """Look at the open tenant and keep what was found, in every language, for `kept_alerts`."""
    found, months = operations(), _spent_months()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            kept = (timezone.now(), list(_alerts(found, months)))
        cache.set(_key(current_tenant_id(), language), kept, timeout=None)


def kept_alerts(actor: Actor) -> list[Alert]:
    """What the actor may act on of the last round; no statement is asked of the database."""
    try:
        kept = cache.get(_key(actor.tenant_id, translation.get_language() or "en"))
    except RedisError as error:
        logger.warning("no alerts without the cache: %s", error)
        return []
    if kept is None:
        return []
    at, alerts = kept
    if timezone.now() - at > BEAT_SILENCE:
        alerts = [_silent_beat()]
    return _for_actor(actor, alerts)


def _key(tenant_id: uuid.UUID, language: str) -> str:
    return f"operations:alerts:{tenant_id}:{language}"


def _for_actor(actor: Actor, alerts: Sequence[Alert]) -> list[Alert]:
    mine = [alert for alert in alerts if alert.is_for(actor)]
    return sorted(mine, key=lambda alert: alert.tone != "danger")


def _alerts(found: Operations, months: Sequence[MonthSpend]) -> Iterator[Alert]:
    now = timezone.now()
    for figures in found.accounts:
        yield from _of_account(figures, now)
    if found.webhooks.since and now - found.webhooks.since > LAG and not found.webhooks.failing:
        yield Alert(
            "webhooks_lag",
            "warning",
            _("Reports of deliveries wait to be read"),
            ngettext("%(n)d report waits.", "%(n)d reports wait.", found.webhooks.waiting)
            % {"n": found.webhooks.waiting},
            reverse("webhook-list"),
            _("Look at them"),
            "config.change",
        )
    yield from map(_undecided, found.undecided)
    if found.stray:
        yield Alert(
            "stray_rows",
            "danger",
            _("Rows lie outside of every month"),
            _("Months are missing for %(tables)s. Run manage.py migrate, then manage.py doctor.")
            % {"tables": ", ".join(found.stray)},
            reverse("operations"),
            _("Look"),
            "config.change",
        )
    if found.dangling:
        keys = ", ".join(f"{each.name} ({each.dangling})" for each in found.dangling)
        yield Alert(
            "dangling_rows",
            "warning",
            _("Rows name something that is gone"),
            _(
                "Found in the rows of %(keys)s. The error log names some of them; "
                "manage.py doctor looks again."
            )
            % {"keys": keys},
            reverse("operations"),
            _("Look"),
            "config.change",
        )
    if found.beat_at is None or now - found.beat_at > BEAT_SILENCE:
        yield _silent_beat()
    yield from map(_spent, months)


def _of_account(figures: AccountFigures[ProviderAccount], now: dt.datetime) -> Iterator[Alert]:
    account = figures.account
    if account.circuit_reason:
        yield Alert(
            "circuit_open",
            "danger",
            _("%(account)s does not send") % {"account": account.name},
            account.circuit_reason,
            reverse("account-edit", args=[account.pk]),
            _("Mend it"),
            "config.change",
        )
    elif figures.due_since and now - figures.due_since > LAG and not figures.leases:
        yield Alert(
            "lag",
            "danger",
            _("Messages wait and nobody sends them"),
            _("%(account)s: due since %(minutes)d minutes. Are the dispatch workers running?")
            % {
                "account": account.name,
                "minutes": (now - figures.due_since).total_seconds() // 60,
            },
            reverse("operations"),
            _("Look"),
            "config.change",
        )
    if VENDORS[account.provider].callbacks and figures.rate and _is_silent(figures, now):
        yield Alert(
            "webhooks_stopped",
            "warning",
            _("%(account)s no longer says what arrives") % {"account": account.name},
            _(
                "Messages go out, but no report came for over ten minutes. Check the address for "
                "callbacks at the vendor."
            ),
            reverse("account-edit", args=[account.pk]),
            _("See the address"),
            "config.change",
        )
    since = account.mailbox_failing_since
    # Servers that are away for a moment come back by themselves.
    if account.is_active and since and now - since > LAG:
        yield Alert(
            "mailbox_unreadable",
            "warning",
            _("%(account)s: bounces and complaints are not read") % {"account": account.name},
            _("The mailbox has not opened since %(since)s: %(fault)s")
            % {"since": _on_the_wall(since), "fault": account.mailbox_fault},
            reverse("account-edit", args=[account.pk]),
            _("Mend it"),
            "config.change",
        )


def _on_the_wall(moment: dt.datetime) -> str:
    """By the chain's own clock: beat, which keeps the alerts, goes by none."""
    return formats.moment(timezone.localtime(moment, ZoneInfo(current_tenant().time_zone)))


def _is_silent(figures: AccountFigures[ProviderAccount], now: dt.datetime) -> bool:
    """Whether it has been sending for longer than the vendor has been silent."""
    heard = figures.last_webhook_at
    if heard and now - heard <= SILENCE:
        return False
    runs = DispatchBatch.objects.filter(
        tenant_id=current_tenant_id(),
        account_id=figures.account.pk,
        state__in=["waiting", "leased"],
    ).values("run_id")
    return SendRun.objects.filter(pk__in=runs, frozen_at__lt=now - SILENCE).exists()


def _undecided(found: Undecided) -> Alert:
    title = _("Nobody knows whether these arrived")
    return Alert(
        "undecided",
        "warning",
        f"{title}: {found.label}" if found.label else title,
        ngettext(
            "%(n)d message was handed over without an answer. Decide whether to send it again.",
            "%(n)d messages were handed over without an answer. Decide whether to send them again.",
            found.messages,
        )
        % {"n": found.messages},
        reverse("failure-list"),
        _("Decide"),
        "campaign.send",
        found.branch_ids,
    )


def _silent_beat() -> Alert:
    return Alert(
        "beat_silent",
        "danger",
        _("Nothing is started by the clock"),
        _("The scheduler (celery beat) has not been heard of for over ten minutes."),
        reverse("operations"),
        _("Look"),
        "config.change",
    )


def _spent_months() -> list[MonthSpend]:
    """The chain and its branches that used more of their budget than the chain's threshold."""
    threshold = policy.get_config().budget_alert_threshold_percent
    return [m for m in policy.spend_of_month() if m.limit and m.share * 100 >= threshold]


def _spent(month: MonthSpend) -> Alert:
    name = month.branch.name if month.branch else _("The whole chain")
    return Alert(
        "budget",
        "danger" if month.share >= 1 else "warning",
        _("%(name)s: %(percent)d %% of the month's budget is used")
        % {"name": name, "percent": month.share * 100},
        _("Campaigns that cost more than what is left are refused."),
        reverse("spend"),
        _("See the spend"),
        "budget.config",
    )
