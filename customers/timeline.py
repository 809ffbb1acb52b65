"""Everything that happened between the chain and one customer, newest first.

Apps register sources; a page is merged from them without reading more of each than it shows.
"""

import datetime as dt
import heapq
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import dropwhile, islice

from customers.models import Customer
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened; `type` as in Module 11, or visit, inbound, consent, points.

    `id` is of the row it is read from, `title` says in words what happened.
    """

    id: uuid.UUID
    at: dt.datetime
    type: str
    title: str
    channel: str = ""
    campaign_name: str = ""
    trigger_type: str = ""
    status: str = ""
    coupon_code: str = ""
    coupon_redeemed: bool | None = None
    feedback_rating: int | None = None
    branch_name: str = ""
    amount: Decimal | None = None
    by: str = ""

    @property
    def place(self) -> tuple[dt.datetime, uuid.UUID]:
        return self.at, self.id


Source = Callable[[Customer, Actor], Iterable[TimelineEntry]]

_sources: dict[str, Source] = {}


def register_source(name: str, source: Source) -> None:
    """Add what `source(customer, actor)` yields, which must come newest first, by (at, id).

    Lazy sources (a generator over `queryset.iterator(chunk_size=…)`) read only what is shown.
    """
    _sources[name] = source


@dataclass(frozen=True)
class Page:
    """Entries newest first, and the cursor of older ones (empty when there are none)."""

    entries: list[TimelineEntry]
    next: str


def read_page(*, actor: Actor, customer: Customer, cursor: str = "", limit: int = 50) -> Page:
    """The newest `limit` entries, or those after the `cursor` of a former page."""
    merged: Iterator[TimelineEntry] = heapq.merge(
        *(source(customer, actor) for source in _sources.values()),
        key=lambda entry: entry.place,
        reverse=True,
    )
    if cursor:
        last = _parse(cursor)
        merged = dropwhile(lambda entry: entry.place >= last, merged)
    entries = list(islice(merged, limit + 1))
    more = len(entries) > limit
    entries = entries[:limit]
    return Page(entries, _cursor(entries[-1]) if more else "")


def _cursor(entry: TimelineEntry) -> str:
    return f"{entry.at.timestamp():.6f}_{entry.id.hex}"


def _parse(cursor: str) -> tuple[dt.datetime, uuid.UUID]:
    moment, _mark, entry_id = cursor.partition("_")
    try:
        return dt.datetime.fromtimestamp(float(moment), dt.UTC), uuid.UUID(entry_id)
    except (ValueError, OverflowError, OSError) as error:
        raise ValidationFailed(fields={"cursor": ["This is not a cursor of ours."]}) from error
