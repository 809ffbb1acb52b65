"""Cards beside the builder whose content an app above owns, about the people of the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from customers.models import Customer
from marketing.core.htmx import StaffRequest

Content = Callable[[QuerySet[Customer]], Mapping[str, Any]]


@dataclass(frozen=True)
class Panel:
    """`template` shows what `content` finds about the people, in few statements."""

    label: str | Promise
    template: str
    content: Content


_panels: list[Panel] = []


def register(label: str | Promise, template: str, content: Content) -> None:
    """Add a card; called while apps are loaded, whose order is that of the cards."""
    _panels.append(Panel(label, template, content))


def render_panels(
    request: StaffRequest, people: QuerySet[Customer]
) -> list[tuple[str | Promise, SafeString]]:
    """Label and content of each card."""
    return [
        (panel.label, render_to_string(panel.template, dict(panel.content(people)), request))
        for panel in _panels
    ]
