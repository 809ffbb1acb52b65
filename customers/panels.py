"""Cards on the customer's page whose content another app owns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from customers.models import Customer
from marketing.core.actor import Actor
from marketing.core.htmx import StaffRequest

Content = Callable[[Actor, Customer], Mapping[str, Any]]


@dataclass(frozen=True)
class Panel:
    """`template` shows what `content` finds, in few statements, to who has the `permission`."""

    label: str | Promise
    template: str
    content: Content
    permission: str


_panels: list[Panel] = []


def register(
    label: str | Promise, template: str, content: Content, permission: str = "customer.view"
) -> None:
    """Add a card; called while apps are loaded, whose order is that of the cards."""
    _panels.append(Panel(label, template, content, permission))


def render_panels(
    request: StaffRequest, customer: Customer
) -> list[tuple[str | Promise, SafeString]]:
    """Label and content of each card that the actor may see."""
    actor = request.actor
    return [
        (
            panel.label,
            render_to_string(panel.template, dict(panel.content(actor, customer)), request),
        )
        for panel in _panels
        if actor.can(panel.permission)
    ]
