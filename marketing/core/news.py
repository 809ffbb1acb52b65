"""What staff are told: kinds of news and their words, made in the reader's language when read.

An app that has something to tell registers its kinds in `apps.py` and calls
`services.notify` in the transaction of the change. Later apps do the same; nothing here knows
them.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import Staff, StaffNotification

Facts = Mapping[str, Any]


def _nothing_more(facts: Facts) -> str:
    return ""


@dataclass(frozen=True)
class Kind:
    """How one kind of news is told.

    `title` has its facts as `%(name)s`; `more` makes the words below it; `address` is the page
    of what it is about. `in_sight` finds, of what news are about, what the reader may look at
    now; None: whoever was told may.
    """

    title: Promise
    icon: str
    address: Callable[[uuid.UUID | None], str]
    tone: str = "neutral"
    more: Callable[[Facts], str] = _nothing_more
    in_sight: Callable[[Actor, Collection[uuid.UUID]], Collection[uuid.UUID]] | None = None


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Make a kind of news known; called while apps are loaded."""
    _kinds[name] = kind


def kind_of(name: str) -> Kind | None:
    """The kind, or None when the app that told it no longer does."""
    return _kinds.get(name)


@dataclass(frozen=True)
class Told:
    """A piece of news in the words of the active language."""

    notification: StaffNotification
    title: str
    more: str
    icon: str
    tone: str
    address: str
    is_out_of_sight: bool = False


def out_of_sight(actor: Actor, notifications: Iterable[StaffNotification]) -> set[uuid.UUID]:
    """The ids of the actor's news about what is gone, or no longer theirs to look at."""
    about = defaultdict(list)
    for row in notifications:
        kind = kind_of(row.kind)
        if kind is not None and kind.in_sight is not None and row.target_id is not None:
            about[kind.in_sight].append(row)
    hidden: set[uuid.UUID] = set()
    for in_sight, rows in about.items():
        seen = set(in_sight(actor, {row.target_id for row in rows if row.target_id}))
        hidden |= {row.pk for row in rows if row.target_id not in seen}
    return hidden


def told_to(actor: Actor, notifications: Iterable[StaffNotification]) -> list[Told]:
    """The actor's news in the words of the active language; what is out of sight tells nothing."""
    rows = list(notifications)
    hidden = out_of_sight(actor, rows)
    return [_withheld(row) if row.pk in hidden else told(row) for row in rows]


def _withheld(notification: StaffNotification) -> Told:
    title = _("What this was about was deleted, or is no longer yours to see.")
    address = reverse("notification-list")
    return Told(notification, title, "", "eye-off", "neutral", address, is_out_of_sight=True)


def told(notification: StaffNotification) -> Told:
    """The news in words. What nobody tells any more is still counted and can be put away."""
    kind = kind_of(notification.kind)
    if kind is None:
        return Told(notification, _("Something happened"), "", "bell", "neutral", "/")
    return Told(
        notification,
        str(kind.title) % notification.facts,
        kind.more(notification.facts),
        kind.icon,
        kind.tone,
        kind.address(notification.target_id),
    )


def with_unread(people: QuerySet[Staff]) -> QuerySet[Staff]:
    """The people with how much they have not read, `unread`, for the page header."""
    counted = (
        StaffNotification.objects.filter(staff=OuterRef("pk"), read_at=None)
        .order_by()
        .values("staff")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return people.annotate(unread=Coalesce(Subquery(counted), 0, output_field=IntegerField()))


def notifications_of(actor: Actor) -> QuerySet[StaffNotification]:
    """The actor's own news, newest first."""
    if actor.staff is None:
        return StaffNotification.objects.none()
    return StaffNotification.objects.filter(staff=actor.staff).order_by("-id")


def get_notification(actor: Actor, pk: uuid.UUID) -> StaffNotification:
    """Raises `NotFound` for anybody else's."""
    found = notifications_of(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found
