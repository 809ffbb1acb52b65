"""What became of mails that a server took: bounces (RFC 3464) and readers' complaints (RFC 5965).

Nobody calls; the reports are fetched from the account's mailbox. Each is known by the `Message-ID`
of the mail that it returns, which only those who got that mail can know.
"""

import email
import email.policy
import re
import uuid
from collections.abc import Iterator
from email.message import EmailMessage, Message
from typing import cast

from marketing.delivery.providers.base import Account, Call, Parsed, StatusUpdate
from marketing.delivery.providers.smtp.naming import message_named
from marketing.delivery.providers.smtp.replies import NO_SUCH_ADDRESS
from marketing.delivery.rules import ResultClass

STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# What readers say of a mail; programs report viruses and forged senders, and "not-spam" is praise.
COMPLAINTS = ("abuse", "fraud")


def verify(account: Account, call: Call) -> bool:
    """Whoever calls is nobody whom we know."""
    return False


def parse(call: Call) -> list[Parsed]:
    """That a mail of ours came back, and why, or that its reader calls it spam. Raises ValueError.

    Delays say nothing yet, and mails that are not ours are none of our business.
    """
    report = email.message_from_bytes(call.body, policy=email.policy.default)
    if report.get_content_type() != "multipart/report":
        raise ValueError("not a report")
    try:
        names = [str(mail["Message-ID"]).strip() for mail in _returned(report)]
    except LookupError as error:
        # In no charset that is known, or with half of a `Message-ID`.
        raise ValueError(f"a returned mail that cannot be read: {error}") from error
    named = ((message_id, name) for name in names if (message_id := message_named(name)))
    ours = next(named, None)
    if ours is None:
        return []
    failed = next((each for each in _recipients(report) if _word(each, "Action") == "failed"), None)
    if failed is not None:
        return [_bounce(*ours, failed, call)]
    if any(_word(each, "Feedback-Type") in COMPLAINTS for each in _feedback(report)):
        return [_complaint(*ours, call)]
    return []


def _bounce(message_id: uuid.UUID, name: str, failed: Message, call: Call) -> StatusUpdate:
    status = match[0] if (match := STATUS.search(str(failed["Status"]))) else ""
    return StatusUpdate(
        key=f"{message_id.hex}:bounce",
        state="failed",
        at=call.received_at,
        message_id=message_id,
        reference=name,
        code=status or "bounce",
        detail=str(failed["Diagnostic-Code"] or "").removeprefix("smtp;").strip(),
        error_class=ResultClass.FAIL_RECIPIENT,
        suppress="hard_bounce" if status in NO_SUCH_ADDRESS else "",
    )


def _complaint(message_id: uuid.UUID, name: str, call: Call) -> StatusUpdate:
    return StatusUpdate(
        key=f"{message_id.hex}:complaint",
        state="delivered",
        at=call.received_at,
        message_id=message_id,
        reference=name,
        suppress="complaint",
    )


def _returned(report: EmailMessage) -> Iterator[Message]:
    """The mail that the report returns, or its head."""
    for part in report.iter_parts():
        if part.get_content_type() == "message/rfc822":
            yield part.get_content()
        elif part.get_content_type() == "text/rfc822-headers":
            yield email.message_from_string(part.get_content())


def _recipients(report: EmailMessage) -> Iterator[Message]:
    """What the report says of each recipient; its first block is about the report itself."""
    for part in report.iter_parts():
        if part.get_content_type() == "message/delivery-status":
            yield from cast(list[Message], part.get_payload())[1:]


def _feedback(report: EmailMessage) -> Iterator[Message]:
    """The fields of a complaint."""
    for part in report.iter_parts():
        if part.get_content_type() == "message/feedback-report":
            yield from cast(list[Message], part.get_payload())


def _word(block: Message, name: str) -> str:
    return str(block[name]).strip().lower()
