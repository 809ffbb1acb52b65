"""Queues, rates, faults and backlogs, read from rows (and rates from the cache) when asked."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from marketing.core.loose_keys import dangling_keys
from marketing.core.models import EventDelivery, LooseKeyCheck
from marketing.core.partitions import stray_tables
from marketing.core.schedules import PREFIX
from marketing.core.tenancy import current_tenant_id
from marketing.delivery import pace
from marketing.delivery.models import MessageState
from marketing.delivery.rules import LEASE
from marketing.policy import selectors as policy
from marketing.policy.models import ProviderAccount

# Errors of runs begun so lately are shown; older ones are history.
RECENT = dt.timedelta(days=1)
MOST_ERRORS = 5

# Batches only: 20,000 rows for ten million messages. `tenant` NULL means every chain.
QUEUES = """
SELECT b.tenant_id, b.account_id, b.channel,
       sum(b.queued), sum(b.sending), sum(b.held), sum(b.unknown),
       sum(b.sent), sum(b.delivered), sum(b.read), sum(b.failed), sum(b.handed_on),
       min(b.next_at) FILTER (WHERE b.state = 'waiting' AND b.queued + b.held > 0
                                AND b.next_at <= now()),
       count(*) FILTER (WHERE b.state = 'leased' AND b.leased_until >= now()),
       count(*) FILTER (WHERE b.state = 'leased' AND b.leased_until < now()),
       min(b.leased_until) FILTER (WHERE b.state = 'leased')
           - make_interval(secs => %(lease)s)
FROM delivery_dispatchbatch b
WHERE b.account_id IS NOT NULL AND (%(tenant)s::uuid IS NULL OR b.tenant_id = %(tenant)s)
GROUP BY b.tenant_id, b.account_id, b.channel
"""
# What one chain's rows would hide is counted by functions of the owner of the tables.
ERRORS = """
SELECT account_id, state, code, messages
FROM frequent_faults(%(since)s, %(most)s, %(tenant)s::uuid)
"""
WEBHOOKS = "SELECT tenant_id, waiting, since, failing FROM webhook_backlogs(%(tenant)s::uuid)"
ACCOUNTS = """
SELECT tenant_id, id, name, provider, channel, has_open_circuit FROM accounts_of_chains()
"""
LAST_WEBHOOKS = """
SELECT a.id, (SELECT e.received_at FROM delivery_webhookevent e
              WHERE e.account_id = a.id ORDER BY e.id DESC LIMIT 1)
FROM policy_provideraccount a WHERE a.tenant_id = %(tenant)s
"""
UNDECIDED = """
SELECT s.label, s.branch_ids, sum(r.count - r.closed)
FROM delivery_batchreason r JOIN delivery_sendrun s ON s.id = r.run_id
WHERE r.tenant_id = %(tenant)s AND r.state = 'unknown' AND r.count > r.closed
GROUP BY s.label, s.branch_ids ORDER BY 3 DESC LIMIT 20
"""


@dataclass(frozen=True)
class ChainAccount:
    """What is told of an account where every chain's are: nothing that its vendor said."""

    tenant_id: uuid.UUID
    pk: uuid.UUID
    name: str
    provider: str
    channel: str
    has_open_circuit: bool


A = TypeVar("A", ProviderAccount, ChainAccount)


@dataclass(frozen=True)
class Queue:
    """The messages of an account by state, and who works on its batches.

    `handed_on` were taken over by another channel and are in no other count.
    `due_since` is when the oldest due batch that nobody works on became due, `leases` how many
    are worked on, `lost_leases` how many whose worker has not been heard of, `oldest_lease`
    when the lease of all these was taken or renewed that has not been for longest.
    """

    tenant_id: uuid.UUID
    account_id: uuid.UUID
    channel: str
    queued: int
    sending: int
    held: int
    unknown: int
    sent: int
    delivered: int
    read: int
    failed: int
    handed_on: int
    due_since: dt.datetime | None
    leases: int
    lost_leases: int
    oldest_lease: dt.datetime | None

    @property
    def attempted(self) -> int:
        done = self.sent + self.delivered + self.read + self.failed
        return done + self.unknown + self.handed_on


@dataclass(frozen=True)
class Fault:
    """How many messages of late ended in a state with the vendor's code."""

    state: str
    code: str
    messages: int


@dataclass(frozen=True)
class AccountFigures(Generic[A]):
    """An account and how it goes: `rate` messages a second of the last minute."""

    account: A
    queues: tuple[Queue, ...]
    rate: float
    faults: tuple[Fault, ...] = ()
    last_webhook_at: dt.datetime | None = None

    def _sum(self, name: str) -> int:
        return sum(getattr(queue, name) for queue in self.queues)

    @property
    def queued(self) -> int:
        return self._sum("queued")

    @property
    def held(self) -> int:
        return self._sum("held")

    @property
    def sending(self) -> int:
        return self._sum("sending")

    @property
    def unknown(self) -> int:
        return self._sum("unknown")

    @property
    def leases(self) -> int:
        return self._sum("leases")

    @property
    def lost_leases(self) -> int:
        return self._sum("lost_leases")

    @property
    def attempted(self) -> int:
        return self._sum("attempted")

    @property
    def due_since(self) -> dt.datetime | None:
        return min((q.due_since for q in self.queues if q.due_since), default=None)

    @property
    def oldest_lease(self) -> dt.datetime | None:
        return min((q.oldest_lease for q in self.queues if q.oldest_lease), default=None)


@dataclass(frozen=True)
class Undecided:
    """Unknown messages of a run, by what it is called, that nobody has decided on."""

    label: str
    branch_ids: frozenset[uuid.UUID] | None
    messages: int


@dataclass(frozen=True)
class Backlog:
    """Something stored that waits to be handled: how many, since when, how many in trouble."""

    waiting: int = 0
    since: dt.datetime | None = None
    failing: int = 0


@dataclass(frozen=True)
class Operations:
    """The open chain's figures; beat, stray tables and dangling keys are the installation's."""

    accounts: tuple[AccountFigures[ProviderAccount], ...]
    webhooks: Backlog
    events: Backlog
    beat_at: dt.datetime | None
    stray: tuple[str, ...]
    dangling: tuple[LooseKeyCheck, ...]
    undecided: tuple[Undecided, ...]


def operations() -> Operations:
    """How sending goes for the open tenant, in as many statements for one account as for many."""
    tenant_id = current_tenant_id()
    return Operations(
        accounts=_accounts(tenant_id),
        webhooks=webhooks(tenant_id).get(tenant_id, Backlog()),
        events=events(tenant_id).get(tenant_id, Backlog()),
        beat_at=beat_at(),
        stray=tuple(stray_tables()),
        dangling=tuple(dangling_keys()),
        undecided=_undecided(tenant_id),
    )


def queues(tenant_id: uuid.UUID | None = None) -> list[Queue]:
    """Every account's queues; of every chain, without one named."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUES, {"tenant": tenant_id, "lease": LEASE.total_seconds()})
        return [Queue(*row) for row in cursor.fetchall()]


def _accounts(tenant_id: uuid.UUID) -> tuple[AccountFigures[ProviderAccount], ...]:
    """The open tenant's, each with when its vendor was last heard of."""
    found = with_figures(policy.accounts(), tenant_id)
    with connection.cursor() as cursor:
        cursor.execute(LAST_WEBHOOKS, {"tenant": tenant_id})
        heard = dict(cursor.fetchall())
    return tuple(replace(each, last_webhook_at=heard.get(each.account.pk)) for each in found)


def accounts_of_chains() -> list[ChainAccount]:
    """Every chain's accounts."""
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNTS)
        return [ChainAccount(*row) for row in cursor.fetchall()]


def with_figures(
    accounts: Iterable[A], tenant_id: uuid.UUID | None = None
) -> list[AccountFigures[A]]:
    """How each of the accounts goes; `tenant_id` is whose they are, None: of every chain."""
    by_account: dict[uuid.UUID, list[Queue]] = defaultdict(list)
    for queue in queues(tenant_id):
        by_account[queue.account_id].append(queue)
    rates = pace.rates(
        {
            account_id: sum(queue.attempted for queue in of_account)
            for account_id, of_account in by_account.items()
        },
        begun={},
    )
    faults: dict[uuid.UUID, list[Fault]] = defaultdict(list)
    with connection.cursor() as cursor:
        since = timezone.now() - RECENT
        cursor.execute(ERRORS, {"tenant": tenant_id, "since": since, "most": MOST_ERRORS})
        for account_id, state, code, messages in cursor.fetchall():
            faults[account_id].append(Fault(MessageState(state).value, code, messages))
    return [
        AccountFigures(
            account=account,
            queues=tuple(by_account[account.pk]),
            rate=rates.get(account.pk, 0.0),
            faults=tuple(faults[account.pk]),
        )
        for account in accounts
    ]


def webhooks(tenant_id: uuid.UUID | None = None) -> dict[uuid.UUID, Backlog]:
    """By chain, what vendors reported and nobody has applied yet; of every chain or of one."""
    with connection.cursor() as cursor:
        cursor.execute(WEBHOOKS, {"tenant": tenant_id})
        return {chain: Backlog(*found) for chain, *found in cursor.fetchall()}


def events(tenant_id: uuid.UUID | None = None) -> dict[uuid.UUID, Backlog]:
    """By chain, domain events that wait for their handlers; of every chain or of one."""
    owed = EventDelivery.objects.all()
    if tenant_id:
        owed = owed.filter(tenant_id=tenant_id)
    rows = owed.values("tenant_id").annotate(
        n=Count("pk"),
        since=Min("not_before"),
        failing=Count("pk", filter=Q(attempts__gt=0)),
    )
    return {row["tenant_id"]: Backlog(row["n"], row["since"], row["failing"]) for row in rows}


def beat_at() -> dt.datetime | None:
    """When beat was last heard of; it writes so itself, up to three minutes late."""
    own = PeriodicTask.objects.filter(name__startswith=PREFIX, enabled=True)
    last: dt.datetime | None = own.aggregate(last=Max("last_run_at"))["last"]
    return last


def _undecided(tenant_id: uuid.UUID) -> tuple[Undecided, ...]:
    """Most messages first."""
    with connection.cursor() as cursor:
        cursor.execute(UNDECIDED, {"tenant": tenant_id})
        return tuple(
            Undecided(label, None if branches is None else frozenset(branches), messages)
            for label, branches, messages in cursor.fetchall()
        )
