"""What the mails of one call have in common, and what is each person's own.

SendGrid takes one content a call and up to 10,000 bytes of substitutions a person, so a whole
rendered mail does not fit into a substitution. Mails of the same template differ only between
some of their tags and lines: those are substituted, the rest is sent once.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from marketing.delivery.providers.base import Envelope
from marketing.delivery.providers.mail import wire_address

MOST_BYTES = 10_000
MOST_MARKS = 100


@dataclass(frozen=True)
class SharedContent:
    """Subject, text and HTML with marks; `own` is what each envelope puts in their place."""

    subject: str
    text: str
    html: str
    own: tuple[dict[str, str], ...]


def share(envelopes: Sequence[Envelope]) -> SharedContent:
    """What the envelopes have in common; of one alone, everything."""
    # Ends with a full stop, so that no mark begins another one; nobody writes such a word.
    base = f"~{envelopes[0].message_id.hex}."
    own: tuple[dict[str, str], ...] = tuple({} for _ in envelopes)

    def common(texts: Sequence[str], separator: str) -> str:
        pieces = []
        for column in zip(*(text.split(separator) for text in texts), strict=True):
            if len(set(column)) == 1:
                pieces.append(column[0])
                continue
            mark = f"{base}{len(own[0])}~"
            pieces.append(mark)
            for values, value in zip(own, column, strict=True):
                values[mark] = value
        return separator.join(pieces)

    return SharedContent(
        subject=common([envelope.rendered.subject for envelope in envelopes], "\n"),
        text=common([envelope.rendered.body for envelope in envelopes], "\n"),
        html=common([envelope.rendered.html for envelope in envelopes], "<"),
        own=own,
    )


def group(envelopes: Sequence[Envelope], most: int) -> list[list[Envelope]]:
    """The envelopes by what they have in common, at most `most` together, in their order.

    No address comes twice in a group, which SendGrid refuses; a malformed one is by itself.
    """
    groups: dict[object, list[Envelope]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    for envelope in envelopes:
        rendered = envelope.rendered
        try:
            address = wire_address(envelope.address).lower()
        except ValueError:
            groups[envelope.message_id].append(envelope)
            continue
        seen[address] += 1
        shape = (
            rendered.language,
            rendered.subject.count("\n"),
            rendered.body.count("\n"),
            rendered.html.count("<"),
            envelope.is_promotional,
            seen[address],
        )
        groups[shape].append(envelope)
    return [
        fitting
        for alike in groups.values()
        for at in range(0, len(alike), most)
        for fitting in _fit(alike[at : at + most])
    ]


def _fit(envelopes: list[Envelope]) -> list[list[Envelope]]:
    """Those whose own parts are small enough together, each of the others by itself."""
    fitting: list[Envelope] = []
    alone: list[list[Envelope]] = []
    for envelope, values in zip(envelopes, share(envelopes).own, strict=True):
        size = sum(len(mark) + len(value.encode()) for mark, value in values.items())
        if size <= MOST_BYTES and len(values) <= MOST_MARKS:
            fitting.append(envelope)
        else:
            alone.append([envelope])
    return [fitting, *alone] if fitting else alone
