"""Meta's error codes and what they mean to us."""

from marketing.delivery.rules import ResultClass

_CODES: dict[ResultClass, tuple[int, ...]] = {
    ResultClass.FAIL_ACCOUNT: (
        0, 3, 10, 190, 368, 131005, 131031, 131037, 131042, 131044, 131045, 131048, 131063, 131064,
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
_CLASSES = {code: kind for kind, codes in _CODES.items() for code in codes}


def result_class(code: int | None) -> ResultClass | None:
    """The class of a code; None when Meta did not document it."""
    if code is not None and 200 <= code <= 299:
        return ResultClass.FAIL_ACCOUNT
    return None if code is None else _CLASSES.get(code)
