"""The `Message-ID` of a mail of ours, and the message that such a name is of.

`<message.tag@domain>`: the messages of a run have ids that follow each other, so only the tag
keeps whoever got one mail from naming those of others, in a bounce that never was.
"""

import re
import uuid

from marketing.core import proofs
from marketing.delivery.providers.base import Account, Envelope

PURPOSE = b"parlour mails' names 1"
OURS = re.compile(r"<([0-9a-f]{32})\.([0-9a-f]{16})@[^<>@\s]+>")


def name_of(account: Account, envelope: Envelope) -> str:
    """By what a bounce or a log can be matched: ours, at our domain."""
    domain = account.sender["from_email"].rpartition("@")[2]
    tag = proofs.tag(PURPOSE, envelope.message_id.bytes).hex()
    return f"<{envelope.message_id.hex}.{tag}@{domain}>"


def message_named(name: str) -> uuid.UUID | None:
    """The message of that name; None when it is none that we gave."""
    found = OURS.fullmatch(name)
    if found is None:
        return None
    message_id = uuid.UUID(found[1])
    is_ours = proofs.is_tag(PURPOSE, message_id.bytes, bytes.fromhex(found[2]))
    return message_id if is_ours else None
