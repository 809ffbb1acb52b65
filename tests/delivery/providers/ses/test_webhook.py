"""SNS's notifications: what they say of mails, and that they are Amazon's."""

import base64
import dataclasses
import datetime as dt
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from marketing.delivery.providers.base import Call, Subscription
from marketing.delivery.providers.ses import sns, webhook
from tests.delivery.providers.certificates import self_signed
from tests.delivery.providers.ses.conftest import MESSAGE_ID


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
    server.pages["/sns.pem"] = self_signed(key, "sns")
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
