"""How often the links of runs were followed, and their e-mails opened."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery, Sum, TextField, Value
from django.db.models.functions import Coalesce

from marketing.delivery.models import Engagement, LinkCount, TrackedLink


@dataclass(frozen=True)
class LinkFigures:
    """One link: `clicks` by people, by how many different `people`, and by machines."""

    address: str
    clicks: int
    people: int
    machine_clicks: int


@dataclass(frozen=True)
class EngagementFigures:
    """What people did with the messages of some runs; machines stand apart.

    `clicked` and `opened` count people, once a run each. `links` by clicks, most first; links
    that nobody followed are left out.
    """

    clicks: int
    clicked: int
    machine_clicks: int
    opens: int
    opened: int
    machine_opens: int
    links: tuple[LinkFigures, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.clicks or self.machine_clicks or self.opens or self.machine_opens)


def engagement_of(run_ids: Sequence[uuid.UUID]) -> EngagementFigures:
    """What came of these runs together, in one statement.

    Versions of a template that hold the same link are one to whoever reads the list.
    """
    source = TrackedLink.objects.filter(pk=OuterRef("link_id")).values("source")
    sums = list(
        LinkCount.objects.filter(run_id__in=run_ids)
        .values("kind", address=Coalesce(Subquery(source), Value(""), output_field=TextField()))
        .annotate(
            n=Sum("times"),
            persons=Sum("people"),
            firsts=Sum("first_people"),
            machines=Sum("machine_times"),
        )
    )
    clicks = [row for row in sums if row["kind"] == Engagement.Kind.CLICK]
    opens = [row for row in sums if row["kind"] == Engagement.Kind.OPEN]
    links = [
        LinkFigures(row["address"], row["n"], row["persons"], row["machines"]) for row in clicks
    ]
    return EngagementFigures(
        clicks=sum(row["n"] for row in clicks),
        clicked=sum(row["firsts"] for row in clicks),
        machine_clicks=sum(row["machines"] for row in clicks),
        opens=sum(row["n"] for row in opens),
        opened=sum(row["firsts"] for row in opens),
        machine_opens=sum(row["machines"] for row in opens),
        links=tuple(sorted(links, key=lambda link: (-link.clicks, -link.machine_clicks))),
    )
