"""Cards on the customer's page whose content another app owns and the page fetches."""

from dataclasses import dataclass

from django.utils.functional import Promise


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
