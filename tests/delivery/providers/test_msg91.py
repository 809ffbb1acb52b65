"""MSG91: what we ask, what its answers and delivery reports mean."""

import datetime as dt
import json
import uuid
from urllib.parse import urlencode

import pytest

from marketing.content.rendering import Parameters, Rendered
from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.msg91 import client, webhook
from marketing.delivery.rules import ResultClass

ACCOUNT = Account(
    id=uuid.uuid4(),
    provider="msg91",
    base_url="http://127.0.0.1:1",
    credentials={"authkey": "key"},
    sender={"header": "PARLOR", "entity_id": "1"},
    rate_per_second=10,
    max_concurrency=10,
)
MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000002")


def test_flow_request():
    request = client.build(
        ACCOUNT,
        Envelope(
            message_id=MESSAGE_ID,
            address="+919876543210",
            language="en",
            rendered=Rendered(body="Hi Asha, 20% off", language="en"),
            parameters=Parameters(body=("Asha", "20%")),
            vendor_template="flow-1",
            unsubscribe_url="",
        ),
    )
    assert request.headers["authkey"] == "key"
    body = json.loads(request.body)
    assert body["template_id"] == "flow-1"
    assert body["recipients"] == [
        {"mobiles": "919876543210", "CRQID": str(MESSAGE_ID), "VAR1": "Asha", "VAR2": "20%"}
    ]


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"type": "success", "message": "346b"}, ResultClass.ACCEPTED),
        (200, {"type": "error", "message": "bad template"}, ResultClass.FAIL_CONTENT),
        (200, {"type": "error", "code": "301", "message": "balance"}, ResultClass.FAIL_ACCOUNT),
        (200, {"type": "error", "code": "202"}, ResultClass.FAIL_RECIPIENT),
        (401, {"type": "error", "message": "authkey"}, ResultClass.FAIL_ACCOUNT),
        (418, {"type": "error", "code": "418"}, ResultClass.FAIL_ACCOUNT),
        (429, {"type": "error"}, ResultClass.RETRY),
    ],
)
def test_type_decides_whatever_the_status(status, answer, expected):
    assert client.interpret(status, {}, json.dumps(answer).encode()).outcome is expected


def test_delivery_report(payload):
    body = urlencode({"data": payload("msg91/report_v2.json").decode()}).encode()
    delivered, dnd = webhook.parse(body)
    assert (delivered.state, delivered.message_id) == ("delivered", MESSAGE_ID)
    assert delivered.at.astimezone(dt.UTC) == dt.datetime(2026, 5, 22, 4, 36, 20, tzinfo=dt.UTC)
    assert (dnd.state, dnd.code, dnd.message_id) == ("failed", "9", None)
    assert dnd.error_class == "fail_recipient"


@pytest.mark.parametrize("body", [b"", b"data=nonsense", b"data=%5B1%5D"])
def test_what_is_not_a_report_is_refused(body):
    with pytest.raises(ValueError, match=r"not a delivery report|Expecting value"):
        webhook.parse(body)
