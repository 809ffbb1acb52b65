"""Typed codes looked up: what each opens, or why it opens nothing."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from marketing.core.postgresql.base import Answer
from marketing.core.prepared import ask_later
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.code_symbols import is_typed_code, key_of, normalise
from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.revocation import REVOKED_AT_SQL
from marketing.coupons.selectors.catalogue import NOTHING, LiveOffers

# The keys come by a sub-select: for a list at hand PostgreSQL would plan anew each time.
LOOK_UP = f"""
SELECT code.key, code.id, code.offer_id, code.customer_id, code.max_uses,
       code.used + code.reserved - coalesce(mine.n, 0), code.expires_at, {REVOKED_AT_SQL},
       code.campaign_id IS NOT NULL AND coalesce(consent.marketing_opted_out, false)
FROM coupons_couponcode code
LEFT JOIN coupons_codebatch batch ON batch.id = code.batch_id
LEFT JOIN customers_consentstate consent ON consent.customer_id = code.customer_id
LEFT JOIN LATERAL (
    SELECT count(*) AS n FROM coupons_hold hold
    WHERE hold.reservation_id = %(mine)s AND hold.code_id = code.id
) mine ON true
WHERE code.tenant_id = %(tenant)s AND code.key = ANY((SELECT %(keys)s::text[])::text[])
"""  # noqa: S608  constants


@dataclass(slots=True)
class Entered:
    """The cart's codes in their order; `ids` are the rows of those that open something, by offer
    (`limits` their own limits), `unknown` the keys of those that no offer has.
    """

    codes: list[EnteredCode] = field(default_factory=list)
    ids: dict[str, tuple[uuid.UUID, int | None]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def offers(self) -> list[uuid.UUID]:
        return [uuid.UUID(entry.offer) for entry in self.codes if entry.offer]

    def answer(
        self, others: Mapping[str, EnteredCode | None], brought: Sequence[EnteredCode] = ()
    ) -> None:
        """Put what others know of codes in the place of what is unknown here; `brought` comes
        behind, unless a typed code opens the same offer."""
        answered = [
            others.get(key_of(entry.code), entry)
            if entry.fault and entry.fault.code is ReasonCode.CODE_UNKNOWN
            else entry
            for entry in self.codes
        ]
        self.codes = [entry for entry in answered if entry is not None]
        opened = {entry.offer for entry in self.codes}
        self.codes += [entry for entry in brought if entry.offer not in opened]


@dataclass(frozen=True, slots=True)
class Typed:
    """Codes as typed, and what is asked of those that can exist."""

    codes: Sequence[str]
    asked: Answer | None


def ask_for(typed: Sequence[str], reservation_id: uuid.UUID | None) -> Typed:
    """Ask for all codes by one statement, which travels with the next.

    Uses that the bill's own reservation holds are not counted against it.
    """
    codes = [normalise(text) for text in typed]
    keys = sorted({key_of(code) for code in codes if is_typed_code(code)})
    if not keys:
        return Typed(codes, None)
    values = {"tenant": current_tenant_id(), "keys": keys, "mine": reservation_id or NOTHING}
    return Typed(codes, ask_later(LOOK_UP, values))


def entered_by(
    typed: Typed, *, live: LiveOffers, customer_id: uuid.UUID | None, now: dt.datetime
) -> Entered:
    """What each code opens; `now` is in the branch's zone, in which times are told."""
    rows = {row[0]: row[1:] for row in typed.asked.rows} if typed.asked else {}
    entered = Entered()
    for code in typed.codes:
        key, fault = key_of(code), _fault(code, live)
        if fault is None and key not in rows:
            fault = Reason(ReasonCode.CODE_UNKNOWN)
            entered.unknown.append(key)
        if fault is not None:
            entered.codes.append(EnteredCode(code=code, fault=fault))
            continue
        pk, offer, holder, most, used, expires, revoked, opted_out = rows[key]
        fault = _fault_of_row(holder, most, used, expires, revoked, opted_out, customer_id, now)
        # Whoever has somebody else's code learns nothing of what it opens.
        is_others = holder is not None and holder != customer_id
        opens = "" if is_others else str(offer)
        entered.codes.append(EnteredCode(code=code, offer=opens, fault=fault))
        if fault is None:
            entered.ids.setdefault(str(offer), (pk, most))
    return entered


def _fault(code: str, live: LiveOffers) -> Reason | None:
    if not is_typed_code(code):
        return Reason(ReasonCode.CODE_UNKNOWN)
    if live.fails_check(key_of(code)):
        return Reason(ReasonCode.CODE_CHECK_FAILED)
    return None


def _fault_of_row(
    holder: uuid.UUID | None,
    most: int | None,
    used: int,
    expires: dt.datetime | None,
    revoked: dt.datetime | None,
    opted_out: bool,
    customer_id: uuid.UUID | None,
    now: dt.datetime,
) -> Reason | None:
    if holder is not None and holder != customer_id:
        is_nobody = customer_id is None
        return Reason(ReasonCode.CUSTOMER_REQUIRED if is_nobody else ReasonCode.CODE_NOT_HERS)
    if revoked is not None:
        return Reason(ReasonCode.CODE_REVOKED)
    if expires is not None and now >= expires:
        return reason(ReasonCode.CODE_EXPIRED, ended=expires.astimezone(now.tzinfo))
    if most is not None and used >= most:
        return reason(ReasonCode.CODE_USED, limit=most)
    return Reason(ReasonCode.OPTED_OUT) if opted_out else None
