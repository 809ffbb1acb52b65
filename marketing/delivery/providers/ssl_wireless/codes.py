"""SSL Wireless's codes and what they mean to us."""

from marketing.delivery.rules import ResultClass

OK, DUPLICATE = 200, 4023
CODES: dict[int, ResultClass] = {
    OK: ResultClass.ACCEPTED,
    4001: ResultClass.FAIL_ACCOUNT,
    4002: ResultClass.FAIL_ACCOUNT,
    4003: ResultClass.FAIL_ACCOUNT,
    4004: ResultClass.FAIL_CONTENT,
    4005: ResultClass.FAIL_CONTENT,
    4020: ResultClass.FAIL_CONTENT,
    4022: ResultClass.FAIL_CONTENT,
    # Our id was seen before: the first call had arrived.
    DUPLICATE: ResultClass.ACCEPTED,
    4024: ResultClass.FAIL_RECIPIENT,
    4025: ResultClass.FAIL_RECIPIENT,
    4026: ResultClass.FAIL_RECIPIENT,
    4027: ResultClass.FAIL_CONTENT,
    4028: ResultClass.FAIL_CONTENT,
    4029: ResultClass.RETRY,
    4030: ResultClass.FAIL_ACCOUNT,
    4031: ResultClass.RETRY,
    4032: ResultClass.FAIL_CONTENT,
    4033: ResultClass.RETRY,
    4034: ResultClass.FAIL_ACCOUNT,
    4035: ResultClass.FAIL_ACCOUNT,
    5000: ResultClass.RETRY,
}
SLOW_DOWN = frozenset({4029, 4031})
INVALID_NUMBER = 4025
# These blame one message; in an answer about a whole call they say nothing of the others.
OF_ONE_MESSAGE = frozenset({4020, DUPLICATE, 4024, 4025, 4026, 4027})
ROWS: dict[str, ResultClass] = {
    "SUCCESS": ResultClass.ACCEPTED,
    "DUPLICATE": ResultClass.ACCEPTED,
    "INVALID": ResultClass.FAIL_RECIPIENT,
    "BLOCKED": ResultClass.FAIL_RECIPIENT,
}
