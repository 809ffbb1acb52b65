"""Consent in every state it can be in: ledgers, and the states that follow from them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from customers.models import ConsentRecord
from customers.rules import ASSUMED, CHANNELS, EXPLICIT, Statement, follow, no_consent
from marketing.campaigns.demo.people import slots
from marketing.campaigns.demo.staging import execute, stage_rows
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
    """What was said, line by line, and what follows; once for people on the register, once not."""
    histories = [
        (name, is_dnd, sorted([*said, *([ON_DND] if is_dnd else [])], key=lambda one: one.when))
        for name, _share, said in (*ENTERED, *OTHERS)
        for is_dnd in (False, True)
    ]
    stage_rows(
        "demo_line",
        "history text, is_dnd bool, number int, channel text, purpose text, state text,"
        " basis text, source text, said_at float8",
        [
            (name, is_dnd, number, line.channel, line.purpose, line.state, line.basis, *origin)
            for name, is_dnd, heard in histories
            for number, (line, *origin) in enumerate(
                (line, one.source, one.when) for one in heard for line in one.lines
            )
        ],
    )
    fields = [name for name in no_consent() if name != "opted_out_at"]
    types = {True: "bool", False: "text"}
    stage_rows(
        "demo_state",
        "history text, is_dnd_person bool, opted_out_when float8, "
        + ", ".join(f"{name} {types[isinstance(no_consent()[name], bool)]}" for name in fields),
        [
            (name, is_dnd, when, *(state[field] for field in fields))
            for name, is_dnd, heard in histories
            for state, when in [_outcome(heard)]
        ],
    )
    stage_rows(
        "demo_history_slot",
        "is_entered bool, slot int, history text",
        [
            (is_entered, slot, history)
            for is_entered, choices in ((True, ENTERED), (False, OTHERS))
            for slot, history in enumerate(slots({name: share for name, share, _ in choices}))
        ],
    )


def _outcome(heard: Sequence[Said]) -> tuple[dict[str, Any], float | None]:
    """The state after everything was said, and when the standing opt-out was, if there is one."""
    state = no_consent()
    opted_out_when = None
    for one in heard:
        for line in one.lines:
            state = follow(state, line, source=one.source, at=None)
            if line.state == ConsentRecord.State.OPTED_OUT:
                opted_out_when = one.when
    return state, opted_out_when if state["marketing_opted_out"] else None


HEARD = """
    demo_person person
    JOIN demo_history_slot chosen
      ON chosen.is_entered = (person.source IN ('staff', 'counter', 'api'))
     AND chosen.slot = floor(pg_temp.draw(person.n, 'consent') * 100)::int
"""

STATES = f"""
    INSERT INTO customers_consentstate (
        id, tenant_id, customer_id, whatsapp_promotional, whatsapp_service, whatsapp_basis,
        sms_promotional, sms_service, sms_basis, email_promotional, email_service, email_basis,
        is_dnd, marketing_opted_out, opted_out_at, opt_out_source, updated_at)
    SELECT pg_temp.make_id(person.position, 'consent state'), %(tenant)s, person.id,
           whatsapp_promotional, whatsapp_service, whatsapp_basis,
           sms_promotional, sms_service, sms_basis, email_promotional, email_service, email_basis,
           is_dnd, marketing_opted_out, known_at + (%(now)s - known_at) * opted_out_when,
           opt_out_source, %(now)s
    FROM {HEARD} JOIN demo_state state ON state.history = chosen.history
     AND state.is_dnd_person = (pg_temp.draw(person.n, 'dnd') < %(dnd)s)
"""  # noqa: S608  constants of this module

# Ids of a person's lines grow in the order they were said.
LEDGER = f"""
    INSERT INTO customers_consentrecord (
        id, tenant_id, customer_id, channel, purpose, state, basis, source, wording_version,
        language, reason, user_id, at)
    SELECT pg_temp.make_id(person.position * 16 + line.number, 'consent record'), %(tenant)s,
           person.id, line.channel, line.purpose, line.state, line.basis,
           coalesce(nullif(line.source, ''), person.source),
           CASE line.basis WHEN 'explicit' THEN %(wording)s ELSE '' END,
           CASE line.basis WHEN 'explicit' THEN person.language ELSE '' END, '',
           CASE WHEN line.source = 'staff'
                  OR (line.source = '' AND person.source IN ('staff', 'counter'))
                THEN branch.receptionist_user_id END,
           known_at + (%(now)s - known_at) * line.said_at
    FROM {HEARD} JOIN demo_line line ON line.history = chosen.history
     AND line.is_dnd = (pg_temp.draw(person.n, 'dnd') < %(dnd)s)
    JOIN demo_branch branch ON branch.code = person.code
"""  # noqa: S608  constants of this module

SUPPRESSIONS = """
    INSERT INTO customers_suppression (tenant_id, channel, address_hash, reason, created_at)
    SELECT %(tenant)s, bad.channel, parlour_address_hash(%(tenant)s, bad.address), bad.reason,
           %(now)s - interval '60 days'
    FROM demo_person person
    CROSS JOIN LATERAL (
        SELECT 'email', email, 'hard_bounce' WHERE pg_temp.draw(n, 'bounces') < 0.008
        UNION ALL
        SELECT 'email', email, 'complaint' WHERE pg_temp.draw(n, 'complains') < 0.001
        UNION ALL
        SELECT 'sms', phone, 'invalid' WHERE pg_temp.draw(n, 'wrong number') < 0.004
        UNION ALL
        SELECT 'whatsapp', phone, 'invalid' WHERE pg_temp.draw(n, 'not on whatsapp') < 0.006
    ) AS bad(channel, address, reason)
    WHERE address <> ''
    ON CONFLICT DO NOTHING
"""
