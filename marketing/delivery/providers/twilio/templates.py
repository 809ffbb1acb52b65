"""Content templates made in Twilio's console, found by name and language."""

import json
from urllib.parse import urlencode, urlsplit

from marketing.delivery.providers.base import Account, Answer, KnownTemplate, Request
from marketing.delivery.providers.twilio import client

# Twilio tells nobody when WhatsApp has decided: what it says here is all there is.
STATUSES = {
    "approved": "approved",
    "rejected": "rejected",
    "paused": "paused",
    "disabled": "disabled",
}


def find(account: Account, name: str) -> Request:
    """Content templates of this name with their approvals, from the Content API's own host."""
    parts = urlsplit(account.base_url)
    if parts.hostname == "api.twilio.com":
        parts = parts._replace(netloc="content.twilio.com")
    query = urlencode({"ContentName": name, "PageSize": 50})
    return Request(
        url=f"{parts.geturl()}/v2/ContentAndApprovals?{query}",
        headers=client.headers(account),
        body=b"",
        method="GET",
    )


def read(answer: Answer, name: str, language: str) -> KnownTemplate | None:
    """The template of this name and language, if the account has it."""
    for content in json.loads(answer.body).get("contents") or []:
        if (content.get("friendly_name"), content.get("language")) == (name, language):
            approval = content.get("approval_requests") or {}
            status = STATUSES.get(str(approval.get("status", "")).lower(), "pending")
            reason = str(approval.get("rejection_reason") or "")
            return KnownTemplate(str(content["sid"]), status, reason)
    return None
