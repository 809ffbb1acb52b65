"""What came in, as staff may see it."""

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from billing_bridge.models import RawRow
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import ApiKey, Branch, Staff


def rows_for_actor(actor: Actor) -> QuerySet[RawRow]:
    """Raw rows, newest first: of the actor's branches; what is of none is the whole chain's."""
    if not actor.can("operations.view"):
        return RawRow.objects.none()
    rows = RawRow.objects.order_by("-pk")
    return rows if actor.branch_ids is None else rows.filter(branch_id__in=actor.branch_ids)


def get_row_for_actor(actor: Actor, pk: uuid.UUID) -> RawRow:
    """Raises `NotFound` for another chain's row, and for one of another branch."""
    row = rows_for_actor(actor).filter(pk=pk).first()
    if row is None:
        raise NotFound()
    return row


def branches_of(rows: Iterable[RawRow]) -> dict[uuid.UUID | None, str]:
    """The names of the branches where these rows happened."""
    named = {row.branch_id for row in rows if row.branch_id}
    return dict(Branch.objects.filter(pk__in=named).values_list("pk", "name")) if named else {}


def senders(rows: Iterable[RawRow]) -> dict[uuid.UUID, str]:
    """The names of the programs and people who sent these rows, by the row's id.

    Who stood at the counter's page is named with it.
    """
    rows = list(rows)
    keys: dict[uuid.UUID | None, str] = {
        key.pk: f"{key.name} · {key.terminal}" if key.terminal else key.name
        for key in ApiKey.objects.filter(pk__in={row.api_key_id for row in rows})
    }
    people: dict[uuid.UUID | None, str] = dict(
        Staff.objects.filter(user_id__in={row.user_id for row in rows}).values_list(
            "user_id", "name"
        )
    )
    names = {row.pk: keys.get(row.api_key_id) or people.get(row.user_id) or "" for row in rows}
    at_counter = [row for row in rows if row.source == RawRow.Source.COUNTER]
    return names | {
        row.pk: " · ".join(filter(None, (names[row.pk], row.get_source_display())))
        for row in at_counter
    }
