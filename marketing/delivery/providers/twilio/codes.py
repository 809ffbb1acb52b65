"""Twilio's error codes and what they mean to us."""

from marketing.delivery.rules import ResultClass

# 21408 (country not enabled) and 21608 (not verified, trial) are the account's fault, but hold
# for this recipient only: one foreign number must not stop the others.
CODES: dict[ResultClass, tuple[int, ...]] = {
    ResultClass.FAIL_ACCOUNT: (20003, 21606, 30002, 30034, 63001),
    ResultClass.RETRY: (20429, 21611, 30001, 30003, 30008, 63010, 63012, 63017, 63018),
    ResultClass.RETRY_LATER_24H: (63049,),
    ResultClass.FAIL_OPTOUT: (21610,),
    ResultClass.FAIL_RECIPIENT: (
        21211, 21408, 21608, 21612, 21614, 30004, 30005, 30006, 63003, 63024, 63032,
    ),
    ResultClass.FAIL_CONTENT: (
        21617, 30007, 63005, 63013, 63016, 63021, 63027, 63028, 63030,
    ),
}  # fmt: skip
# The account or its sender is asked to slow down.
SLOW_DOWN = frozenset({20429, 21611, 30001, 63017, 63018})
# A phone that is off, or nobody knows why: worth one more try.
ONCE_MORE = frozenset({30003, 30008})
NO_SUCH_NUMBER = frozenset({21211, 21614, 30005, 30006})
WITHHELD_MARKETING = 63049
_CLASSES = {code: kind for kind, codes in CODES.items() for code in codes}


def result_class(code: int | None, address: str) -> ResultClass | None:
    """The class of a code for an address; None when Twilio did not document it.

    WhatsApp delivers no marketing to numbers of the United States (+1), now or tomorrow.
    """
    if code == WITHHELD_MARKETING and address.startswith("+1"):
        return ResultClass.FAIL_RECIPIENT
    return None if code is None else _CLASSES.get(code)


def suppression(code: int | None) -> str:
    """Why nothing may be sent to the address again after this code; "" when it may."""
    if code is None:
        return ""
    if code in NO_SUCH_NUMBER:
        return "invalid"
    return "opted_out" if _CLASSES.get(code) is ResultClass.FAIL_OPTOUT else ""
