"""The gate: may this message go to this person on this channel now?

One list of reasons, each an SQL condition, in the order in which they are named. The same
list judges an audience at the freeze, a batch right before sending, one message, and the
page that explains. It is written over these aliases:

    c   the customer's columns, with the channel's address and the charged branch
    s   customers_consentstate        l   delivery_contactload
    h   policy_holdoutmember          b   policy_branchmarketingconfig of the charged branch

The joins name the tenant, though row security does too: a constant is read from no setting
for each row.

`duplicate_address` needs its neighbours and is added where there are any (the freeze);
`missing_value` where the variables stand; `outside_window` holds a message instead of
skipping it, so `window_opens` in policy decides it per zone.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from customers.models import Channel, Purpose
from marketing.policy.models import MarketingConfig

JOINS = """
    LEFT JOIN customers_consentstate s ON s.customer_id = c.id AND s.tenant_id = %(tenant_id)s
    LEFT JOIN delivery_contactload l ON l.customer_id = c.id AND l.tenant_id = %(tenant_id)s
    LEFT JOIN policy_holdoutmember h ON h.customer_id = c.id AND h.tenant_id = %(tenant_id)s
    LEFT JOIN policy_branchmarketingconfig b
      ON b.branch_id = c.charged_branch_id AND b.tenant_id = %(tenant_id)s
"""

ADDRESS = {
    Channel.WHATSAPP: "coalesce(nullif(c.phone, ''), c.whatsapp_id)",
    Channel.SMS: "c.phone",
    Channel.EMAIL: "c.email",
}


@dataclass(frozen=True)
class Reason:
    """Why a message may not go. `spares_transactional`: does not hold for those."""

    code: str
    condition: str
    spares_transactional: bool


REASONS = (
    Reason(
        "marketing_disabled",
        "NOT %(marketing_enabled)s OR b.marketing_enabled IS FALSE",
        False,
    ),
    Reason("channel_disabled", "NOT %(channel_enabled)s", False),
    Reason(
        "suppressed",
        """%(has_suppressions)s AND EXISTS (
            SELECT FROM customers_suppression x WHERE x.tenant_id = %(tenant_id)s
            AND x.channel = %(channel)s
            AND (x.reason <> 'opted_out' OR %(purpose)s <> 'transactional')
            AND (x.until IS NULL OR x.until > %(now)s)
            AND x.address_hash = parlour_address_hash(%(tenant_id)s, {address}))""",
        False,
    ),
    # A phone has a plus before it, a user id of WhatsApp's has none.
    Reason(
        "no_address",
        "{address} = '' OR %(needs_phone)s AND NOT starts_with({address}, '+')",
        False,
    ),
    Reason("opted_out", "s.marketing_opted_out", True),
    Reason(
        "no_consent",
        """{consent} IS NOT TRUE OR %(has_topic)s AND EXISTS (
            SELECT FROM customers_topicrefusal r WHERE r.tenant_id = %(tenant_id)s
            AND r.customer_id = c.id AND r.topic_id = %(topic_id)s)""",
        True,
    ),
    Reason("dnd", "s.is_dnd AND %(channel)s = 'sms'", True),
    Reason("holdout", "h.id IS NOT NULL", True),
    Reason("daily_cap", "{daily}", True),
    # Her own limit is no more than the chain's cap in another number.
    Reason("weekly_cap", "{weekly} OR {own_weekly}", True),
)
BEFORE_DUPLICATES = tuple(reason.code for reason in REASONS[:7])
CAPS = ("daily_cap", "weekly_cap")


@dataclass(frozen=True)
class Gate:
    """The reasons as SQL for one channel and purpose, and the values they are judged with.

    Where several gates stand in one statement, each has its column of `c` for the address and
    a `prefix` of its own in the names of its parameters.
    """

    channel: str
    purpose: str
    judged_with: Mapping[str, Any]
    address: str = "c.address"
    prefix: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """The statement's parameters."""
        return {f"{self.prefix}{name}": value for name, value in self.judged_with.items()}

    @property
    def has_room(self) -> bool:
        """Whether the caps let somebody be written to who has not been written to lately."""
        return bool(self.judged_with["daily_limit"] and self.judged_with["weekly_limit"])

    def condition(self, reason: Reason) -> str:
        """The reason's condition as SQL."""
        condition = reason.condition.format(
            address=self.address,
            consent=f"s.{self.channel}_{self.purpose}",
            daily=_cap("daily_limit", "day_ago"),
            weekly=_cap("weekly_limit", "week_ago"),
            own_weekly="l.sent[cardinality(l.sent) - s.weekly_limit + 1] > %(week_ago)s",
        )
        return condition.replace("%(", f"%({self.prefix}")

    def case(self, *, only: tuple[str, ...] | None = None, but: tuple[str, ...] = ()) -> str:
        """A `CASE` that gives the first reason that holds, or NULL."""
        arms = [
            f"WHEN {self.condition(reason)} THEN '{reason.code}'"
            for reason in self.reasons()
            if (only is None or reason.code in only) and reason.code not in but
        ]
        return f"CASE {' '.join(arms)} END" if arms else "NULL::text"

    def reasons(self) -> list[Reason]:
        """Those that apply to this purpose, in order."""
        spared = self.purpose == Purpose.TRANSACTIONAL
        return [reason for reason in REASONS if not (spared and reason.spares_transactional)]


def _cap(limit: str, since: str) -> str:
    """True when the `limit`-th newest send lies within the window: send times are in order."""
    return f"(%({limit})s = 0 OR l.sent[cardinality(l.sent) - %({limit})s + 1] > %({since})s)"


def build_gate(
    *,
    config: MarketingConfig,
    channel: str,
    purpose: str,
    now: dt.datetime,
    tenant_id: uuid.UUID,
    has_suppressions: bool,
    reaches_user_ids: bool,
    topic_id: uuid.UUID | None,
    address: str = "c.address",
    prefix: str = "",
) -> Gate:
    """The gate of a tenant for a channel and purpose at a moment.

    `reaches_user_ids`: the vendor that would send can write to who is known by WhatsApp's
    business-scoped user id alone. `topic_id`: what the message is about, if that is said.
    """
    return Gate(
        channel=channel,
        purpose=purpose,
        address=address,
        prefix=prefix,
        judged_with={
            "tenant_id": tenant_id,
            "channel": channel,
            "purpose": purpose,
            "marketing_enabled": config.marketing_enabled,
            "channel_enabled": getattr(config, f"{channel}_enabled"),
            "has_suppressions": has_suppressions,
            "has_topic": topic_id is not None,
            "topic_id": topic_id,
            "needs_phone": channel == Channel.WHATSAPP and not reaches_user_ids,
            "daily_limit": config.daily_message_limit_per_customer,
            "weekly_limit": config.weekly_message_limit_per_customer,
            "now": now,
            "day_ago": now - dt.timedelta(days=1),
            "week_ago": now - dt.timedelta(days=7),
        },
    )
