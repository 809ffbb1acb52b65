"""What the mails of one call have in common, and what is each person's own.

SendGrid takes one content a call and up to 10,000 bytes of substitutions a person: a mail's layout
is sent once, with a mark in each gap, and for each person what to put in the place of the marks.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from marketing.content.mail import Mail, MailLayout, fill
from marketing.delivery.providers.base import Envelope
from marketing.delivery.providers.mail import mail_of, wire_address

MOST_BYTES = 10_000
MOST_MARKS = 100


@dataclass(frozen=True)
class SharedContent:
    """Subject, text and HTML; `marks` stand where the values of a mail belong, in their order."""

    subject: str
    text: str
    html: str
    marks: tuple[str, ...] = ()


@lru_cache(maxsize=128)
def share(layout: MailLayout) -> SharedContent:
    """The layout with marks in its gaps."""
    gaps = [
        piece
        for text in (layout.subject, layout.body, layout.html)
        for piece in text
        if isinstance(piece, int)
    ]
    # Nobody can have written it; its end keeps the first mark from being found in the tenth.
    begin = f"~{secrets.token_hex(4)}."
    marks = tuple(f"{begin}{number}~" for number in range(max(gaps, default=-1) + 1))
    return SharedContent(
        subject=fill(layout.subject, marks),
        text=fill(layout.body, marks),
        html=fill(layout.html, marks),
        marks=marks,
    )


def may_share(mail: Mail) -> bool:
    """Whether SendGrid takes what is the person's own."""
    marks = share(mail.layout).marks
    size = sum(map(len, marks)) + sum([len(value.encode()) for value in mail.values])
    return size <= MOST_BYTES and len(marks) <= MOST_MARKS


def group(envelopes: Sequence[Envelope], most: int) -> list[list[Envelope]]:
    """The envelopes by what they have in common, at most `most` together, in their order.

    No address comes twice in a group, which SendGrid refuses; a malformed one is by itself, and
    so is who has too much of her own.
    """
    groups: dict[object, list[Envelope]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    for envelope in envelopes:
        mail = mail_of(envelope)
        try:
            address = wire_address(envelope.address).lower()
        except ValueError:
            address = ""
        if not address or not may_share(mail):
            groups[envelope.message_id].append(envelope)
            continue
        seen[address] += 1
        groups[mail.layout, seen[address]].append(envelope)
    return [alike[at : at + most] for alike in groups.values() for at in range(0, len(alike), most)]
