"""Gupshup's own codes; the others in its callbacks are Meta's."""

from marketing.delivery.providers.meta import codes as meta
from marketing.delivery.rules import ResultClass

CODES: dict[int, ResultClass] = {
    470: ResultClass.FAIL_CONTENT,  # Meta's 131047 of old
    500: ResultClass.RETRY,
    1002: ResultClass.FAIL_RECIPIENT,
    1003: ResultClass.FAIL_ACCOUNT,
    1004: ResultClass.FAIL_CONTENT,
    1005: ResultClass.FAIL_CONTENT,
    1006: ResultClass.FAIL_RECIPIENT,
    1007: ResultClass.FAIL_RECIPIENT,
    1008: ResultClass.FAIL_RECIPIENT,
    1009: ResultClass.FAIL_CONTENT,
    1010: ResultClass.FAIL_CONTENT,
    1011: ResultClass.FAIL_CONTENT,
    1012: ResultClass.FAIL_OPTOUT,
    4001: ResultClass.RETRY,
    4002: ResultClass.RETRY,
    4003: ResultClass.FAIL_CONTENT,
    4005: ResultClass.FAIL_CONTENT,
    9999: ResultClass.FAIL_ACCOUNT,
}
# A refusal at once comes without a code: its text tells which kind it is.
MESSAGES: dict[str, ResultClass] = {
    "invalid destination": ResultClass.FAIL_RECIPIENT,
    "invalid app details": ResultClass.FAIL_ACCOUNT,
    "authentication failed": ResultClass.FAIL_ACCOUNT,
    "low balance": ResultClass.FAIL_ACCOUNT,
}
RATE_LIMITED = 4001


def result_class(code: int | None) -> ResultClass | None:
    """The class of a code of Gupshup's or Meta's; None for one that neither documents."""
    return None if code is None else CODES.get(code) or meta.result_class(code)


def class_of_message(message: str) -> ResultClass | None:
    """The class of a refusal by its words; None when they are not known."""
    return next((kind for text, kind in MESSAGES.items() if text in message.lower()), None)


def suppression(code: int | None) -> str:
    """Why nothing may be sent to the address again after this code; "" when it may."""
    if result_class(code) is ResultClass.FAIL_OPTOUT:
        return "opted_out"
    return meta.suppression(code)


def as_code(value: object) -> int | None:
    """A code as a number: it comes as one, or as its digits."""
    text = "" if value is None else str(value)
    return int(text) if text.isdecimal() else None
