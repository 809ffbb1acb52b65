"""How often the links of runs were followed, and their e-mails opened."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Sum

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
    """What came of these runs together, in two statements."""
    sums = list(
        LinkCount.objects.filter(run_id__in=run_ids)
        .values("link_id", "kind")
        .annotate(
            n=Sum("times"),
            persons=Sum("people"),
            firsts=Sum("first_people"),
            machines=Sum("machine_times"),
        )
    )
    clicks = [row for row in sums if row["kind"] == Engagement.Kind.CLICK]
    opens = [row for row in sums if row["kind"] == Engagement.Kind.OPEN]
    sources = {
        link.pk: link.source
        for link in TrackedLink.objects.filter(pk__in=[row["link_id"] for row in clicks])
    }
    links: dict[str, LinkFigures] = {}
    for row in clicks:
        # Versions of a template that hold the same link are one to whoever reads the list.
        address = sources.get(row["link_id"], "")
        so_far = links.get(address, LinkFigures(address, 0, 0, 0))
        links[address] = LinkFigures(
            address,
            so_far.clicks + row["n"],
            so_far.people + row["persons"],
            so_far.machine_clicks + row["machines"],
        )
    return EngagementFigures(
        clicks=sum(row["n"] for row in clicks),
        clicked=sum(row["firsts"] for row in clicks),
        machine_clicks=sum(row["machines"] for row in clicks),
        opens=sum(row["n"] for row in opens),
        opened=sum(row["firsts"] for row in opens),
        machine_opens=sum(row["machines"] for row in opens),
        links=tuple(sorted(links.values(), key=lambda link: (-link.clicks, -link.machine_clicks))),
    )
