"""Guessing of codes slowed down: wrong ones are counted per terminal and per branch, in Valkey.

The terminal of a staff member is her login; that of an API key is the key in one branch, since a
key may speak for many. Only different codes count: one bill with a wrong code is priced over and
over while it grows. Without Valkey nothing is counted and the counter goes on.
"""

import hashlib
import logging
from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from marketing.core import clock, valkey
from marketing.core.actor import Actor
from marketing.core.errors import Throttled
from marketing.core.models import Branch, Role, Staff
from marketing.core.services import notify
from marketing.coupons.code_symbols import key_of, normalise
from marketing.coupons.pricing.answer import CodeDecision
from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.reasons import Reason, ReasonCode

logger = logging.getLogger(__name__)

MOST_A_MINUTE = 10
REFUSED_SECONDS = 60
ALERT_AN_HOUR = 50
NEWS = "coupon.wrong_codes"
# What somebody who guesses meets; a code that is over, used or off was told to somebody once.
GUESSED = {ReasonCode.CODE_UNKNOWN, ReasonCode.CODE_CHECK_FAILED, ReasonCode.CODE_NOT_HERS}

# Of the terminal: its codes, until when it is refused. Of the branch: its codes, whether it was
# told. By the caller's clock; expiry only tidies up.
COUNT = f"""
local now = tonumber(ARGV[1])
for place = 2, #ARGV do
    redis.call('ZADD', KEYS[1], now, ARGV[place])
    redis.call('ZADD', KEYS[3], now, ARGV[place])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 3600)
redis.call('EXPIRE', KEYS[1], 60)
redis.call('EXPIRE', KEYS[3], 3600)
if redis.call('ZCARD', KEYS[1]) >= {MOST_A_MINUTE} then
    redis.call('SET', KEYS[2], now + {REFUSED_SECONDS}, 'EX', {REFUSED_SECONDS})
    redis.call('DEL', KEYS[1])
end
local tried = redis.call('ZCARD', KEYS[3])
if tried >= {ALERT_AN_HOUR} and redis.call('SET', KEYS[4], 1, 'NX', 'EX', 3600) then
    return tried
end
return 0
"""


def require_patience(*, actor: Actor, branch_id: UUID) -> None:
    """Call it before codes are looked up. Raises `Throttled` while the terminal is refused.

    `details["retryAfter"]` are the seconds until then. Bills without codes need not ask.
    """
    terminal = _terminal(actor, branch_id)
    if terminal is None:
        return
    try:
        until = valkey.impatient().get(_keys(terminal, branch_id)[1])
    except valkey.AWAY as error:
        logger.warning("wrong codes are not counted without Valkey: %s", error)
        return
    left = 0.0 if until is None else float(until) - clock.now().timestamp()
    if left > 0:
        raise Throttled(
            _("Too many codes were wrong. Wait a minute, or bill without a code."),
            details={"retryAfter": max(1, round(left))},
        )


def note_codes(
    *, actor: Actor, branch_id: UUID, codes: Iterable[CodeDecision | EnteredCode]
) -> None:
    """Count those of the codes that were wrong: pass a quote's `codes`, or what was looked up.

    The tenth different one within a minute lets the terminal be refused for the next; at the
    fiftieth within an hour the branch's managers are told, once.
    """
    wrong = {_digest(entry.code) for entry in codes if _is_guess(entry)}
    terminal = _terminal(actor, branch_id)
    if not wrong or terminal is None:
        return
    try:
        tried = _count()(
            keys=_keys(terminal, branch_id), args=[clock.now().timestamp(), *sorted(wrong)]
        )
    except valkey.AWAY as error:
        logger.warning("wrong codes are not counted without Valkey: %s", error)
        return
    if tried:
        _tell(branch_id, int(tried))


def _is_guess(entry: CodeDecision | EnteredCode) -> bool:
    reasons: tuple[Reason | None, ...] = (
        entry.reasons if isinstance(entry, CodeDecision) else (entry.fault,)
    )
    return any(why is not None and why.code in GUESSED for why in reasons)


def _terminal(actor: Actor, branch_id: UUID) -> str | None:
    """None for Parlour itself, which guesses nothing."""
    if actor.api_key is not None:
        return f"{actor.api_key.pk}:{branch_id}"
    return None if actor.user_id is None else str(actor.user_id)


def _keys(terminal: str, branch_id: UUID) -> list[str]:
    start = "parlour:wrong-codes"
    return [
        f"{start}:tried:{terminal}",
        f"{start}:refused:{terminal}",
        f"{start}:branch:{branch_id}",
        f"{start}:told:{branch_id}",
    ]


def _digest(code: str) -> str:
    return hashlib.sha256(key_of(normalise(code)).encode()).hexdigest()[:16]


def _tell(branch_id: UUID, tried: int) -> None:
    """The branch's managers, or who owns the chain where it has none."""
    managers = Staff.objects.filter(is_active=True)
    told = list(
        managers.filter(role=Role.BRANCH_MANAGER, branches=branch_id).values_list("pk", flat=True)
    ) or list(managers.filter(role=Role.SUPER_OWNER).values_list("pk", flat=True))
    branch = Branch.objects.get(pk=branch_id)
    notify(
        NEWS,
        staff_ids=told,
        key=f"{branch_id}:{clock.now():%Y-%m-%dT%H}",
        target_id=branch_id,
        facts={"branch": branch.name, "tried": tried},
    )


@cache
def _count() -> Any:
    return valkey.impatient().register_script(COUNT)
