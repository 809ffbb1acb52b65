"""Parlour's own periodic work, by task: every so long, or when a cron expression (UTC) says.

`manage.py sync_schedules` puts it into the database beside what people schedule. Nothing
rests on punctuality: each task sweeps rows that are due, so a late or second run does no harm.

Module 11's jobs: `processScheduledCampaigns` and `processRecurringCampaigns` are both
`run_due_campaigns`; `resetMonthlyBudgets` ("0 0 1 * *") is `open_budget_month`, hourly
because months begin at midnight of each chain's own zone; `cleanupOldMessageLogs` is
`drop_old_partitions`; `updateDeliveryStatuses` is `reconcile_messages`.
"""

import datetime as dt

SCHEDULES: dict[str, dt.timedelta | str] = {
    "billing_bridge.tasks.drop_old_rows": "15 3 * * *",
    "customers.imports.tasks.sweep_imports": dt.timedelta(seconds=10),
    "customers.imports.tasks.tidy_imports": "50 * * * *",
    "customers.tasks.age_facts": "20 * * * *",
    # Half past two in the morning in India.
    "customers.tasks.keep_duplicates": "0 21 * * *",
    "customers.tasks.refresh_stale_facts": dt.timedelta(seconds=5),
    "marketing.campaigns.tasks.recount_waiting": dt.timedelta(minutes=5),
    "marketing.campaigns.tasks.run_due_campaigns": "* * * * *",
    # Two in the morning in India.
    "marketing.core.tasks.check_parents": "30 20 * * *",
    "marketing.core.tasks.deliver_events": dt.timedelta(seconds=10),
    "marketing.core.tasks.ensure_partitions": "10 1 * * *",
    "marketing.core.tasks.forget_notifications": "20 2 * * *",
    "marketing.core.tasks.forget_responses": "40 * * * *",
    "marketing.core.tasks.mail_notifications": dt.timedelta(minutes=1),
    "marketing.coupons.tasks.expire_reservations": dt.timedelta(seconds=10),
    "marketing.coupons.tasks.resume_batches": dt.timedelta(minutes=1),
    "marketing.coupons.tasks.copy_batches": dt.timedelta(seconds=10),
    "marketing.delivery.tasks.consume_webhooks": dt.timedelta(seconds=5),
    "marketing.delivery.tasks.count_engagement": dt.timedelta(seconds=5),
    "marketing.delivery.tasks.drop_old_partitions": "0 3 * * *",
    "marketing.delivery.tasks.keep_alerts": dt.timedelta(seconds=30),
    "marketing.delivery.tasks.look_up_unknown": dt.timedelta(minutes=1),
    "marketing.delivery.tasks.read_mailboxes": dt.timedelta(minutes=2),
    "marketing.delivery.tasks.reconcile_messages": "*/2 * * * *",
    "marketing.delivery.tasks.sample_runs": dt.timedelta(seconds=10),
    "marketing.delivery.tasks.settle_costs": dt.timedelta(seconds=5),
    "marketing.delivery.tasks.sweep_batches": dt.timedelta(seconds=10),
    "marketing.delivery.tasks.sweep_fallbacks": dt.timedelta(seconds=5),
    "marketing.loyalty.tasks.end_overdue_holds": dt.timedelta(minutes=1),
    "marketing.loyalty.tasks.give_bonuses": dt.timedelta(minutes=5),
    # Four in the morning in India, after the day has turned.
    "marketing.loyalty.tasks.prove_ledgers": "30 22 * * *",
    "marketing.loyalty.tasks.turn_days": "1,31 * * * *",
    "marketing.policy.tasks.close_due_circuits": dt.timedelta(seconds=10),
    "marketing.policy.tasks.open_budget_month": "0 * * * *",
    "marketing.referrals.tasks.give_rewards": dt.timedelta(minutes=5),
    # Three in the morning in India.
    "marketing.referrals.tasks.keep_referrals": "30 21 * * *",
    "marketing.segments.tasks.recheck_marked": dt.timedelta(seconds=10),
    "marketing.segments.tasks.refresh_all_segments": "0 */6 * * *",
}
