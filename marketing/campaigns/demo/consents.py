"""Consent in every state it can be in: ledgers, and the states that follow from them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from customers.models import ConsentRecord
from customers.rules import ASSUMED, CHANNELS, EXPLICIT, Statement
from marketing.campaigns.demo.staging import execute
from marketing.core.tenancy import current_tenant_id

GRANTED, WITHDRAWN = ConsentRecord.State.GRANTED, ConsentRecord.State.WITHDRAWN
WORDING = "2025-06"


@dataclass(frozen=True)
class Said:
    """Lines of the ledger that were said together, `when` along a person's time as a customer.

    `when` is 0 for the first day and 1 for today; an empty source is that of the customer.
    """

    lines: Sequence[Statement]
    when: float = 0.0
    source: str = ""


def _grant(*channels: str, basis: str = EXPLICIT, purpose: str = "") -> list[Statement]:
    return [Statement(GRANTED, channel, purpose, basis) for channel in channels]


ASSUMED_ALL = Said(_grant(*CHANNELS, basis=ASSUMED))
EXPLICIT_ALL = Said(_grant(*CHANNELS))
OPT_OUT = Said([Statement(ConsentRecord.State.OPTED_OUT)], 0.6, "unsubscribe_link")
ON_DND = Said([Statement(ConsentRecord.State.DND_SET)], 0.1, "dnd_register")
DND_SHARE = 0.16

# Name, percent, what was said. People whom staff, counter or API entered.
ENTERED: tuple[tuple[str, int, tuple[Said, ...]], ...] = (
    ("assumed", 33, (ASSUMED_ALL,)),
    ("explicit", 37, (EXPLICIT_ALL,)),
    ("confirmed", 8, (ASSUMED_ALL, Said(_grant("whatsapp"), 0.4, "preference_centre"))),
    (
        "service only",
        6,
        (Said([*_grant("whatsapp", purpose="service"), *_grant("sms", purpose="service")]),),
    ),
    ("no sms", 4, (ASSUMED_ALL, Said([Statement(WITHDRAWN, "sms")], 0.5, "staff"))),
    ("no email", 3, (EXPLICIT_ALL, Said([Statement(WITHDRAWN, "email")], 0.7, "unsubscribe_link"))),
    ("assumed, opted out", 4, (ASSUMED_ALL, OPT_OUT)),
    ("explicit, opted out", 3, (EXPLICIT_ALL, OPT_OUT)),
    (
        "came back",
        2,
        (
            EXPLICIT_ALL,
            OPT_OUT,
            Said([Statement(ConsentRecord.State.OPTED_IN)], 0.9, "preference_centre"),
        ),
    ),
)
# People who came by import or referral: nothing is ever assumed of them.
OTHERS: tuple[tuple[str, int, tuple[Said, ...]], ...] = (
    ("nothing known", 28, ()),
    ("whatsapp only", 32, (Said(_grant("whatsapp")),)),
    ("other explicit", 32, (EXPLICIT_ALL,)),
    ("other opted out", 4, (EXPLICIT_ALL, OPT_OUT)),
    (
        "took back",
        4,
        (EXPLICIT_ALL, Said([Statement(WITHDRAWN, name) for name in CHANNELS], 0.8, "staff")),
    ),
)


def write_consents(now: dt.datetime) -> None:
    """A ledger and the state that follows from it for everybody in `demo_person`."""
    _stage_histories()
    values = {"tenant": current_tenant_id(), "now": now, "wording": WORDING, "dnd": DND_SHARE}
    execute(STATES, values)
    execute(LEDGER, values)
    execute(SUPPRESSIONS, values)


def _stage_histories() -> None:
    states: list[list[Any]] = []
    lines: list[list[Any]] = []
    for name, _share, said in (*ENTERED, *OTHERS):
        for is_dnd in (False, True):
            heard = sorted([*said, *([ON_DND] if is_dnd else [])], key=lambda one: one.when)
            states.append([name, is_dnd, *_state_after(heard), [[]]])
            states[-1][-1] = None
            lines += [
                [name, is_dnd, number, line.channel, line.purpose, line.state, line.basis,
                 one.source, one.when]
                for number, (one, line) in enumerate(
                    (one, line) for one in heard for line in one.lines
                )
            ]  # fmt: skip
    return
