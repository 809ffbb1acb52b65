"""The ready-made templates: ten occasions on every channel. `services.prebuilt` makes rows of
them, and the page for a new template begins with one."""

from marketing.content.prebuilt.occasion import Occasion
from marketing.content.prebuilt.offers import OFFERS
from marketing.content.prebuilt.service import SERVICE

PREBUILT = (*OFFERS, *SERVICE)


def occasion(key: str) -> Occasion | None:
    """The occasion with this key, such as `birthday`."""
    return next((each for each in PREBUILT if each.key == key), None)


__all__ = ["PREBUILT", "Occasion", "occasion"]
