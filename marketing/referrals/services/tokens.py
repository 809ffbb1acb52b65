"""By what a customer pays and books: noted as keyed hashes, compared with who brought her."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from customers.services.standing import standing_ids
from marketing.core import clock
from marketing.core.errors import ValidationFailed
from marketing.core.proofs import fingerprints
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant_id
from marketing.referrals import rules
from marketing.referrals.models import Referral, SeenToken
from marketing.referrals.selectors.sharing import sharing_with

LONGEST_TOKEN = 128
AT_ONCE = 5_000
NOTE = """
INSERT INTO referrals_seentoken (tenant_id, customer_id, kind, digest, seen_at)
SELECT %(tenant)s, %(customer)s, kind, digest, %(now)s
FROM unnest(%(kinds)s::text[], %(digests)s::bytea[]) AS said (kind, digest)
ON CONFLICT (tenant_id, kind, digest, customer_id) DO UPDATE SET seen_at = excluded.seen_at
"""
CARD = re.compile(r"[0-9][0-9 -]{10,22}[0-9]")


@transaction.atomic
def note_tokens(*, customer_id: uuid.UUID, tokens: Mapping[str, str]) -> None:
    """Her bill or sign-up came with these, by `rules.INSTRUMENT` and `rules.DEVICE`.

    Referrals between her and whoever used the same wait for a manager, unless one looked at them
    before. Raises `ValidationFailed` for what is no token (`require_tokens`).
    """
    said = {kind: token for kind, token in tokens.items() if token}
    if not said:
        return
    require_tokens(said)
    customer_id = standing_ids([customer_id])[customer_id]
    rows = sorted(
        (kind, digest) for kind, token in said.items() for digest in _digests(kind, token)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            NOTE,
            {
                "tenant": current_tenant_id(),
                "customer": customer_id,
                "kinds": [kind for kind, _digest in rows],
                "digests": [digest for _kind, digest in rows],
                "now": clock.now(),
            },
        )
    if others := sharing_with(customer_id):
        _flag(customer_id, others)


def tokens_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Those of a body with `instrument_token` and `device_token`, where it says any."""
    named = {kind: data.get(f"{kind}_token") for kind in rules.SHARED}
    return {kind: token for kind, token in named.items() if token}


def require_tokens(tokens: Mapping[str, str]) -> None:
    """Raises `ValidationFailed` at `<kind>_token` for one that is too long, or a card's number."""
    faults = {}
    for kind, token in tokens.items():
        if len(token) > LONGEST_TOKEN:
            faults[f"{kind}_token"] = [_("At most %(max)d characters.") % {"max": LONGEST_TOKEN}]
        elif _is_card_number(token):
            message = _("This is a card's number. Send what your payment provider calls it by.")
            faults[f"{kind}_token"] = [message]
    if faults:
        raise ValidationFailed(fields=faults)


def drop_old_tokens() -> int:
    """Forget what nobody used for `rules.TOKEN_LASTS`, some at a time; how many went."""
    old = SeenToken.objects.filter(seen_at__lt=clock.now() - rules.TOKEN_LASTS).order_by("seen_at")
    ids = list(old.values_list("pk", flat=True)[:AT_ONCE])
    return SeenToken.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _digests(kind: str, token: str) -> list[bytes]:
    """Of this chain alone: the same token at another has another."""
    data = f"{current_tenant_id()}:{token}".encode()
    return fingerprints(f"referrals {kind} token".encode(), data)


def _flag(customer_id: uuid.UUID, others: Mapping[uuid.UUID, list[str]]) -> None:
    between = Q(friend=customer_id, referrer__in=others) | Q(
        referrer=customer_id, friend__in=others
    )
    rows = Referral.objects.select_for_update(of=("self",)).filter(
        between,
        state__in=[rules.ATTRIBUTED, rules.QUALIFIED, rules.HELD],
        reviewed_at=None,
    )
    for row in rows.order_by("pk"):
        shared = others.get(row.referrer_id) or others.get(row.friend_id or customer_id, [])
        fresh = [signal for signal in shared if signal not in row.signals]
        if fresh:
            row.is_flagged, row.signals = True, [*row.signals, *fresh]
            row.save(update_fields=["is_flagged", "signals", "updated_at"])


def _is_card_number(token: str) -> bool:
    """Luhn's check over 12 to 19 digits."""
    if not CARD.fullmatch(token.strip()):
        return False
    digits = [int(each) for each in token if each.isdigit()][::-1]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[1::2]]
    return 12 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0
