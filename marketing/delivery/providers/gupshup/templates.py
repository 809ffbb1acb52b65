"""Templates made in Gupshup's dashboard, found by name and language."""

import json

from marketing.delivery.providers.base import Account, Answer, KnownTemplate, Request
from marketing.delivery.providers.gupshup import client
from marketing.delivery.providers.gupshup.webhook import TEMPLATE_STATUSES


def find(account: Account, name: str) -> Request:
    """All templates of the app; there is no search."""
    return client.check(account)


def read(answer: Answer, name: str, language: str) -> KnownTemplate | None:
    """The template of this name and language, if the app has it."""
    for template in json.loads(answer.body).get("templates") or []:
        if (template.get("elementName"), template.get("languageCode")) == (name, language):
            status = TEMPLATE_STATUSES.get(str(template.get("status", "")).lower(), "pending")
            return KnownTemplate(str(template["id"]), status, str(template.get("reason") or ""))
    return None
