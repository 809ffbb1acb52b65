"""The consent of two who become one, and of one who comes apart into two again."""

import datetime as dt
from typing import Any

from customers import rules
from customers.models import ConsentRecord, ConsentState, Customer, CustomerMerge
from customers.services.consent import fields_of, write_lines
from marketing.core.actor import Actor

MERGE, SEPARATION = "merge", "separation"
BASES = tuple(f"{channel}_basis" for channel in rules.CHANNELS)


def merge_consent(*, actor: Actor, keep: Customer, other: Customer) -> dict[str, Any]:
    """Let `keep` agree to no more than either did, and `other` to nothing; both are locked.

    A channel is confirmed only where both confirmed it; of two weekly limits the lower holds.
    What still names `other` (a message on its way into the outbox) is stopped by her consent.
    Returns what both were, for `separate_consent`.
    """
    states = {
        state.customer_id: state
        for state in ConsentState.objects.select_for_update(no_key=True)
        .filter(customer__in=[keep, other])
        .order_by("customer_id")
    }
    kept, gone = (states.get(one.pk) or ConsentState(customer=one) for one in (keep, other))
    before: dict[str, Any] = {"survivor": _packed(kept), "merged": _packed(gone)}
    said = rules.statements(fields_of(kept), rules.stricter(fields_of(kept), fields_of(gone)))
    write_lines(actor, keep, kept, said, source=MERGE)
    for basis in BASES:
        if getattr(kept, basis) and getattr(gone, basis) == rules.ASSUMED:
            setattr(kept, basis, rules.ASSUMED)
    if gone.marketing_opted_out and before["survivor"]["opted_out_at"] is None:
        kept.opted_out_at, kept.opt_out_source = gone.opted_out_at, gone.opt_out_source
    limits = [limit for limit in (kept.weekly_limit, gone.weekly_limit) if limit]
    kept.weekly_limit = min(limits, default=None)
    kept.save()
    before["limit"] = kept.weekly_limit
    _set(gone, rules.no_consent() | {"marketing_opted_out": True, "opt_out_source": MERGE})
    return before


def separate_consent(
    *, actor: Actor, merge: CustomerMerge, keep: Customer, other: Customer
) -> None:
    """Give both back what they agreed to, and hold them to what was said meanwhile.

    The survivor keeps all that was said since; a refusal holds for the other too, because
    nobody can tell which of the two she then was.
    """
    before = merge.record["consent"]
    kept = ConsentState.objects.select_for_update(no_key=True).get(customer=keep)
    gone = ConsentState.objects.select_for_update(no_key=True).get(customer=other)
    since = keep.consent_records.filter(pk__gt=merge.pk).exclude(source__in=(MERGE, SEPARATION))
    lines = list(since.order_by("pk"))
    limit = before["survivor"].pop("weekly_limit")
    if kept.weekly_limit == before["limit"]:
        kept.weekly_limit = limit
    wanted = _unpacked(before["survivor"])
    for line in lines:
        wanted = rules.follow(wanted, _statement(line), source=line.source, at=line.at)
    write_lines(actor, keep, kept, rules.loosening(fields_of(kept), wanted), source=SEPARATION)
    _set(kept, wanted)
    gone.weekly_limit = before["merged"].pop("weekly_limit")
    _set(gone, _unpacked(before["merged"]))
    refused = [
        _statement(line) for line in lines if line.state in ("withdrawn", "opted_out", "dnd_set")
    ]
    write_lines(actor, other, gone, refused, source=SEPARATION)


def _packed(state: ConsentState) -> dict[str, Any]:
    return fields_of(state) | {"weekly_limit": state.weekly_limit}


def _unpacked(fields: dict[str, Any]) -> dict[str, Any]:
    at = fields["opted_out_at"]
    return fields | {"opted_out_at": dt.datetime.fromisoformat(at) if at else None}


def _set(state: ConsentState, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(state, name, value)
    state.save()


def _statement(line: ConsentRecord) -> rules.Statement:
    return rules.Statement(line.state, line.channel, line.purpose, line.basis)
