"""What the business assumes of the consent of many new customers at once."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from customers import consent_defaults, rules
from customers.models import ConsentRecord
from customers.services.consent import ASSUMING_SOURCES
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id

# Those of them with no address under which somebody has opted out, or that must not be written to.
FREE = """
SELECT s.customer_id FROM customers_consentstate s WHERE s.customer_id = ANY(%(ids)s)
AND NOT EXISTS (
    SELECT FROM customers_contactpoint own
    JOIN customers_contactpoint theirs
      ON theirs.tenant_id = own.tenant_id AND theirs.kind = own.kind AND theirs.value = own.value
    JOIN customers_consentstate refusing ON refusing.customer_id = theirs.customer_id
    WHERE own.customer_id = s.customer_id AND own.kind IN ('phone', 'email')
      AND refusing.marketing_opted_out
) AND NOT EXISTS (
    SELECT FROM customers_contactpoint own
    JOIN customers_suppression held ON held.tenant_id = own.tenant_id
      AND held.channel IN ('whatsapp', 'sms', 'email')
      AND held.address_hash = parlour_address_hash(own.tenant_id, own.value)
    WHERE own.customer_id = s.customer_id AND own.kind IN ('phone', 'email')
)
"""


def assume_consents(*, actor: Actor, customer_ids: Sequence[uuid.UUID], source: str) -> None:
    """As `assume_consent` for each of them, whose consent states stand, in three statements."""
    assumed = consent_defaults.assumed_channels()
    channels = [channel for channel in rules.CHANNELS if channel in assumed]
    if not customer_ids or not channels or source not in ASSUMING_SOURCES:
        return
    set_to = ", ".join(
        f"{channel}_promotional = true, {channel}_service = true, {channel}_basis = 'assumed'"
        for channel in channels
    )
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": list(customer_ids),
        "channels": channels,
        "state": ConsentRecord.State.GRANTED,
        "basis": rules.ASSUMED,
        "source": source,
        "user": actor.user_id,
        "at": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH free AS MATERIALIZED ({FREE}), given AS (
                UPDATE customers_consentstate SET {set_to}, updated_at = %(at)s
                WHERE customer_id IN (SELECT customer_id FROM free) RETURNING customer_id
            )
            INSERT INTO customers_consentrecord (tenant_id, customer_id, channel, purpose, state,
                basis, source, wording_version, language, reason, user_id, at)
            SELECT %(tenant)s, given.customer_id, channel, '', %(state)s, %(basis)s, %(source)s,
                '', '', '', %(user)s, %(at)s
            FROM given CROSS JOIN unnest(%(channels)s::text[]) AS channel
            """,  # noqa: S608  the names of our own columns
            values,
        )
