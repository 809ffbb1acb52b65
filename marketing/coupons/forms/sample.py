"""The sample bill beside the editor: services of one's own choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customers.models import Service
from marketing.coupons.forms.choices import Choices

ROWS = 3
MOST_UNITS = 20


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One line of the bill: `service` may be empty."""

    place: int
    service: str
    quantity: int


class SampleForm:
    """Lines of a bill: as posted, else one of each of the `usual` services."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, choices: Choices, usual: Sequence[Service]
    ) -> None:
        self.choices = choices
        if data is not None and "sample_0_service" in data:
            self.rows = [_row(data, place) for place in range(ROWS)]
        else:
            ids = [str(service.pk) for service in usual] + [""] * ROWS
            self.rows = [SampleRow(place, ids[place], 1) for place in range(ROWS)]

    def lines(self) -> list[tuple[Service, int]]:
        """The services chosen; what is not on sale is left out."""
        found = ((self.choices.service(row.service), row.quantity) for row in self.rows)
        return [(service, quantity) for service, quantity in found if service is not None]


def _row(data: Mapping[str, Any], place: int) -> SampleRow:
    text = str(data.get(f"sample_{place}_quantity", "1"))
    quantity = int(text) if text.isdecimal() and len(text) < 4 else 1
    return SampleRow(
        place,
        str(data.get(f"sample_{place}_service", "")),
        max(1, min(MOST_UNITS, quantity)),
    )
