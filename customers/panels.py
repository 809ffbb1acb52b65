"""Cards on the customer's page whose content another app owns and the page fetches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from customers.models import Customer
from marketing.core.htmx import StaffRequest
from marketing.core.pages import part


@dataclass(frozen=True)
class Panel:
    """`url_name` is a page part that takes the customer's id and needs `permission`."""

    label: str | Promise
    url_name: str
    permission: str


_panels: list[Panel] = []


def register(label: str | Promise, url_name: str, permission: str = "customer.view") -> None:
    """Add a card; called while apps are loaded. The page loads it by `hx-get`."""
    _panels.append(Panel(label, url_name, permission))


def panels() -> tuple[Panel, ...]:
    """The cards in the order their apps were loaded."""
    return tuple(_panels)


def render_panel(
    request: StaffRequest,
    customer: Customer,
    label: str | Promise,
    template: str,
    context: Mapping[str, Any],
) -> HttpResponse:
    """The content of a card: a part of the customer's page."""
    within = [
        (_("Customers"), reverse("customer-list")),
        (customer.name, reverse("customer-detail", args=[customer.pk])),
    ]
    return part(request, template, context, title=label, within=within)
