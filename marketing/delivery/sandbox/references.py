"""The client's own id of a message, where a wire format has no field of its own for it."""

import hashlib
import json
import re
import uuid
from typing import Any

# With its hyphens, or without them as mails' own names have it.
UUID = re.compile(r"\b[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}\b", re.IGNORECASE)


def uuid_in(text: str) -> str:
    """The first UUID in a text, written with hyphens, else empty."""
    match = UUID.search(text)
    return str(uuid.UUID(match[0])) if match else ""


def fingerprint(recipient: str, asked: Any) -> str:
    """The recipient and what was asked for her: the same message twice is told by it."""
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    return f"{recipient}:{digest}"
