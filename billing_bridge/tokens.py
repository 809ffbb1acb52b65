"""Tokens that bills come with, of a payment instrument or a device: never kept as they came."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from billing_bridge.services.invoices import Taken
from marketing.referrals import services as referrals

NAMES = ("instrumentToken", "deviceToken")
MASK = "[masked]"
_NAME = rb'"(?:' + b"|".join(name.encode() for name in NAMES) + rb')"\s*:\s*'
_NAMED = re.compile(rb"(" + _NAME + rb')(?:"(?:[^"\\]|\\.)*"|[-0-9tfn][^\s,}\]]*)', re.DOTALL)
_BEGUN = re.compile(rb"(" + _NAME + rb").*", re.DOTALL)
_MASKED = rb'\1"' + MASK.encode() + rb'"'


def note_tokens(taken: Taken, data: Mapping[str, Any]) -> None:
    """Have referrals compare what the bill was paid and booked by; of nobody it says nothing."""
    tokens = referrals.tokens_of(data)
    whose = taken.purchase or taken.reservation
    customer_id = whose.customer_id
    if tokens and customer_id is not None:
        referrals.note_tokens(customer_id=customer_id, tokens=tokens)


def without_tokens(body: bytes) -> bytes:
    """The body with every token masked, else byte for byte; however its names are spelled.

    What is no JSON ends at the first token.
    """
    if b"oken" not in body and b"\\u" not in body:
        return body
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _BEGUN.sub(_MASKED, body)
    wanted = _masked(said)
    if wanted == said:
        return body
    masked = _NAMED.sub(_MASKED, body)
    try:
        is_masked = b"\\u" not in body and orjson.loads(masked) == wanted
    except orjson.JSONDecodeError:
        is_masked = False
    return masked if is_masked else orjson.dumps(wanted)


def _masked(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: MASK if name in NAMES else _masked(each) for name, each in said.items()}
    return [_masked(each) for each in said] if isinstance(said, list) else said
