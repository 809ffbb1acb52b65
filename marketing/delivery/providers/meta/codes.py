"""Meta's error codes and what they mean to us."""

from marketing.delivery.rules import ResultClass

CODES: dict[ResultClass, tuple[int, ...]] = {
    ResultClass.FAIL_ACCOUNT: (
        0, 3, 10, *range(200, 300), 190, 368, 131005, 131031, 131037, 131042, 131044, 131045,
        131048, 131063, 131064,
    ),
    ResultClass.RETRY: (1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 132069, 133004,
                        133016, 135000),
    ResultClass.RETRY_LATER_24H: (131049,),
    ResultClass.FAIL_OPTOUT: (131050,),
    ResultClass.FAIL_RECIPIENT: (130472, 130497, 131021, 131026, 131030, 131062, 137000),
    ResultClass.FAIL_CONTENT: (
        100, 131008, 131009, 131047, 131051, 131052, 131053, 132000, 132001, 132005, 132007,
        132008, 132012, 132015, 132016, 132068,
    ),
}  # fmt: skip
# The app, the account or its number is asked to slow down; 131056 is about one person only.
SLOW_DOWN = frozenset({4, 80007, 130429})
UNDELIVERABLE = 131026
_CLASSES = {code: kind for kind, codes in CODES.items() for code in codes}


def result_class(code: int | None) -> ResultClass | None:
    """The class of a code; None when Meta did not document it."""
    return None if code is None else _CLASSES.get(code)


def suppression(code: int | None) -> str:
    """Why nothing may be sent to the address again after this code; "" when it may.

    131026 stands for much, an old app among it: for a while only.
    """
    if code == UNDELIVERABLE:
        return "unreachable"
    return "opted_out" if result_class(code) is ResultClass.FAIL_OPTOUT else ""
