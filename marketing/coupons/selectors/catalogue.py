"""A chain's live offers, compiled and kept in the process; never older than the last commit."""

import datetime as dt
import uuid
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

import orjson
from django.db import connection

from marketing.core.tenancy import current_tenant_id
from marketing.coupons.code_symbols import is_sound
from marketing.coupons.pricing.canonical import from_plain
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.terms import OfferTerms

# What ended before is out of every chain's zone by now.
OVER = dt.timedelta(days=2)
KEPT_CHAINS = 64

NOTHING = uuid.UUID(int=0)

# In one statement, so that mark and offers are of the same moment.
LIVE = """
SELECT mark.token, mark.number, offer.id, revision.terms
FROM coupons_cataloguemark mark
LEFT JOIN coupons_offer offer
    ON offer.tenant_id = mark.tenant_id AND offer.is_active
    AND (offer.valid_until IS NULL OR offer.valid_until >= %(day)s)
LEFT JOIN coupons_offerrevision revision
    ON revision.offer_id = offer.id AND revision.revision = offer.revision
WHERE mark.tenant_id = %(tenant)s
"""
PATTERNS = """
SELECT DISTINCT prefix, symbols FROM coupons_codebatch WHERE tenant_id = %s
"""
REVISIONS = """
SELECT terms FROM coupons_offerrevision revision
JOIN coupons_offer offer
    ON offer.id = revision.offer_id AND offer.revision = revision.revision
WHERE offer.tenant_id = %s AND offer.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class LiveOffers:
    """What a chain offered at `number`; `patterns` are prefix and length of generated codes."""

    token: uuid.UUID
    number: int
    day: dt.date
    catalogue: Catalogue
    patterns: frozenset[tuple[str, int]]

    def fails_check(self, key: str) -> bool:
        """Whether a code can only be a generated one that was misread."""
        return any(
            len(key) == len(prefix) + symbols + 1
            and key.startswith(prefix)
            and not is_sound(key[len(prefix) :])
            for prefix, symbols in self.patterns
        )


_kept: OrderedDict[uuid.UUID, LiveOffers] = OrderedDict()
_lock = Lock()


def live_offers(token: uuid.UUID | None, now: dt.datetime) -> LiveOffers:
    """The chain's live offers, read anew unless what is kept has the `token` read just now."""
    tenant_id = current_tenant_id()
    day = (now - OVER).date()
    with _lock:
        known = _kept.get(tenant_id)
    if known is not None and known.token == (token or NOTHING) and known.day == day:
        return known
    live = _read(tenant_id, day)
    with _lock:
        _kept[tenant_id] = live
        _kept.move_to_end(tenant_id)
        while len(_kept) > KEPT_CHAINS:
            _kept.popitem(last=False)
    return live


def with_offers(live: LiveOffers, offer_ids: Iterable[uuid.UUID]) -> Catalogue:
    """The catalogue with these offers too, which are over or switched off: a code opens them."""
    missing = [pk for pk in offer_ids if str(pk) not in live.catalogue.by_id]
    if not missing:
        return live.catalogue
    with connection.cursor() as cursor:
        cursor.execute(REVISIONS, [current_tenant_id(), missing])
        more = Catalogue(
            from_plain(OfferTerms, orjson.loads(terms)) for (terms,) in cursor.fetchall()
        )
    return _joined(live.catalogue, more)


def _joined(catalogue: Catalogue, more: Catalogue) -> Catalogue:
    joined = Catalogue(())
    joined.automatic = catalogue.automatic
    joined.by_id = {**catalogue.by_id, **more.by_id}
    return joined


def _read(tenant_id: uuid.UUID, day: dt.date) -> LiveOffers:
    with connection.cursor() as cursor:
        cursor.execute(LIVE, {"tenant": tenant_id, "day": day})
        rows = cursor.fetchall()
        # After the mark: what is newer than it is read again next time, what is older is not.
        cursor.execute(PATTERNS, [tenant_id])
        patterns = frozenset(cursor.fetchall())
    token, number = rows[0][:2] if rows else (NOTHING, 0)
    terms = [from_plain(OfferTerms, orjson.loads(row[3])) for row in rows if row[2] is not None]
    return LiveOffers(token, number, day, Catalogue(terms), patterns)
