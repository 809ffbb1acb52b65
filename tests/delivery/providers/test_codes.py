"""Every code that vendors document, copied from their tables, has the class that it is given there.

A code that a vendor makes up tomorrow is judged by the HTTP status.
"""

import json
import uuid
from types import SimpleNamespace

import pytest

from marketing.delivery.providers.base import Answer
from marketing.delivery.providers.gupshup import client as gupshup_client
from marketing.delivery.providers.gupshup import codes as gupshup
from marketing.delivery.providers.gupshup import webhook as gupshup_webhook
from marketing.delivery.providers.meta import client as meta_client
from marketing.delivery.providers.meta import codes as meta
from marketing.delivery.providers.meta import webhook as meta_webhook
from marketing.delivery.providers.msg91 import client as msg91_client
from marketing.delivery.providers.msg91 import codes as msg91
from marketing.delivery.providers.ssl_wireless import client as ssl_client
from marketing.delivery.providers.ssl_wireless import codes as ssl_wireless
from marketing.delivery.providers.twilio import client as twilio_client
from marketing.delivery.providers.twilio import codes as twilio
from marketing.delivery.providers.twilio import webhook as twilio_webhook
from marketing.delivery.rules import ResultClass
from marketing.delivery.rules import ResultClass as Is

META = {
    Is.FAIL_ACCOUNT: [
        0, 3, 10, 190, *range(200, 300), 368, 131005, 131031, 131037, 131042, 131044, 131045,
        131048, 131063, 131064,
    ],
    Is.RETRY: [
        1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 132069, 133004, 133016, 135000,
    ],
    Is.RETRY_LATER_24H: [131049],
    Is.FAIL_OPTOUT: [131050],
    Is.FAIL_RECIPIENT: [130472, 130497, 131021, 131026, 131030, 131062, 137000],
    Is.FAIL_CONTENT: [
        100, 131008, 131009, 131047, 131051, 131052, 131053, 132000, 132001, 132005, 132007,
        132008, 132012, 132015, 132016, 132068,
    ],
}  # fmt: skip
# Its own, among Meta's.
GUPSHUP = {
    Is.FAIL_ACCOUNT: [1003, 9999],
    Is.RETRY: [500, 4001, 4002],
    Is.FAIL_OPTOUT: [1012],
    Is.FAIL_RECIPIENT: [1002, 1006, 1007, 1008],
    Is.FAIL_CONTENT: [470, 1004, 1005, 1009, 1010, 1011, 4003, 4005],
}
TWILIO = {
    Is.FAIL_ACCOUNT: [20003, 21606, 30002, 30034, 63001],
    Is.RETRY: [20429, 21611, 30001, 30003, 30008, 63010, 63012, 63017, 63018],
    Is.RETRY_LATER_24H: [63049],
    Is.FAIL_OPTOUT: [21610],
    # 21408 and 21608 are the account's, but for this country or number alone.
    Is.FAIL_RECIPIENT: [
        21211, 21408, 21608, 21612, 21614, 30004, 30005, 30006, 63003, 63024, 63032,
    ],
    Is.FAIL_CONTENT: [21617, 30007, 63005, 63013, 63016, 63021, 63027, 63028, 63030],
}  # fmt: skip
MSG91 = {
    Is.FAIL_ACCOUNT: [106, 207, 208, 301, 302, 303, 418],
    Is.RETRY: [306],
    Is.FAIL_RECIPIENT: [202, 311],
    Is.FAIL_CONTENT: [101, 102, 103, 203, 307],
}
MSG91_REPORTS = {
    "1": ("delivered", None),
    "2": ("failed", Is.FAIL_RECIPIENT),
    "9": ("failed", Is.FAIL_RECIPIENT),
    "16": ("failed", Is.FAIL_CONTENT),
    "17": ("failed", Is.FAIL_RECIPIENT),
    "25": ("failed", Is.FAIL_CONTENT),
}
SSL_WIRELESS = {
    Is.ACCEPTED: [200, 4023],
    Is.FAIL_ACCOUNT: [4001, 4002, 4003, 4030, 4034, 4035],
    Is.RETRY: [4029, 4031, 4033, 5000],
    Is.FAIL_RECIPIENT: [4024, 4025, 4026],
    Is.FAIL_CONTENT: [4004, 4005, 4020, 4022, 4027, 4028, 4032],
}
SSL_ROWS = {
    "SUCCESS": Is.ACCEPTED,
    "DUPLICATE": Is.ACCEPTED,
    "INVALID": Is.FAIL_RECIPIENT,
    "BLOCKED": Is.FAIL_RECIPIENT,
}
META_STATES = {
    "sent": "sent", "delivered": "delivered", "read": "read", "played": "read",
    "failed": "failed",
}  # fmt: skip
META_TEMPLATES = {
    "PENDING": "pending",
    "APPROVED": "approved",
    "REJECTED": "rejected",
    "PAUSED": "paused",
    "DISABLED": "disabled",
    "FLAGGED": "paused",
    "IN_APPEAL": "rejected",
    "REINSTATED": "approved",
    "PENDING_DELETION": "disabled",
    "DELETED": "disabled",
    "LIMIT_EXCEEDED": "rejected",
    "ARCHIVED": "paused",
    "UNARCHIVED": "approved",
    "LOCKED": "paused",
}
GUPSHUP_TEMPLATES = {
    "approved": "approved",
    "rejected": "rejected",
    "paused": "paused",
    "disabled": "disabled",
    "deleted": "disabled",
}
GUPSHUP_STATES = {
    "enqueued": "sent", "sent": "sent", "delivered": "delivered", "read": "read",
    "failed": "failed",
}  # fmt: skip
TWILIO_STATES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}


def by_code(table):
    return {code: kind for kind, codes in table.items() for code in codes}


@pytest.mark.parametrize(
    ("documented", "mapped"),
    [
        (META, {c: k for k, codes in meta.CODES.items() for c in codes}),
        (GUPSHUP, gupshup.CODES),
        (TWILIO, {c: k for k, codes in twilio.CODES.items() for c in codes}),
        (MSG91, {int(code): kind for code, kind in msg91.CODES.items()}),
        (SSL_WIRELESS, ssl_wireless.CODES),
    ],
    ids=["meta", "gupshup", "twilio", "msg91", "ssl_wireless"],
)
def test_every_documented_code_has_its_class(documented, mapped):
    assert mapped == by_code(documented)


@pytest.mark.parametrize("code", by_code(META))
def test_gupshup_hands_metas_codes_on(code):
    """470 and 500 are its own; of Meta's range 200-299 it has none of its own either."""
    assert gupshup.result_class(code) == by_code(META)[code]


@pytest.mark.parametrize(
    ("documented", "mapped"),
    [
        (MSG91_REPORTS, msg91.REPORTS),
        (SSL_ROWS, ssl_wireless.ROWS),
        (META_STATES, meta_webhook.STATES),
        (META_TEMPLATES, meta_webhook.TEMPLATE_STATUSES),
        (GUPSHUP_STATES, gupshup_webhook.STATES),
        (GUPSHUP_TEMPLATES, gupshup_webhook.TEMPLATE_STATUSES),
        (TWILIO_STATES, twilio_webhook.STATES),
    ],
    ids=[
        "msg91 reports", "ssl_wireless rows", "meta states", "meta templates", "gupshup states",
        "gupshup templates", "twilio states",
    ],
)  # fmt: skip
def test_every_documented_state_is_known(documented, mapped):
    assert documented.items() <= mapped.items()


CLIENTS = {
    "meta": (meta_client, {"error": {"code": 999999, "message": "new"}}),
    "gupshup": (gupshup_client, {"status": "error", "code": 999999, "message": "new"}),
    "twilio": (twilio_client, {"code": 999999, "message": "new"}),
    "msg91": (msg91_client, {"type": "error", "code": "999999", "message": "new"}),
    "ssl_wireless": (ssl_client, {"status": "FAILED", "status_code": 999999}),
}


@pytest.mark.parametrize("vendor", CLIENTS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ResultClass.FAIL_CONTENT),
        (401, ResultClass.FAIL_ACCOUNT),
        (429, ResultClass.RETRY),
        (503, ResultClass.RETRY),
    ],
)
def test_a_code_that_is_new_counts_by_its_status(vendor, status, kind):
    client, said = CLIENTS[vendor]
    envelope = SimpleNamespace(message_id=uuid.uuid4(), address="+8801712345678")
    answer = Answer(status, {}, json.dumps(said).encode())
    (result,) = client.interpret([envelope], answer)
    assert (result.outcome, result.code) == (kind, "999999")


@pytest.mark.parametrize("vendor", CLIENTS)
def test_too_many_requests_slow_the_account_whatever_the_code(vendor):
    client, said = CLIENTS[vendor]
    envelope = SimpleNamespace(message_id=uuid.uuid4(), address="+8801712345678")
    answer = Answer(429, {"Retry-After": "7"}, json.dumps(said).encode())
    (result,) = client.interpret([envelope], answer)
    assert (result.outcome, result.slows, result.retry_after) == (ResultClass.RETRY, True, 7.0)
