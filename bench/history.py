"""A chain with a year of campaigns behind it: rows, batches and counters as sending leaves them."""

import datetime as dt
import uuid
from typing import Any

import psycopg

from bench import ground

RUNS = 100
RECENT = 20  # of the runs, those of the last 30 days
BATCH = 500
# Of the newest runs: two are being sent, one is paused; the rest is over.
UNDER_WAY = ("sending", "sending", "paused")

# People in the order of their rows, so that a run's audience is a range of numbers.
PEOPLE = """
CREATE UNLOGGED TABLE IF NOT EXISTS bench_people AS
SELECT row_number() OVER () AS n, id, home_branch_id, phone, language
FROM customers_customer WHERE tenant_id = %(tenant)s;
"""
MESSAGES = """
INSERT INTO delivery_message (id, tenant_id, run_id, batch_id, customer_id, branch_id, account_id,
    template_version_id, campaign_id, kind, channel, purpose, step, address, language, variables,
    state, reason, tries, sending_at, sent_at, delivered_at, read_at, failed_at,
    provider_message_id, error_code, error_class, error_detail, segments, cost, created_at)
SELECT uuidv7(v.at - now()), %(tenant)s, %(run)s,
       CASE WHEN state = 'skipped' THEN %(first_batch)s
            ELSE %(first_batch)s + 1 + place / %(batch)s END,
       id, home_branch_id, %(account)s, %(version)s, %(campaign)s, 'campaign', 'whatsapp',
       'promotional', 0, phone, language, '{"customer_name": "Asha"}', state,
       CASE WHEN state <> 'skipped' THEN '' WHEN die < 25 THEN 'opted_out'
            WHEN die < 45 THEN 'no_consent' ELSE 'weekly_cap' END,
       CASE WHEN is_tried THEN 1 ELSE 0 END,
       CASE WHEN is_tried THEN at END,
       CASE WHEN state IN ('sent', 'delivered', 'read') THEN at END,
       CASE WHEN state IN ('delivered', 'read') THEN at + interval '2 seconds' END,
       CASE WHEN state = 'read' THEN at + interval '9 minutes' END,
       CASE WHEN state = 'failed' THEN at END,
       CASE WHEN state IN ('sent', 'delivered', 'read') THEN 'wamid.' || id ELSE '' END,
       CASE WHEN state = 'unknown' THEN 'no_answer' WHEN state <> 'failed' THEN ''
            WHEN die < 75 THEN '131026' WHEN die < 82 THEN '131047' WHEN die < 88 THEN '131049'
            ELSE '130472' END,
       CASE WHEN state = 'unknown' THEN 'unknown' WHEN state = 'failed' THEN 'fail_recipient'
            ELSE '' END,
       CASE WHEN state = 'failed' THEN 'Message undeliverable' ELSE '' END,
       1, CASE WHEN state IN ('delivered', 'read') THEN 0.8631 ELSE 0 END, at
FROM (
    SELECT *, state NOT IN ('skipped', 'queued') AS is_tried,
           %(at)s::timestamptz AS at,
           count(*) FILTER (WHERE state <> 'skipped') OVER (ORDER BY n) - 1 AS place
    FROM (
        SELECT p.*, die, CASE
            WHEN die < 60 THEN 'skipped'
            WHEN p.n - %(first)s >= %(reached)s THEN 'queued'
            WHEN die < 90 THEN 'failed' WHEN die = 90 THEN 'unknown' WHEN die < 140 THEN 'sent'
            WHEN die < 600 THEN 'delivered' ELSE 'read' END AS state
        FROM bench_people p
        CROSS JOIN LATERAL (SELECT (p.n * 7919 + %(number)s * 13) %% 1000) d(die)
        WHERE p.n >= %(first)s AND p.n < %(end)s
    ) judged
) v
"""
BATCHES = """
INSERT INTO delivery_dispatchbatch (id, tenant_id, run_id, account_id, channel, number, priority,
    state, first_id, last_id, queued, sending, sent, delivered, read, failed, skipped, held,
    unknown, is_settled)
SELECT batch_id, %(tenant)s, %(run)s, %(account)s, 'whatsapp', batch_id - %(first_batch)s, 0,
       CASE WHEN count(*) FILTER (WHERE state = 'queued') = 0 THEN 'done'
            ELSE %(batch_state)s END,
       encode(min(uuid_send(id)), 'hex')::uuid, encode(max(uuid_send(id)), 'hex')::uuid,
       count(*) FILTER (WHERE state = 'queued'), 0, count(*) FILTER (WHERE state = 'sent'),
       count(*) FILTER (WHERE state = 'delivered'), count(*) FILTER (WHERE state = 'read'),
       count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'skipped'), 0,
       count(*) FILTER (WHERE state = 'unknown'), true
FROM delivery_message WHERE run_id = %(run)s GROUP BY batch_id
"""
CAUSES = """
INSERT INTO delivery_batchreason (tenant_id, run_id, batch_id, state, code, count)
SELECT %(tenant)s, %(run)s, batch_id, state, reason || error_code, count(*)
FROM delivery_message WHERE run_id = %(run)s AND state IN ('skipped', 'failed', 'unknown')
GROUP BY batch_id, state, reason || error_code
"""
COSTS = """
INSERT INTO delivery_batchcost (tenant_id, run_id, batch_id, branch_id, reserved, spent)
SELECT %(tenant)s, %(run)s, batch_id, branch_id, 0, sum(cost)
FROM delivery_message WHERE run_id = %(run)s AND state <> 'skipped' GROUP BY batch_id, branch_id
"""
# One click in twenty of what was read, and an opening by a machine beside every fourth.
ENGAGEMENT = """
INSERT INTO delivery_engagement (id, tenant_id, kind, message_id, customer_id, run_id, link_id, at,
    machine, agent, is_counted)
SELECT uuidv7(read_at - now()), tenant_id, 'click', id, customer_id, run_id, %(link)s, read_at,
       '', 'Chrome', true
FROM delivery_message
WHERE run_id = %(run)s AND state = 'read' AND abs(hashtext(id::text)) %% 20 = 0
"""
LINK_COUNTS = """
INSERT INTO delivery_linkcount (tenant_id, run_id, link_id, kind, times, people, first_people,
    machine_times)
SELECT tenant_id, run_id, link_id, kind, count(*), count(*), count(*), count(*) / 4
FROM delivery_engagement WHERE run_id = %(run)s GROUP BY tenant_id, run_id, link_id, kind
"""
# Vendors' requests of the last month, applied but for one in a thousand.
WEBHOOKS = """
INSERT INTO delivery_webhookevent (id, tenant_id, account_id, provider, body, state, received_at,
    next_at, applied_at)
SELECT uuidv7(at - now()), %(tenant)s, %(account)s, 'meta', %(body)s,
       CASE WHEN n %% 1000 = 0 THEN 'unknown' ELSE 'applied' END, at, at, at
FROM (SELECT n, now() - n * interval '29 days' / %(count)s AS at
      FROM generate_series(1, %(count)s) n) v
"""


def forget() -> None:
    """Empty every table that `make` fills."""
    with ground.admin() as server:
        server.execute(
            "TRUNCATE delivery_sendrun, campaigns_campaign, delivery_webhookevent,"
            " delivery_engagement, delivery_linkcount CASCADE"
        )
    ground.forget_messages()


def make(tenant_id: uuid.UUID, messages: int) -> None:
    """About so many messages, in 100 campaigns of the last year; the newest are still sent."""
    from marketing.core.partitions import ensure_partitions
    from marketing.core.tenancy import tenant_scope

    now = dt.datetime.now(dt.UTC)
    ensure_partitions((now - dt.timedelta(days=365)).date(), now.date())
    with tenant_scope(tenant_id):
        shared = _shared(tenant_id)
        plans = [_run(number, now, shared) for number in range(RUNS)]
    with ground.admin() as server:
        server.execute("SET synchronous_commit = off")
        server.execute("DROP TABLE IF EXISTS bench_people")
        server.execute(PEOPLE, shared)  # type: ignore[arg-type]
        server.execute("ALTER TABLE bench_people ADD PRIMARY KEY (n)")
        people = _one(server, "SELECT count(*) FROM bench_people")
        size = min(messages // RUNS, people)
        for number, plan in enumerate(plans):
            _write(server, shared | plan, number, size, people)
        server.execute(WEBHOOKS, shared | {"count": messages // 10, "body": _body()})
        server.execute("DROP TABLE bench_people")
        server.execute("VACUUM ANALYZE")


def _write(
    server: psycopg.Connection[Any], plan: dict[str, Any], number: int, size: int, people: int
) -> None:
    """One run's rows, and what is counted of them."""
    places = size // BATCH + 2
    sequence = "pg_get_serial_sequence('delivery_dispatchbatch', 'id')"
    first_batch = _one(server, f"SELECT nextval({sequence})")
    server.execute(f"SELECT setval({sequence}, {first_batch + places})")
    first = 1 + number * size % max(people - size, 1)
    values = plan | {
        "number": number,
        "first_batch": first_batch,
        "batch": BATCH,
        "first": first,
        "end": first + size,
        "reached": size if plan["batch_state"] == "done" else size * 6 // 10,
    }
    for statement in (MESSAGES, BATCHES, CAUSES, COSTS, ENGAGEMENT, LINK_COUNTS):
        server.execute(statement, values)
    server.execute("UPDATE delivery_sendrun SET audience = %s WHERE id = %s", [size, plan["run"]])


def _shared(tenant_id: uuid.UUID) -> dict[str, Any]:
    """What all runs have in common: account, template, segment and link."""
    from marketing.delivery.models import TrackedLink
    from marketing.policy.models import ProviderAccount
    from tests.factories.content import TemplateFactory

    template = TemplateFactory.create(name=f"History {uuid.uuid4().hex[:8]}")
    version = template.versions.get()
    link = TrackedLink.objects.create(
        tenant_id=tenant_id,
        version_id=version.pk,
        source="https://example.com/book",
        channel="whatsapp",
        content="History 1",
    )
    return {
        "tenant": tenant_id,
        "account": ProviderAccount.objects.get(provider="meta").pk,
        "version": version.pk,
        "template": template.pk,
        "link": link.pk,
    }


def _run(number: int, now: dt.datetime, shared: dict[str, Any]) -> dict[str, Any]:
    """A campaign with its run; the last ones lie in the last month, ever newer."""
    from marketing.campaigns.models import Campaign, CampaignRun
    from marketing.delivery.models import SendRun

    older = RUNS - RECENT
    days = 30 + (older - number) * 330 / older if number < older else (RUNS - number) * 29 / RECENT
    at = now - dt.timedelta(days=days)
    left = RUNS - number - 1
    status = UNDER_WAY[left] if left < len(UNDER_WAY) else "sent"
    state = {"sending": "frozen", "paused": "paused", "sent": "done"}[status]
    campaign = Campaign.objects.create(
        name=f"Campaign {number + 1}",
        channel="whatsapp",
        template_id=shared["template"],
        target_all_customers=True,
        status=status,
        paused_from="sending" if status == "paused" else "",
        pause_reason="person" if status == "paused" else "",
    )
    run = SendRun.objects.create(
        kind=SendRun.Kind.CAMPAIGN,
        purpose="promotional",
        state=state,
        campaign_id=campaign.pk,
        label=campaign.name,
        steps=[{"channel": "whatsapp", "versionId": str(shared["version"]), "afterMinutes": 0}],
        created_at=at,
        frozen_at=at,
        finished_at=at + dt.timedelta(hours=1) if state == "done" else None,
    )
    CampaignRun.objects.create(campaign=campaign, number=1, send_run=run, due_at=at)
    return {
        "campaign": campaign.pk,
        "run": run.pk,
        "at": at,
        "status": status,
        "batch_state": {"frozen": "waiting", "paused": "stopped", "done": "done"}[state],
    }


def _body() -> bytes:
    return (
        b'{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":'
        b'[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":'
        b'{"phone_number_id":"106540352242922"},"statuses":[{"id":"wamid.x","status":"read",'
        b'"timestamp":"1700000000","recipient_id":"919876543210"}]}}]}]}'
    )


def _one(server: psycopg.Connection[Any], question: str) -> int:
    row = server.execute(question).fetchone()  # type: ignore[call-overload]
    return int(row[0]) if row else 0
