"""The figures in Prometheus' format, read when they are asked for.

Nothing is counted in the process: with many workers each would tell another story. Totals come
from the batches' counters, which move with the messages themselves.
"""

import datetime as dt
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator

from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from marketing.core.loose_keys import dangling_keys, loose_keys
from marketing.core.models import Tenant
from marketing.core.partitions import append_tables, stray_tables
from marketing.delivery.operations import figures
from marketing.delivery.operations.figures import AccountFigures, Backlog, ChainAccount

ACCOUNT = ("chain", "account", "provider", "channel")
STATES = ("queued", "sending", "sent", "delivered", "read", "failed", "held", "unknown")


def exposition() -> bytes:
    """Every active chain's figures as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Parlour())
    return generate_latest(registry)


class _Parlour(Collector):
    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        began = time.monotonic()
        waiting = GaugeMetricFamily(
            "parlour_messages", "Messages by their present state.", labels=(*ACCOUNT, "state")
        )
        attempted = CounterMetricFamily(
            "parlour_messages_attempted", "Messages handed to the vendor.", labels=ACCOUNT
        )
        lag = GaugeMetricFamily(
            "parlour_due_seconds",
            "For how long the oldest due batch has waited for a worker.",
            labels=ACCOUNT,
        )
        rate = GaugeMetricFamily(
            "parlour_messages_per_second", "Rate of the last minute.", labels=ACCOUNT
        )
        leases = GaugeMetricFamily(
            "parlour_leases",
            "Batches that a worker holds; lost when it has not been heard of.",
            labels=(*ACCOUNT, "state"),
        )
        oldest_lease = GaugeMetricFamily(
            "parlour_oldest_lease_seconds",
            "Since the oldest of them was taken or renewed; 0 where there is none.",
            labels=ACCOUNT,
        )
        circuit = GaugeMetricFamily(
            "parlour_circuit_open", "1 while the account does not send.", labels=ACCOUNT
        )
        errors = GaugeMetricFamily(
            "parlour_errors",
            "Messages of the last day's runs by the vendor's code, the most frequent.",
            labels=(*ACCOUNT, "state", "code"),
        )
        backlog = GaugeMetricFamily(
            "parlour_backlog", "Rows that wait to be handled.", labels=("chain", "kind")
        )
        backlog_age = GaugeMetricFamily(
            "parlour_backlog_seconds", "Age of the oldest of them.", labels=("chain", "kind")
        )
        now = timezone.now()
        backlogs = {"webhooks": figures.webhooks(), "events": figures.events()}
        of_chain: dict[uuid.UUID, list[AccountFigures[ChainAccount]]] = defaultdict(list)
        for each in figures.with_figures(figures.accounts_of_chains()):
            of_chain[each.account.tenant_id].append(each)
        for chain in Tenant.objects.filter(is_active=True).order_by("slug"):
            for each in of_chain[chain.pk]:
                account = each.account
                labels = [chain.slug, account.name, account.provider, account.channel]
                for state in STATES:
                    waiting.add_metric(
                        [*labels, state], sum(getattr(q, state) for q in each.queues)
                    )
                attempted.add_metric(labels, each.attempted)
                lag.add_metric(labels, _age(now, each.due_since))
                rate.add_metric(labels, each.rate)
                leases.add_metric([*labels, "live"], each.leases)
                leases.add_metric([*labels, "lost"], each.lost_leases)
                oldest_lease.add_metric(labels, _age(now, each.oldest_lease))
                circuit.add_metric(labels, int(account.has_open_circuit))
                for fault in each.faults:
                    errors.add_metric([*labels, fault.state, fault.code], fault.messages)
            for kind, of_kind in backlogs.items():
                found = of_kind.get(chain.pk, Backlog())
                backlog.add_metric([chain.slug, kind], found.waiting)
                backlog_age.add_metric([chain.slug, kind], _age(now, found.since))
        yield from (waiting, attempted, lag, rate, leases, oldest_lease)
        yield from (circuit, errors, backlog, backlog_age)
        stray = GaugeMetricFamily(
            "parlour_stray_rows", "1 when rows lie outside of every month.", labels=("table",)
        )
        found_stray = set(stray_tables())
        for table in append_tables():
            stray.add_metric([table], int(table in found_stray))
        yield stray
        dangling = GaugeMetricFamily(
            "parlour_dangling_rows",
            "Rows of a day whose parent was gone when it was looked for, at night.",
            labels=("key",),
        )
        found_dangling = {each.name: each.dangling for each in dangling_keys()}
        for key in loose_keys():
            dangling.add_metric([key.name], found_dangling.get(key.name, 0))
        yield dangling
        beat = figures.beat_at()
        yield GaugeMetricFamily(
            "parlour_beat_timestamp_seconds",
            "When the scheduler was last heard of; it says so every three minutes.",
            value=beat.timestamp() if beat else 0,
        )
        yield GaugeMetricFamily(
            "parlour_scrape_seconds",
            "How long reading all this took.",
            value=time.monotonic() - began,
        )


def _age(now: dt.datetime, since: dt.datetime | None) -> float:
    return max((now - since).total_seconds(), 0) if since else 0
