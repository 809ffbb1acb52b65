"""MSG91's codes: of the gateway family in answers, of its own in reports."""

from marketing.delivery.rules import ResultClass

# Texts vary, so the code decides. 306: the promotional route is closed at this hour; the
# message may go later. 311: the same to the same number within ten seconds.
CODES: dict[str, ResultClass] = {
    "101": ResultClass.FAIL_CONTENT,
    "102": ResultClass.FAIL_CONTENT,
    "103": ResultClass.FAIL_CONTENT,
    "106": ResultClass.FAIL_ACCOUNT,
    "202": ResultClass.FAIL_RECIPIENT,
    "203": ResultClass.FAIL_CONTENT,
    "207": ResultClass.FAIL_ACCOUNT,
    "208": ResultClass.FAIL_ACCOUNT,
    "301": ResultClass.FAIL_ACCOUNT,
    "302": ResultClass.FAIL_ACCOUNT,
    "303": ResultClass.FAIL_ACCOUNT,
    "306": ResultClass.RETRY,
    "307": ResultClass.FAIL_CONTENT,
    "311": ResultClass.FAIL_RECIPIENT,
    "418": ResultClass.FAIL_ACCOUNT,
}
INVALID_MOBILE = "202"
# Our address is not on the account's list: told as a code, or as the answer's status.
ADDRESS_NOT_LISTED = 418
HOURS_CLOSED, HOURS_CLOSED_SECONDS = "306", 1800.0
DO_NOT_DISTURB = "9"
# Status of a report: our state, and the class of a failure. 16 and 25 are an operator's rejection
# (DLT mismatch, hours), 17 a blocked number.
REPORTS: dict[str, tuple[str, ResultClass | None]] = {
    "1": ("delivered", None),
    "2": ("failed", ResultClass.FAIL_RECIPIENT),
    DO_NOT_DISTURB: ("failed", ResultClass.FAIL_RECIPIENT),
    "16": ("failed", ResultClass.FAIL_CONTENT),
    "17": ("failed", ResultClass.FAIL_RECIPIENT),
    "25": ("failed", ResultClass.FAIL_CONTENT),
}
