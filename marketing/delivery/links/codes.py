"""The code of a short link: which link, for which message, and proof that we made it.

    code = base62(link number << 128 | message << 64 | tag)

24 characters for link numbers up to about 30,000, 25 up to 1.8 million. Digits and letters only,
because some phones end a link before its last `-` or `_`.

The message is named by 64 of the 122 free bits of its UUID version 7: its milliseconds since 2024
(40 bits, until 2058), PostgreSQL's fraction of the millisecond (12) and the last 12 random bits.
The time leads to one partition and to a range of the primary key that holds a row or two.

The tag is that of `core.proofs`.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from marketing.core import proofs

PURPOSE = b"parlour tracked links 1"
EPOCH = 1_704_067_200_000  # 2024-01-01T00:00Z in milliseconds
SHORTEST, LONGEST = 22, 33

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_MASK = 2**64 - 1


class UnknownCode(ValueError):
    """We did not make this code."""


@dataclass(frozen=True)
class Reference:
    """What a code names: a link's number and a message."""

    link_id: int
    message: int

    @property
    def id_range(self) -> tuple[uuid.UUID, uuid.UUID]:
        """The message's id lies between these, both included."""
        milliseconds, fraction = (self.message >> 24) + EPOCH, self.message >> 12 & 0xFFF
        first = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62
        return uuid.UUID(int=first), uuid.UUID(int=first | 2**62 - 1)

    def names(self, message_id: uuid.UUID) -> bool:
        """Whether a message of the range is the one."""
        return _message_bits(message_id) == self.message


def make_code(link_id: int, message_id: uuid.UUID) -> str:
    """The code of a link (its number from 1) in a message."""
    return make_codes([link_id], message_id)[0]


def make_codes(link_ids: Iterable[int], message_id: uuid.UUID) -> list[str]:
    """The codes of several links in one message."""
    message = _message_bits(message_id)
    named = [link_id << 64 | message for link_id in link_ids]
    return [
        _to_base62(each << 64 | int.from_bytes(proofs.tag(PURPOSE, _bytes(each)), "big"))
        for each in named
    ]


def read_code(code: str) -> Reference:
    """What the code names. Raises `UnknownCode`."""
    if not SHORTEST <= len(code) <= LONGEST or code[0] == "0":
        raise UnknownCode(code)
    try:
        number = _from_base62(code)
    except KeyError as error:
        raise UnknownCode(code) from error
    named, tag = number >> 64, (number & _MASK).to_bytes(8, "big")
    link_id = named >> 64
    if not 1 <= link_id < 2**63:
        raise UnknownCode(code)
    if not proofs.is_tag(PURPOSE, _bytes(named), tag):
        raise UnknownCode(code)
    return Reference(link_id, named & _MASK)


def _message_bits(message_id: uuid.UUID) -> int:
    whole = message_id.int
    milliseconds = (whole >> 80) - EPOCH & 2**40 - 1
    return milliseconds << 24 | (whole >> 64 & 0xFFF) << 12 | whole & 0xFFF


def _bytes(named: int) -> bytes:
    return named.to_bytes(16, "big")


def _to_base62(number: int) -> str:
    pairs = []
    while number:
        number, pair = divmod(number, 3844)
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    return "".join(pairs).lstrip("0")


def _from_base62(code: str) -> int:
    number = 0
    for digit in code:
        number = number * 62 + _VALUES[digit]
    return number
