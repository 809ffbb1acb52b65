"""Membership rows, always written as a difference, in one statement."""

import uuid
from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.selectors import branch_customers
from marketing.core import events
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.segments.models import MembershipChange, Segment

ENTERED, LEFT = "segment.entered", "segment.left"
MAX_MEMBERS = 10_000


def is_followed() -> bool:
    """Whether anything wants to hear who enters and leaves segments."""
    return events.has_subscribers(ENTERED) or events.has_subscribers(LEFT)


def chosen_customers(actor: Actor, ids: Sequence[uuid.UUID]) -> QuerySet[Customer]:
    """The customers picked for a static segment.

    Raises `ValidationFailed` at `customerIds` for an id outside the actor's branches.
    """
    if not ids:
        raise ValidationFailed(fields={"customerIds": [_("Choose at least one customer.")]})
    if len(ids) > MAX_MEMBERS:
        message = _("At most %(max)d customers.") % {"max": MAX_MEMBERS}
        raise ValidationFailed(fields={"customerIds": [message]})
    chosen = branch_customers(actor).filter(pk__in=ids)
    known = set(chosen.values_list("pk", flat=True))
    unknown = {
        f"customerIds.{index}": [_("There is no such customer.")]
        for index, pk in enumerate(ids)
        if pk not in known
    }
    if unknown:
        raise ValidationFailed(fields=unknown)
    return chosen


def write_difference(segment: Segment, wanted: QuerySet[Customer]) -> None:
    """Make the membership rows of `segment` those of `wanted`, touching only what differs.

    Where something follows segments, who came and went is kept in `MembershipChange` under
    one batch, and one `segment.entered` and one `segment.left` event name that batch. The
    caller holds the lock on the segment's row.
    """
    batch = uuid.uuid4()
    sql, params = wanted.order_by().values("pk").query.sql_with_params()
    followed = is_followed()
    with connection.cursor() as cursor:
        cursor.execute(
            _DIFFERENCE.format(wanted=sql),
            [
                *params,
                segment.tenant_id,
                segment.pk,
                segment.pk,
                segment.pk,
                segment.tenant_id,
                segment.pk,
                batch,
                followed,
            ],
        )
    if followed:
        changes = MembershipChange.objects.filter(batch_id=batch)
        entered, left = (changes.filter(entered=each).count() for each in (True, False))
        record_changes(segment.pk, batch, entered=entered, left=left)


def record_changes(segment_id: uuid.UUID, batch: uuid.UUID, *, entered: int, left: int) -> None:
    """Tell who follows segments that a batch of people entered and left this one."""
    for name, count in ((ENTERED, entered), (LEFT, left)):
        if count:
            payload = {"segmentId": str(segment_id), "batchId": str(batch), "count": count}
            events.record(name, payload)


_DIFFERENCE = """
    WITH wanted(customer_id) AS MATERIALIZED ({wanted}),
    entered AS (
        INSERT INTO segments_segmentmember (tenant_id, segment_id, customer_id)
        SELECT %s, %s, customer_id FROM (
            SELECT customer_id FROM wanted
            EXCEPT SELECT customer_id FROM segments_segmentmember WHERE segment_id = %s
        ) AS missing
        RETURNING customer_id
    ),
    departed AS (
        DELETE FROM segments_segmentmember AS member
        WHERE member.segment_id = %s
        AND NOT EXISTS (SELECT FROM wanted WHERE wanted.customer_id = member.customer_id)
        RETURNING customer_id
    )
    INSERT INTO segments_membershipchange (tenant_id, segment_id, batch_id, customer_id, entered)
    SELECT %s, %s, %s, change.customer_id, change.entered FROM (
        SELECT customer_id, true AS entered FROM entered
        UNION ALL SELECT customer_id, false FROM departed
    ) AS change
    WHERE %s
"""
