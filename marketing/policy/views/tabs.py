"""The tabs over every page of the settings."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketing.core.actor import Actor

TABS = (
    (gettext_noop("Switches"), "settings", "adjustments", "config.view"),
    (gettext_noop("Hours and limits"), "settings-hours", "clock", "config.view"),
    (gettext_noop("Budget"), "settings-budget", "wallet", "config.view"),
    (gettext_noop("Approval"), "settings-approval", "shield-check", "config.view"),
    (gettext_noop("Billing counter"), "counter-settings", "cash", "config.view"),
    (gettext_noop("Links"), "settings-links", "link", "config.view"),
    (gettext_noop("Customer scores"), "settings-scores", "target", "config.view"),
    (gettext_noop("Accounts"), "account-list", "plug-connected", "config.view"),
    (gettext_noop("Prices"), "price-list", "receipt", "config.change"),
    (gettext_noop("Webhooks"), "webhook-list", "webhook", "config.view"),
    (gettext_noop("Staff"), "staff-list", "users", "config.change"),
    (gettext_noop("API keys"), "key-list", "key", "config.change"),
    (gettext_noop("Audit log"), "audit-list", "history", "config.change"),
)


def tabs_for(actor: Actor, current: str) -> list[dict[str, Any]]:
    """The tabs that the actor may open, with the one of url name `current` marked."""
    return [
        {"label": _(label), "url": reverse(name), "icon": icon, "active": name == current}
        for label, name, icon, permission in TABS
        if actor.can(permission)
    ]
