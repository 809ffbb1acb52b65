"""What an editor may choose from: read once for a form, whatever number of fields shows it."""

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from customers.models import Service, ServiceCategory
from marketing.core.actor import Actor
from marketing.core.selectors import branches_for_actor
from marketing.coupons.quote_effects import tier_names
from marketing.segments.models import Segment
from marketing.segments.selectors import segments_for_actor

Choice = tuple[str, str]


@dataclass
class Choices:
    """What an offer may name of the actor's chain, as pairs for selects."""

    actor: Actor

    @cached_property
    def services_on_sale(self) -> list[Service]:
        return list(Service.objects.filter(is_active=True))

    @cached_property
    def services(self) -> list[Choice]:
        return [(str(each.pk), each.name) for each in self.services_on_sale]

    @cached_property
    def categories(self) -> list[Choice]:
        return _pairs(ServiceCategory.objects.order_by("name"))

    @cached_property
    def branches(self) -> list[Choice]:
        return _pairs(branches_for_actor(self.actor).order_by("name"))

    @cached_property
    def segments(self) -> list[Choice]:
        mine = segments_for_actor(self.actor).filter(is_active=True)
        found: list[Segment] = list(mine)
        return sorted(
            ((str(each.pk), each.display_name) for each in found), key=lambda pair: pair[1]
        )

    @cached_property
    def tiers(self) -> list[Choice]:
        return list(tier_names().items())

    def service(self, pk: str) -> Service | None:
        try:
            wanted = uuid.UUID(pk)
        except ValueError:
            return None
        return next((each for each in self.services_on_sale if each.pk == wanted), None)


def _pairs(things: Any) -> list[Choice]:
    return [(str(pk), name) for pk, name in things.values_list("pk", "name")]
