"""What rests on a segment: upper apps say so, because segments must not know them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import TextField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _

from marketing.segments.models import Segment


@dataclass(frozen=True)
class Use:
    """A thing that would break if the segment went: its kind ("campaign"), name and page."""

    kind: str
    name: str
    url: str


Users = Callable[[Segment], Iterable[Use]]

_registered: list[Users] = []


def register(users: Users) -> None:
    """Add a function that names what uses a segment; called while apps are loaded."""
    _registered.append(users)


def users_of(segment: Segment) -> list[Use]:
    """Everything that uses the segment: other segments first."""
    found = _segments_naming(segment)
    for users in _registered:
        found.extend(users(segment))
    return found


def _segments_naming(segment: Segment) -> list[Use]:
    naming = (
        Segment.objects.filter(is_active=True, is_dynamic=True)
        .exclude(pk=segment.pk)
        .annotate(text=Cast("rules", TextField()))
        .filter(text__contains=str(segment.pk))
        .order_by("name")
    )
    return [
        Use(_("Segment"), each.display_name, reverse("segment-detail", args=[each.pk]))
        for each in naming
    ]
