"""A request that carries callbacks to their receiver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketing.delivery.sandbox.ledger import OwedCallback


@dataclass(frozen=True)
class Post:
    """``url`` empty: where the account's callbacks go. Posts of a ``lane`` keep their order."""

    headers: Mapping[str, str]
    body: bytes
    carried: Sequence[OwedCallback]
    url: str = ""
    lane: str = ""
