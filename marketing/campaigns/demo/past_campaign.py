"""A campaign that was sent before the demo began, with a message row for everybody in it."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from customers import facts
from customers.models import Customer
from marketing.campaigns.demo.staging import execute
from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus
from marketing.campaigns.selectors import plan
from marketing.content.models import MessageTemplate
from marketing.core.actor import Actor
from marketing.core.models import AuditEntry, Branch
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.judgement import judge
from marketing.delivery.models import BatchCost, DispatchBatch, Message, SendRun
from marketing.delivery.plan import plan_channels
from marketing.delivery.services.settlement import settle_run
from marketing.segments.services import create_segment

INVITED = 300
SKIPPED_BATCH, SENT_BATCH = 0, 1


def make_past_campaign(
    *,
    author: Actor,
    approver: Actor,
    branch: Branch,
    template: MessageTemplate,
    sent_at: dt.datetime,
) -> Campaign:
    """A WhatsApp campaign of the branch that went out at `sent_at`.

    The gate judges its audience as it would have then; who passed was sent the message, with
    drawn outcomes. Its batches, budget and cost agree with the messages. Needs `pg_temp.draw`.
    """
    campaign = _campaign(author, approver, branch, template, sent_at)
    version = plan.version_of(campaign)
    steps = plan.steps(campaign)
    run = SendRun.objects.create(
        state=SendRun.State.DONE,
        kind=SendRun.Kind.CAMPAIGN,
        campaign_id=campaign.pk,
        purpose=plan.purpose(campaign),
        steps=steps,
        branch_ids=campaign.branch_ids,
        charged_branch_id=branch.pk,
        created_at=sent_at,
        frozen_at=sent_at,
        finished_at=sent_at + dt.timedelta(minutes=2),
    )
    CampaignRun.objects.create(
        campaign=campaign, number=1, send_run=run, due_at=sent_at, created_at=sent_at
    )
    channels = plan_channels(steps, mode=run.mode, purpose=run.purpose, now=sent_at)
    account_id = channels.steps[0].account.pk
    skipped, sent = DispatchBatch.objects.bulk_create(
        DispatchBatch(
            tenant_id=current_tenant_id(),
            run_id=run.pk,
            account_id=account_id,
            channel=campaign.channel,
            number=number,
            state=DispatchBatch.State.DONE,
            next_at=sent_at,
        )
        for number in (SKIPPED_BATCH, SENT_BATCH)
    )
    judged, values = judge(channels, plan.audience(campaign, sent_at), branch.pk)
    of_run: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "run": run.pk,
        "account": account_id,
        "sent_at": sent_at,
    }
    execute(
        MESSAGES.replace("{judged}", judged),
        values
        | of_run
        | {
            "skipped_batch": skipped.pk,
            "sent_batch": sent.pk,
            "version": version.pk,
            "campaign": campaign.pk,
            "kind": run.kind,
            "channel": campaign.channel,
            "purpose": run.purpose,
        },
    )
    for statement in (REFERENCES, COUNTERS, REASONS):
        execute(statement, of_run)
    settle_run(run)
    facts.mark_stale(_readers(run))
    _close_books(campaign, run)
    _write_history(campaign, author, approver, sent_at)
    return campaign


def _readers(run: SendRun) -> QuerySet[Customer]:
    read = Message.objects.filter(run=run, read_at__isnull=False)
    return Customer.objects.filter(pk__in=read.values("customer_id"))


def _campaign(
    author: Actor,
    approver: Actor,
    branch: Branch,
    template: MessageTemplate,
    sent_at: dt.datetime,
) -> Campaign:
    guests = Customer.objects.filter(home_branch=branch, facts__visit_count__gt=1)
    invited = create_segment(
        actor=author,
        name="Festive evening, invited guests",
        customer_ids=list(guests.order_by("pk").values_list("pk", flat=True)[:INVITED]),
    )
    return Campaign.objects.create(
        name="Festive evening at the salon",
        description="Music, sweets and free hair styling for guests who come often.",
        channel=template.channel,
        template=template,
        segment=invited,
        branch_ids=[branch.pk],
        status=CampaignStatus.SENT,
        requires_approval=True,
        created_by=author.user,
        author_ids=[author.user_id],
        submitted_by=author.user,
        approved_by=approver.user,
        created_at=sent_at - dt.timedelta(days=2),
        submitted_at=sent_at - dt.timedelta(days=2),
        approved_at=sent_at - dt.timedelta(days=1),
    )


def _write_history(
    campaign: Campaign, author: Actor, approver: Actor, sent_at: dt.datetime
) -> None:
    acts = (
        ("create", author, sent_at - dt.timedelta(days=2)),
        ("submit", author, sent_at - dt.timedelta(days=2)),
        ("approve", approver, sent_at - dt.timedelta(days=1)),
        ("send", author, sent_at),
    )
    for name, actor, moment in acts:
        AuditEntry.objects.create(
            at=moment,
            user_id=actor.user_id,
            actor_label=actor.label,
            action=f"campaign.{name}",
            object_type=campaign._meta.label_lower,
            object_id=campaign.pk,
        )


def _close_books(campaign: Campaign, run: SendRun) -> None:
    """Audience and cost as the batches have them."""
    batches = list(DispatchBatch.objects.filter(run_id=run.pk))
    cost = sum(BatchCost.objects.filter(run_id=run.pk).values_list("spent", flat=True))
    audience = sum(
        getattr(batch, state)
        for batch in batches
        for state in ("read", "delivered", "failed", "skipped")
    )
    SendRun.objects.filter(pk=run.pk).update(audience=audience)
    Campaign.objects.filter(pk=campaign.pk).update(
        estimated_recipients=audience,
        estimated_cost=cost,
        approved_recipients=audience,
        approved_cost=cost,
        approved_hash=plan.fingerprint(campaign),
    )


# One in fifty failed, seven of ten that arrived were read. What was not sent costs nothing.
MESSAGES = """
    INSERT INTO delivery_message (
        id, tenant_id, run_id, batch_id, customer_id, branch_id, account_id, template_version_id,
        campaign_id, kind, channel, purpose, address, language, variables, state, reason, tries,
        sending_at, sent_at, delivered_at, read_at, failed_at, provider_message_id, error_code,
        error_class, error_detail, segments, cost, created_at)
    SELECT uuidv7(%(sent_at)s - now()), %(tenant)s, %(run)s,
           CASE state WHEN 'skipped' THEN %(skipped_batch)s ELSE %(sent_batch)s END,
           id, charged_branch_id, %(account)s, %(version)s, %(campaign)s, %(kind)s, %(channel)s,
           %(purpose)s, address, language, variables, state, coalesce(reason, ''),
           (state <> 'skipped')::int,
           CASE WHEN state <> 'skipped' THEN left_at END,
           CASE WHEN state <> 'skipped' THEN left_at END,
           CASE WHEN state IN ('delivered', 'read') THEN left_at + arrived END,
           CASE state WHEN 'read' THEN left_at + arrived + seen END,
           CASE state WHEN 'failed' THEN left_at + arrived END,
           CASE WHEN state <> 'skipped' THEN 'wamid.' || encode(uuid_send(uuidv4()), 'hex')
                ELSE '' END,
           CASE state WHEN 'failed' THEN '131026' ELSE '' END,
           CASE state WHEN 'failed' THEN 'fail_recipient' ELSE '' END,
           CASE state WHEN 'failed' THEN 'Message undeliverable' ELSE '' END,
           segments, CASE WHEN state IN ('delivered', 'read') THEN cost ELSE 0 END, %(sent_at)s
    FROM (
        SELECT *, CASE WHEN reason IS NOT NULL THEN 'skipped'
                       WHEN pg_temp.draw(lot, 'fails') < 0.02 THEN 'failed'
                       WHEN pg_temp.draw(lot, 'reads') < 0.7 THEN 'read'
                       ELSE 'delivered' END AS state,
               %(sent_at)s::timestamptz + pg_temp.draw(lot, 'leaves') * interval '60 seconds'
                   AS left_at,
               (1 + pg_temp.draw(lot, 'arrives') * 40) * interval '1 second' AS arrived,
               power(pg_temp.draw(lot, 'is seen'), 4) * interval '20 hours' AS seen
        FROM (SELECT *, hashtextextended(address || language, 0) AS lot FROM ({judged}) v) v
    ) v
"""

COUNTERS = """
    UPDATE delivery_dispatchbatch batch
    SET first_id = counted.first_id, last_id = counted.last_id, delivered = counted.delivered,
        read = counted.read, failed = counted.failed, skipped = counted.skipped
    FROM (
        SELECT batch_id, (array_agg(id ORDER BY id))[1] AS first_id,
               (array_agg(id ORDER BY id DESC))[1] AS last_id,
               count(*) FILTER (WHERE state = 'delivered') AS delivered,
               count(*) FILTER (WHERE state = 'read') AS read,
               count(*) FILTER (WHERE state = 'failed') AS failed,
               count(*) FILTER (WHERE state = 'skipped') AS skipped
        FROM delivery_message
        WHERE run_id = %(run)s AND id >= uuid_bound(%(sent_at)s - interval '1 minute')
        GROUP BY batch_id
    ) counted
    WHERE batch.id = counted.batch_id
"""

REASONS = """
    INSERT INTO delivery_batchreason (tenant_id, run_id, batch_id, state, code, count)
    SELECT tenant_id, run_id, batch_id, state,
           CASE state WHEN 'skipped' THEN reason ELSE error_code END AS code, count(*)
    FROM delivery_message
    WHERE run_id = %(run)s AND id >= uuid_bound(%(sent_at)s - interval '1 minute')
      AND state IN ('skipped', 'failed')
    GROUP BY tenant_id, run_id, batch_id, state, code
"""

REFERENCES = """
    INSERT INTO delivery_providerreference (
        tenant_id, account_id, reference, message_id, created_at)
    SELECT %(tenant)s, %(account)s, provider_message_id, id, sent_at FROM delivery_message
    WHERE run_id = %(run)s AND id >= uuid_bound(%(sent_at)s - interval '1 minute')
      AND provider_message_id <> ''
"""
