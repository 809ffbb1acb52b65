"""How many of some people a channel reaches, and what one promotional message to each costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import Promise

from customers.models import Channel, Customer, Purpose
from marketing.core import clock
from marketing.core.errors import NoExchangeRate
from marketing.core.tenancy import current_tenant
from marketing.delivery.gate import ADDRESS, Gate, build_gate
from marketing.delivery.judgement import named_parameters
from marketing.delivery.price_sql import price_case, price_values
from marketing.delivery.registry import vendor
from marketing.policy import selectors as policy
from marketing.policy.models import ProviderAccount
from marketing.policy.rules import message_category
from marketing.policy.selectors import Prices

# What stays so whenever it is sent: caps and hours depend on the day. Nobody is looked up among
# the suppressed: to hash a million addresses takes longer than anybody looks at a card.
LASTING = ("no_address", "opted_out", "no_consent", "dnd")


@dataclass(frozen=True)
class ChannelReach:
    """`reachable` have an address and consent. `cost` of one message (SMS: one segment) to each;
    None where no price is known: the channel has no account, or its currency no rate."""

    label: str | Promise
    has_address: int
    reachable: int
    cost: Decimal | None
    is_enabled: bool


def reach_panel(people: QuerySet[Customer]) -> Mapping[str, Any]:
    """For the card beside the segment builder."""
    return {"channels": reach(people)}


def reach(people: QuerySet[Customer]) -> list[ChannelReach]:
    """Judged by the gate's own conditions, all channels in one statement."""
    now, tenant, config = clock.now(), current_tenant(), policy.get_config()
    accounts = {account.channel: account for account in policy.default_accounts()}
    prices = _prices(accounts, home=tenant.country)
    channels = list(Channel)
    verdicts: list[str] = []
    columns: list[str] = []
    values: dict[str, Any] = {"tenant_id": tenant.pk}
    for channel in channels:
        account = accounts.get(channel)
        gate = build_gate(
            config=config,
            channel=channel,
            purpose=Purpose.PROMOTIONAL,
            now=now,
            tenant_id=tenant.pk,
            has_suppressions=False,
            reaches_user_ids=account is not None and vendor(account.provider).reaches_user_ids,
            topic_id=None,
            address=f"({ADDRESS[channel]})",
            prefix=f"{channel}_",
        )
        price = prices.get(channel)
        verdicts += _verdicts(gate)
        columns += _columns(gate, price)
        values |= gate.values | (price_values(channel, price) if price else {})
    sql, params = (
        people.order_by().values("id", "phone", "email", "whatsapp_id").query.sql_with_params()
    )
    named_people, people_values = named_parameters(sql, params)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(columns)} FROM (
                SELECT c.phone, c.email, c.whatsapp_id, {", ".join(verdicts)}
                FROM ({named_people}) c
                LEFT JOIN customers_consentstate s
                  ON s.customer_id = c.id AND s.tenant_id = %(tenant_id)s
                OFFSET 0
            ) c
            """,  # noqa: S608  names are the code's own, values are parameters
            values | people_values,
        )
        row: Sequence[Any] = cursor.fetchone()
    found = zip(channels, row[0::3], row[1::3], row[2::3], strict=True)
    return [
        ChannelReach(
            label=channel.label,
            has_address=has_address,
            reachable=reachable,
            cost=None if prices.get(channel) is None else cost or Decimal(0),
            is_enabled=getattr(config, f"{channel}_enabled"),
        )
        for channel, has_address, reachable, cost in found
    ]


def _verdicts(gate: Gate) -> list[str]:
    """Of one person: whether there is an address, and whether it may be written to."""
    return [
        f"{gate.case(only=('no_address',))} IS NULL AS {gate.channel}_has_address",
        f"{gate.case(only=LASTING)} IS NULL AS {gate.channel}_may_go",
    ]


def _columns(gate: Gate, price: Prices | None) -> list[str]:
    """Of all: who has an address, who may be written to, and what that costs."""
    cost = price_case(gate.channel, gate.address, price) if price else "0"
    return [
        f"count(*) FILTER (WHERE {gate.channel}_has_address)",
        f"count(*) FILTER (WHERE {gate.channel}_may_go)",
        f"sum({cost}) FILTER (WHERE {gate.channel}_may_go)",
    ]


def _prices(accounts: Mapping[str, ProviderAccount], *, home: str) -> dict[str, Prices]:
    """By channel; none while the rate of a vendor's currency is not entered."""
    try:
        prices = policy.prices_of_ways(
            [(account.provider, channel) for channel, account in accounts.items()],
            home=home,
            category=message_category(Purpose.PROMOTIONAL),
            on=policy.day_of(clock.now()),
        )
    except NoExchangeRate:
        return {}
    return {channel: prices[account.provider, channel] for channel, account in accounts.items()}
