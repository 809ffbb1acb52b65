"""Amazon SES: what we ask, what its answers and SNS's notifications mean."""

import asyncio
import base64
import dataclasses
import datetime as dt
import email
import email.policy
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from marketing.content.rendering import Rendered
from marketing.delivery.providers.base import Account, Call, Envelope, Subscription
from marketing.delivery.providers.ses import client, sns, webhook
from marketing.delivery.rules import ResultClass

MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000005")


class Server(ThreadingHTTPServer):
    """Answers as it is told and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.answer = (200, {"MessageId": "0109018f-0a1b"})
        self.headers = {}
        self.pages = {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        status, answer = self.server.answer
        if status is None:
            self.connection.close()
            return
        self._say(status, json.dumps(answer).encode(), self.server.headers)

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers), None))
        page = self.server.pages.get(self.path)
        if page is None:
            self._say(403, b'{"message": "The security token is invalid."}', {})
        else:
            self._say(200, page, {})

    def _say(self, status, body, headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def account(server):
    return Account(
        id=uuid.uuid4(),
        provider="ses",
        base_url=f"http://127.0.0.1:{server.server_port}",
        credentials={"access_key_id": "AKIAX", "secret_access_key": "secret"},
        sender={
            "from_email": "hello@example.com",
            "from_name": "पार्लर",
            "configuration_set": "parlour",
        },
        rate_per_second=10,
        max_concurrency=10,
    )


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


def call(body):
    return Call(url="https://example.com/webhooks/ses/x", headers={}, body=body)


@pytest.mark.parametrize(
    ("name", "state", "code", "error_class", "suppress"),
    [
        ("send", "sent", "", "", ""),
        ("delivery", "delivered", "", "", ""),
        ("open", "read", "", "", ""),
        ("bounce_permanent", "failed", "Permanent/General", "fail_recipient", "hard_bounce"),
        ("bounce_transient", "failed", "Transient/MailboxFull", "fail_recipient", ""),
        ("complaint", "delivered", "", "", "complaint"),
        ("reject", "failed", "rejected", "fail_content", ""),
    ],
)
def test_events(payload, name, state, code, error_class, suppress):
    (update,) = webhook.parse(call(payload(f"ses/{name}.json")))
    assert (update.state, update.code) == (state, code)
    assert (update.error_class, update.suppress) == (error_class, suppress)
    assert (update.key, update.message_id) == (f"n-{name}", MESSAGE_ID)
    assert update.reference == "0109018f-0a1b-4c2d-8e3f-000000"
    assert update.at == dt.datetime(2026, 5, 22, 4, 36, 25, 123_000, tzinfo=dt.UTC)


def test_a_delay_changes_nothing(payload):
    assert webhook.parse(call(payload("ses/delay.json"))) == []


def test_the_greeting_of_a_topic_says_nothing():
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    body = json.dumps({"Type": "Notification", "MessageId": "g", "Message": greeting}).encode()
    assert webhook.parse(call(body)) == []


def test_a_subscription_is_to_be_confirmed(payload):
    (asked,) = webhook.parse(call(payload("ses/subscription.json")))
    assert isinstance(asked, Subscription)
    assert asked.url.startswith("https://sns.ap-south-1.amazonaws.com/?Action=ConfirmSubscription")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"Type": "Notification"}', b'{"Type": "SubscriptionConfirmation"}'],
)
def test_what_is_not_snss_is_refused(body, account):
    assert not webhook.verify(account, call(body))
    with pytest.raises(ValueError, match=r"not a|Expecting"):
        webhook.parse(call(body))


@pytest.fixture
def sign(server):
    """Signs a message as SNS does, with a certificate that the server shows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, SHA256())
    )
    server.pages["/sns.pem"] = certificate.public_bytes(Encoding.PEM)
    own = f"http://127.0.0.1:{server.server_port}"

    def signed(body, version="1", **changes):
        message = json.loads(body)
        message |= {"SigningCertURL": f"{own}/sns.pem", "SignatureVersion": version} | changes
        if "SubscribeURL" in message:
            message["SubscribeURL"] = changes.get("SubscribeURL", f"{own}/confirm")
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if message["Type"] != "Notification":
            names[2:4] = ["SubscribeURL", "Timestamp", "Token"]
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        algorithm = {"1": SHA1(), "2": SHA256()}[version]
        signature = key.sign(text.encode(), PKCS1v15(), algorithm)
        return message | {"Signature": base64.b64encode(signature).decode()}

    return signed


def is_taken(account, message):
    return webhook.verify(account, call(json.dumps(message).encode()))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("name", ["delivery", "subscription"])
def test_amazons_signature(account, sign, payload, name, version):
    message = sign(payload(f"ses/{name}.json"), version)
    assert is_taken(account, message)
    for changed in ("Message", "MessageId", "Timestamp", "TopicArn", "Signature"):
        assert not is_taken(account, message | {changed: "else"}), changed
    other = {"1": "2", "2": "1"}[version]
    assert not is_taken(account, message | {"SignatureVersion": other})
    assert not is_taken(account, message | {"SignatureVersion": "3"})


def test_a_subject_is_signed_too(account, sign, payload):
    message = sign(payload("ses/delivery.json"), Subject="Amazon SES")
    assert is_taken(account, message)
    assert not is_taken(account, message | {"Subject": "else"})


def test_the_certificate_is_fetched_once(server, account, sign, payload):
    for _ in range(3):
        assert is_taken(account, sign(payload("ses/delivery.json")))
    assert [path for path, _, _ in server.asked] == ["/sns.pem"]


def test_only_the_accounts_topic_is_heard_where_it_is_named(account, sign, payload):
    message = sign(payload("ses/delivery.json"))
    right = dataclasses.replace(account, sender={"topic_arn": message["TopicArn"]})
    wrong = dataclasses.replace(account, sender={"topic_arn": "arn:aws:sns:eu-west-1:1:other"})
    assert is_taken(right, message)
    assert not is_taken(wrong, message)


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.example.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com.example.com/SimpleNotificationService-0.pem",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com/?a=SimpleNotificationService-0.pem",
        "https://example.com/#sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "file:///etc/passwd",
    ],
)
def test_no_certificate_of_a_stranger_is_fetched(server, account, sign, payload, url):
    amazons = dataclasses.replace(account, base_url="https://email.eu-west-1.amazonaws.com")
    own = sign(payload("ses/delivery.json"))
    for stranger in (url, own["SigningCertURL"]):
        assert not is_taken(amazons, own | {"SigningCertURL": stranger})
    assert not is_taken(account, own | {"SigningCertURL": url})
    assert server.asked == []


@pytest.mark.parametrize(
    ("name", "pattern"), [("SigningCertURL", sns.CERTIFICATE), ("SubscribeURL", sns.SUBSCRIPTION)]
)
def test_amazons_own_addresses_are_taken(payload, name, pattern):
    url = json.loads(payload("ses/subscription.json"))[name]
    assert sns.is_at(pattern, url, "https://email.ap-south-1.amazonaws.com")


def test_no_subscription_elsewhere_is_confirmed(account, sign, payload):
    message = sign(payload("ses/subscription.json"), SubscribeURL="http://10.0.0.1/x")
    assert not is_taken(account, message)
