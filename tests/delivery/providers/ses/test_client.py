"""Amazon SES: what we ask and what its answers mean."""

import asyncio
import base64
import dataclasses
import email
import email.policy
import json
import uuid

import pytest

from marketing.content.rendering import Rendered
from marketing.delivery.providers.base import Envelope
from marketing.delivery.providers.ses import client
from marketing.delivery.rules import ResultClass
from tests.delivery.providers.ses.conftest import MESSAGE_ID


def envelope(address="asha@example.com", number=0, **changes):
    rendered = Rendered(
        body="नमस्ते Asha", language="en", subject="20% off\r\nBcc: a@b.c", html="<p>Hi</p>"
    )
    return Envelope(
        message_id=uuid.UUID(int=MESSAGE_ID.int + number),
        address=address,
        language="en",
        rendered=rendered,
        parameters=None,
        vendor_template="",
        unsubscribe_url="https://example.com/u/token",
        **changes,
    )


def deliver(account, *envelopes):
    return asyncio.run(client.deliver(account, envelopes))


def test_a_mail_as_it_is_handed_over(server, account):
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.reference) == (ResultClass.ACCEPTED, "0109018f-0a1b")
    ((path, headers, asked),) = server.asked
    assert path == "/v2/email/outbound-emails"
    assert "Credential=AKIAX" in headers["Authorization"]
    assert asked["ConfigurationSetName"] == "parlour"
    assert asked["Destination"] == {"ToAddresses": ["asha@example.com"]}
    raw = base64.b64decode(asked["Content"]["Raw"]["Data"])
    assert raw.isascii()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["From"].addresses[0].display_name == "पार्लर"
    assert mail["Subject"] == "20% off Bcc: a@b.c"
    assert mail["Bcc"] is None
    assert mail["List-Unsubscribe"].startswith("<https://example.com/u/token>, <mailto:")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.get_body(("plain",)).get_content().strip() == "नमस्ते Asha"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hi</p>"
    assert json.loads(mail["X-Metadata"]) == {"message_id": str(MESSAGE_ID)}


def test_other_mail_has_no_unsubscribe_headers(server, account):
    deliver(account, envelope(is_promotional=False))
    raw = base64.b64decode(server.asked[0][2]["Content"]["Raw"]["Data"])
    assert b"List-Unsubscribe" not in raw


def test_the_region_is_the_addresses():
    assert client.REGION.match("https://email.eu-west-1.amazonaws.com")[1] == "eu-west-1"


@pytest.mark.parametrize(
    ("status", "code", "text", "expected", "suppress"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", "retry", ""),
        (400, "LimitExceededException", "Too many.", "retry", ""),
        (500, "InternalServiceErrorException", "", "retry", ""),
        (503, "ServiceUnavailable", "", "retry", ""),
        (400, "AccountSuspendedException", "", "fail_account", ""),
        (400, "SendingPausedException", "", "fail_account", ""),
        (400, "MailFromDomainNotVerifiedException", "", "fail_account", ""),
        (404, "NotFoundException", "Configuration set is not there.", "fail_account", ""),
        (400, "MessageRejected", "Email address is not verified.", "fail_account", ""),
        (400, "MessageRejected", "Contains a virus.", "fail_content", ""),
        (400, "BadRequestException", "Illegal address", "fail_recipient", "invalid"),
        (400, "BadRequestException", "Message too long.", "fail_content", ""),
        (403, "SignatureDoesNotMatch", "", "fail_account", ""),
        (403, "AccessDeniedException", "", "fail_account", ""),
        (418, "Teapot", "", "fail_content", ""),
    ],
)
def test_exceptions(server, account, status, code, text, expected, suppress):
    server.answer = (status, {"message": text})
    server.headers = {"x-amzn-ErrorType": code}
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.suppress) == (ResultClass(expected), suppress)
    assert result.detail == text
    assert result.slows == (code in ("TooManyRequestsException", "LimitExceededException"))
    assert len(server.asked) == 1, "boto must not try again by itself"


def test_the_days_quota_is_waited_for(server, account):
    server.answer = (429, {"message": "Daily message quota exceeded."})
    server.headers = {"x-amzn-ErrorType": "TooManyRequestsException"}
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.retry_after) == (ResultClass.RETRY, 86_400)


def test_a_request_without_an_answer_is_unknown(server, account):
    server.answer = (None, None)
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.code) == (ResultClass.UNKNOWN, "no_answer")
    assert len(server.asked) == 1


def test_an_answer_that_says_nothing_is_unknown(server, account):
    server.answer = (200, {})
    (result,) = deliver(account, envelope())
    assert result.outcome is ResultClass.UNKNOWN


def test_a_server_that_is_away_is_tried_again(account):
    away = dataclasses.replace(account, base_url="http://127.0.0.1:1")
    (result,) = deliver(away, envelope())
    assert (result.outcome, result.code) == (ResultClass.RETRY, "unreachable")


def test_an_address_that_cannot_be_written_is_not_asked_for(server, account):
    results = deliver(account, envelope(address="asha@exa mple.com"), envelope(number=1))
    assert [result.outcome for result in results] == [
        ResultClass.FAIL_RECIPIENT,
        ResultClass.ACCEPTED,
    ]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"SendingEnabled": False}, "switched off"),
        ({"ProductionAccessEnabled": False}, "sandbox"),
        ({"SendQuota": {"MaxSendRate": 5}}, "5 mails a second"),
    ],
)
def test_the_account_is_asked_what_it_may_do(server, account, changes, problem):
    told = {
        "SendingEnabled": True,
        "ProductionAccessEnabled": True,
        "SendQuota": {"Max24HourSend": 50_000, "MaxSendRate": 14, "SentLast24Hours": 0},
    }
    server.pages["/v2/email/account"] = json.dumps(told | changes).encode()
    explained = asyncio.run(client.probe(account))
    assert problem in explained
    assert bool(explained) == bool(problem)


def test_a_sender_that_cannot_be_written_is_the_accounts_fault(server, account):
    sender = account.sender | {"from_email": "hello@example.com\r\nBcc: a@b.c"}
    (result,) = deliver(dataclasses.replace(account, sender=sender), envelope())
    assert result.outcome is ResultClass.FAIL_ACCOUNT
    assert server.asked == []


def test_wrong_keys_are_told(server, account):
    assert "security token" in asyncio.run(client.probe(account))
