"""What WhatsApp says of a template it knows: its status, category and quality, with a history.

Vendors repeat themselves and are out of order: what is older than what we know is only noted,
what was said before changes nothing.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from marketing.content.models import MessageTemplate, TemplateVersion, WhatsAppStatus
from marketing.core import clock, events
from marketing.policy.rules import message_category, purpose_of

# The first of these that any language has is the version's status.
WORST_FIRST = (
    WhatsAppStatus.REJECTED,
    WhatsAppStatus.DISABLED,
    WhatsAppStatus.PAUSED,
    WhatsAppStatus.PENDING,
)
# News that a language keeps, the newest.
KEPT = 50

Entry = dict[str, Any]


@transaction.atomic
def apply_whatsapp_status(
    *,
    name: str,
    language: str,
    status: str = "",
    reason: str = "",
    said: str = "",
    category: str = "",
    next_category: str = "",
    quality: str = "",
    at: dt.datetime | None = None,
) -> bool:
    """Note what WhatsApp says of a template it knows by `name`; says whether it is ours.

    `said` is a status in WhatsApp's own word, kept where it is none of ours. `next_category` is
    announced only, `at` is when it happened by the vendor's clock. Saying the same twice changes
    nothing. A change of status is a domain event `template.status_changed`.
    """
    found = TemplateVersion.objects.filter(whatsapp_template_name=name).values_list("pk").first()
    if found is None:
        return False
    version = TemplateVersion.objects.select_for_update().get(pk=found[0])
    if language not in version.contents:
        return False
    changes = [
        set_status(version, language, status, reason, at=at) if status else False,
        bool(said) and not status and _note_unknown(entry_of(version, language), said, reason, at),
        bool(category) and set_category(version, language, category, at=at),
        bool(next_category) and _announce(entry_of(version, language), next_category, at),
        bool(quality) and _set_quality(entry_of(version, language), quality, at),
    ]
    if any(changes):
        save(version)
    return True


def entry_of(version: TemplateVersion, language: str) -> Entry:
    """What is kept of the language at WhatsApp; to be changed."""
    entry: Entry = version.whatsapp.setdefault(language, {"name": version.whatsapp_template_name})
    return entry


def set_status(
    version: TemplateVersion,
    language: str,
    status: str,
    reason: str,
    *,
    at: dt.datetime | None = None,
) -> bool:
    """Change one language's status; says whether there is something to save."""
    entry = entry_of(version, language)
    status = WhatsAppStatus(status).value
    if _is_stale(entry, "statusAt", at):
        return _note(entry, "status", "", status, reason, at)
    before = entry.get("status", "")
    if (before, entry.get("reason", "")) == (status, reason):
        # Said again, later: what happened in between is older than this, should it still come.
        return _keep_time(entry, "statusAt", at)
    _keep_time(entry, "statusAt", at)
    _note(entry, "status", before, status, reason, at)
    entry |= {"status": status, "reason": reason}
    entry.pop("said", None)
    events.record(
        "template.status_changed",
        {
            "templateId": str(version.template_id),
            "versionId": str(version.pk),
            "language": language,
            "status": status,
            "reason": reason,
            "versionStatus": overall_status(version.contents, version.whatsapp),
        },
    )
    return True


def set_category(
    version: TemplateVersion, language: str, category: str, *, at: dt.datetime | None = None
) -> bool:
    """Keep under which category WhatsApp has the language, by which it is charged.

    The one we asked for is kept without a word in the history.
    """
    entry, category = entry_of(version, language), category.lower()
    before = entry.get("category") or _asked_for(version.template)
    if _is_stale(entry, "categoryAt", at):
        return category != before and _note(entry, "category", "", category, "", at)
    is_later = _keep_time(entry, "categoryAt", at)
    if category == before:
        is_known = entry.get("category") == category
        entry["category"] = category
        return is_later or not is_known
    entry["category"] = category
    if entry.get("nextCategory") == category:
        del entry["nextCategory"]
    return _note(entry, "category", before, category, "", at)


def note_handed_in(entry: Entry, before: Entry) -> None:
    """The language goes to WhatsApp once more; what was said of it before stays to be read."""
    for name in ("history", "category", "quality"):
        if name in before:
            entry[name] = before[name]
    _note(entry, "status", before.get("status", ""), entry["status"], "", None)


def overall_status(languages: Iterable[str], whatsapp: dict[str, dict[str, Any]]) -> str:
    """Approved when every language is; else the worst that any has."""
    statuses = {
        whatsapp.get(language, {}).get("status", WhatsAppStatus.PENDING) for language in languages
    }
    return next((s for s in WORST_FIRST if s in statuses), WhatsAppStatus.APPROVED).value


def save(version: TemplateVersion) -> None:
    version.whatsapp_status = overall_status(version.contents, version.whatsapp)
    version.save(update_fields=["whatsapp", "whatsapp_status"])


def _asked_for(template: MessageTemplate) -> str:
    """The category that a template is handed in under."""
    return message_category(purpose_of(template.template_type, template.trigger_type))


def _note_unknown(entry: Entry, said: str, reason: str, at: dt.datetime | None) -> bool:
    """A status that we do not know: shown in the vendor's word; what we knew goes on holding."""
    if entry.get("said") == said:
        return False
    entry["said"] = said
    return _note(entry, "unknown", entry.get("status", ""), said, reason, at)


def _announce(entry: Entry, category: str, at: dt.datetime | None) -> bool:
    category = category.lower()
    if category in (entry.get("nextCategory"), entry.get("category")):
        return False
    entry["nextCategory"] = category
    return _note(entry, "category_announced", entry.get("category", ""), category, "", at)


def _set_quality(entry: Entry, quality: str, at: dt.datetime | None) -> bool:
    quality = quality.lower()
    before = entry.get("quality", "")
    if _is_stale(entry, "qualityAt", at):
        return _note(entry, "quality", "", quality, "", at)
    is_later = _keep_time(entry, "qualityAt", at)
    if quality == before:
        return is_later
    entry["quality"] = quality
    return _note(entry, "quality", before, quality, "", at)


def _is_stale(entry: Entry, name: str, at: dt.datetime | None) -> bool:
    known = entry.get(name)
    return at is not None and known is not None and at < dt.datetime.fromisoformat(known)


def _keep_time(entry: Entry, name: str, at: dt.datetime | None) -> bool:
    """Keep the vendor's time of the newest news; ours would be later than what he says next."""
    if at is None or entry.get(name) == at.isoformat():
        return False
    entry[name] = at.isoformat()
    return True


def _note(
    entry: Entry, what: str, before: str, after: str, reason: str, at: dt.datetime | None
) -> bool:
    """Add to the history, in its order; says whether it was not in it yet."""
    history: list[dict[str, str]] = entry.setdefault("history", [])
    told = (what, after, reason)
    if at and any((n["what"], n["to"], n["reason"], n["at"]) == (*told, at.isoformat())
                  for n in history):  # fmt: skip
        return False
    history.append(
        {
            "at": (at or clock.now()).isoformat(),
            "what": what,
            "from": before,
            "to": after,
            "reason": reason,
        }
    )
    history.sort(key=lambda news: dt.datetime.fromisoformat(news["at"]))
    del history[:-KEPT]
    return True
