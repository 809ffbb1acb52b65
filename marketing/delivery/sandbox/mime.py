"""A mail as it travels, read for the ledger and the inbox."""

import email
import email.policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from typing import Any


def read_mail(raw: bytes) -> EmailMessage:
    """Raises ValueError for what is no mail."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise ValueError("no headers")
    return message


def described(message: EmailMessage) -> dict[str, Any]:
    """What the inbox shows of it: sender, subject, its text parts, its headers."""
    name, address = parseaddr(str(message.get("From", "")))
    content = {
        part.get_content_type(): part.get_content()
        for part in message.walk()
        if part.get_content_type() in ("text/plain", "text/html") and not part.is_attachment()
    }
    return {
        "from": address,
        "name": name,
        "subject": str(message.get("Subject", "")),
        "content": content,
        "headers": {key: str(value) for key, value in message.items()},
    }


def recipients(message: EmailMessage) -> list[str]:
    """All addresses its headers name."""
    fields = [str(value) for key in ("To", "Cc", "Bcc") for value in message.get_all(key, [])]
    return [address for _, address in getaddresses(fields) if address]
