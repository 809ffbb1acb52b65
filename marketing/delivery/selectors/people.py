"""What a customer was sent, and what would keep a message from her."""

import uuid
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from customers.models import Channel, Customer, Suppression
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.delivery.gate import ADDRESS, JOINS, build_gate
from marketing.delivery.models import Message, SendRun
from marketing.delivery.registry import vendor
from marketing.delivery.selectors.waiting import ACCOUNT_PAUSED, BUDGET
from marketing.delivery.windows import OUTSIDE_WINDOW, opening_times
from marketing.policy import selectors as policy


def messages_of_customer(customer: Customer) -> QuerySet[Message]:
    """Every message to the customer, newest first; a test written as for her went to staff."""
    return (
        Message.objects.filter(customer=customer)
        .exclude(kind=SendRun.Kind.TEST)
        .select_related("template_version__template", "template_version__tenant", "account")
        .order_by("-pk")
    )


@dataclass(frozen=True)
class Verdict:
    """One reason of the gate, judged for one person now."""

    code: str
    blocks: bool


def explain(
    *, customer: Customer, channel: str, purpose: str, topic_id: uuid.UUID | None = None
) -> list[Verdict]:
    """Each reason of the gate for this customer, channel and purpose at this moment.

    And what would have the message wait: the hours of her branch, the account, and the month's
    budget where nothing of it is left (whether it reaches is asked of whole runs).
    `duplicate_address` and `missing_value` depend on the audience and the text, and a message that
    was skipped for them says so in its `reason`.
    """
    now, tenant, branch = timezone.now(), current_tenant(), customer.home_branch
    account = policy.default_account(channel)
    gate = build_gate(
        config=policy.get_config(),
        channel=channel,
        purpose=purpose,
        now=now,
        tenant_id=current_tenant_id(),
        has_suppressions=Suppression.objects.filter(channel=channel).exists(),
        reaches_user_ids=account is None or vendor(account.provider).reaches_user_ids,
        topic_id=topic_id,
    )
    reasons = gate.reasons()
    columns = ", ".join(f"coalesce({gate.condition(reason)}, false)" for reason in reasons)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {columns}
            FROM (SELECT c.*, {ADDRESS[Channel(channel)]} AS address,
                         c.home_branch_id AS charged_branch_id
                  FROM customers_customer c WHERE c.id = %(customer)s) c {JOINS}
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            {**gate.values, "customer": customer.pk},
        )
        row = cursor.fetchone()
    zone = branch.time_zone if branch else tenant.time_zone
    budget = policy.budget_left([branch.pk] if branch else None)
    opens = opening_times(tenant=tenant, purpose=purpose, channel=channel, now=now, zones=[zone])
    return [
        *(Verdict(reason.code, blocks) for reason, blocks in zip(reasons, row, strict=True)),
        Verdict(OUTSIDE_WINDOW, opens[zone] is not None),
        Verdict(BUDGET, budget is not None and budget <= 0),
        Verdict(ACCOUNT_PAUSED, account is None or bool(account.circuit_reason)),
    ]
