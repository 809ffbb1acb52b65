"""The pages of offers as a browser sees them, and the editor's form sent back untouched."""

import re
from typing import Any

from django.test import Client

from marketing.coupons.models import Offer

TENTH = {"kind": "percentage", "name": "Tenth", "value": "10", "opening": "automatic"}


def offer_path(offer: Offer, rest: str = "") -> str:
    return f"/offers/{offer.pk}{rest}"


def text_of(answer: Any) -> str:
    """What is read on the page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def form_of(client: Client, offer: Offer) -> dict[str, Any]:
    """What the offer's form holds, by the names of its fields."""
    form = client.get(f"/offers/{offer.pk}/edit").context["form"]
    held = {bound.html_name: bound.value() for bound in form}
    return {
        name: "on" if value is True else value
        for name, value in held.items()
        if value not in (None, "", [], False)
    }
