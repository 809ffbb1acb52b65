"""The editor's form as a browser sends it back untouched."""

from typing import Any

from django.test import Client

from marketing.coupons.models import Offer


def form_of(client: Client, offer: Offer) -> dict[str, Any]:
    """What the offer's form holds, by the names of its fields."""
    form = client.get(f"/offers/{offer.pk}/edit").context["form"]
    held = {bound.html_name: bound.value() for bound in form}
    return {
        name: "on" if value is True else value
        for name, value in held.items()
        if value not in (None, "", [], False)
    }
