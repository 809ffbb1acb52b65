"""How many people rules share with other segments."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from marketing.core.actor import Actor
from marketing.segments.compiler import compile_tree, membership
from marketing.segments.context import RuleContext
from marketing.segments.negation import does_not_hold
from marketing.segments.selectors import active_customers, narrow_branches, segments_for_actor

MOST = 3


@dataclass(frozen=True)
class Other:
    """Another segment beside the rules; the widths are parts of a bar of all people of both."""

    name: str
    only_these: int
    both: int
    only_other: int

    @property
    def share(self) -> float:
        """How much of these rules' people the other holds, 0 to 1."""
        these = self.only_these + self.both
        return self.both / these if these else 0.0

    @property
    def only_these_width(self) -> str:
        return self._part(self.only_these)

    @property
    def both_width(self) -> str:
        return self._part(self.both)

    @property
    def only_other_width(self) -> str:
        return self._part(self.only_other)

    @property
    def only_other_x(self) -> str:
        return self._part(self.only_these + self.both)

    def _part(self, people: int) -> str:
        everybody = self.only_these + self.both + self.only_other
        return f"{people / everybody if everybody else 0:.4%}"


@dataclass(frozen=True)
class Overlap:
    """`total` people of the rules: `alone` of them in no other, `shared` in all others."""

    total: int
    alone: int
    shared: int
    others: list[Other]


def overlap(
    actor: Actor,
    rules: Mapping[str, Any],
    branch_ids: Sequence[uuid.UUID] | None,
    other_ids: Sequence[uuid.UUID],
    *,
    segment_id: uuid.UUID | None = None,
    now: dt.datetime,
) -> Overlap | None:
    """Compare with the first three of the segments that the actor sees, in one statement.

    None when there is none of them. Raises `ValidationFailed` by path, for rules at fault and
    for a segment whose own can no longer be used.
    """
    visible = segments_for_actor(actor)
    segments = list(visible.filter(pk__in=other_ids).order_by("name")[:MOST])
    if not segments:
        return None
    context = RuleContext(now=now)
    these = compile_tree(rules, context, segment_id=segment_id, visible=visible).q
    others = [membership(segment, context) for segment in segments]
    columns = {
        "total": Count("pk", filter=these),
        "alone": Count("pk", filter=these & does_not_hold(Q(*others, _connector=Q.OR))),
        "shared": Count("pk", filter=these & Q(*others)),
    }
    for index, other in enumerate(others):
        columns[f"size_{index}"] = Count("pk", filter=other)
        columns[f"both_{index}"] = Count("pk", filter=these & other)
    found = active_customers(narrow_branches(actor, branch_ids)).aggregate(**columns)
    return Overlap(
        total=found["total"],
        alone=found["alone"],
        shared=found["shared"],
        others=[
            Other(
                name=segment.display_name,
                only_these=found["total"] - found[f"both_{index}"],
                both=found[f"both_{index}"],
                only_other=found[f"size_{index}"] - found[f"both_{index}"],
            )
            for index, segment in enumerate(segments)
        ],
    )
