"""How a template stands at WhatsApp, and what WhatsApp said of it, for people to read."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Channel
from marketing.content.forms import language_name
from marketing.content.models import MessageTemplate, TemplateVersion, WhatsAppStatus
from marketing.content.selectors import versions_of

SHOWN = 30
TITLES: dict[str, str | Promise] = {
    "category": gettext_lazy("Category changed by WhatsApp"),
    "category_announced": gettext_lazy("WhatsApp will change the category within a day"),
    "quality": gettext_lazy("Quality, as readers see it"),
    "unknown": gettext_lazy("WhatsApp says something new"),
}
WORDS: dict[str, str | Promise] = {
    **dict(WhatsAppStatus.choices),
    "pending": gettext_lazy("Handed in"),
    "marketing": gettext_lazy("Marketing"),
    "utility": gettext_lazy("Utility"),
    "authentication": gettext_lazy("Authentication"),
    "green": gettext_lazy("High"),
    "yellow": gettext_lazy("Medium"),
    "red": gettext_lazy("Low"),
}
LOOKS = {
    "approved": ("circle-check", "success"),
    "rejected": ("circle-x", "danger"),
    "disabled": ("ban", "danger"),
    "paused": ("player-pause", "warning"),
    "pending": ("send", "info"),
    "red": ("alert-triangle", "danger"),
    "yellow": ("alert-triangle", "warning"),
    "green": ("circle-check", "success"),
}


@dataclass(frozen=True)
class News:
    """One thing that WhatsApp said of a language of a version."""

    at: dt.datetime
    title: str
    text: str
    language: str
    version: int
    icon: str
    tone: str


def reviews_of(template: MessageTemplate, version: TemplateVersion) -> list[dict[str, Any]]:
    """How each language of the version stands: status, reason, category, quality."""
    if template.channel != Channel.WHATSAPP:
        return []
    found = []
    for code in version.contents:
        entry = version.whatsapp.get(code, {})
        words = {
            name: word(entry.get(name, "")) for name in ("category", "nextCategory", "quality")
        }
        found.append({"language": language_name(code), **entry, **words})
    return found


def reasons_of(version: TemplateVersion) -> list[str]:
    """Why WhatsApp does not let the version go, each reason once."""
    said = [entry.get("reason", "") for entry in version.whatsapp.values()]
    return [] if version.whatsapp_status == "approved" else list(dict.fromkeys(filter(None, said)))


def news_of(template: MessageTemplate) -> list[News]:
    """The history of every version and language, newest first."""
    if template.channel != Channel.WHATSAPP:
        return []
    found = [
        _news(entry, code, version.number)
        for version in versions_of(template)
        for code, known in version.whatsapp.items()
        for entry in known.get("history", ())
    ]
    return sorted(found, key=lambda news: news.at, reverse=True)[:SHOWN]


def _news(entry: dict[str, str], language: str, number: int) -> News:
    what, before, after = entry["what"], entry["from"], entry["to"]
    is_status = what == "status"
    change = f"{word(before)} → {word(after)}" if before else word(after)
    reason = entry["reason"]
    icon, tone = LOOKS.get(after, ("alert-circle" if what == "unknown" else "refresh", "neutral"))
    if what.startswith("category"):
        icon, tone = "receipt", "warning"
    return News(
        at=dt.datetime.fromisoformat(entry["at"]),
        title=word(after) if is_status else str(TITLES.get(what, _("News from WhatsApp"))),
        text=reason if is_status else ": ".join(filter(None, (change, reason))),
        language=language_name(language),
        version=number,
        icon=icon,
        tone=tone,
    )


def word(value: str) -> str:
    """A status, category or quality in the page's words; the vendor's own where we have none."""
    return str(WORDS.get(value, value))
