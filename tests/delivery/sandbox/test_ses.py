"""The sandbox as Amazon SES: signed requests, raw and simple mails, events over SNS."""

import base64
import json
import urllib.request
from email.message import EmailMessage

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from tests.concurrency import PATIENCE

ACCOUNT = {
    "provider": "ses",
    "credentials": {
        "access_key_id": "AKIASANDBOX",
        "secret_access_key": "secret",
        "region": "ap-south-1",
    },
    "sent_delay_ms": 0,
    "delivered_delay_ms": 30,
    "read_delay_ms": 60,
}
CANONICAL = {
    "Notification": ["Message", "MessageId", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": [
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ],
}


@pytest.fixture
def ses(sandbox):
    sandbox.control("PUT", "accounts/aws", ACCOUNT)
    return sandbox


def connect(ses, receiver, **credentials):
    credentials = {**ACCOUNT["credentials"], **credentials}
    account = {**ACCOUNT, "credentials": credentials, "webhook_url": receiver.url}
    ses.control("PUT", "accounts/aws", account)


def client(ses, secret="secret", key="AKIASANDBOX"):
    return boto3.client(
        "sesv2",
        endpoint_url=f"http://127.0.0.1:{ses.port}",
        region_name="ap-south-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=3),
    )


def raw(address="asha@example.com", **headers):
    message = EmailMessage()
    message["From"] = "Lotus <hello@example.com>"
    message["To"] = address
    message["Subject"] = "दिवाली"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("नमस्ते")
    message.add_alternative("<p>नमस्ते</p>", subtype="html")
    return {"Raw": {"Data": message.as_bytes()}}


def simple(text="Hi"):
    body = {"Text": {"Data": text}, "Html": {"Data": f"<p>{text}</p>"}}
    return {"Simple": {"Subject": {"Data": "Diwali"}, "Body": body}}


def send(ses, address="asha@example.com", content=None, **more):
    values = {
        "FromEmailAddress": "Lotus <hello@example.com>",
        "Destination": {"ToAddresses": [address]},
        "Content": content or simple(),
        "EmailTags": [{"Name": "message_id", "Value": "ref-1"}],
    }
    return client(ses).send_email(**{k: v for k, v in (values | more).items() if v is not None})


def accepted(ses):
    return ses.control("GET", "ledger/summary")["accepted"]


def confirm(receiver):
    """Do as a receiver does with the first request; returns that request."""
    receiver.wait(lambda: receiver.posts)
    asked = json.loads(receiver.posts[0][1])
    assert asked["Type"] == "SubscriptionConfirmation"
    with urllib.request.urlopen(asked["SubscribeURL"], timeout=PATIENCE) as answer:
        assert answer.status == 200
    return asked


def envelopes(receiver):
    found = [json.loads(body) for _, body in list(receiver.posts)]
    return [one for one in found if one["Type"] == "Notification"]


def events(receiver):
    return [json.loads(one["Message"]) for one in envelopes(receiver)]


def test_events_come_once_the_subscription_is_confirmed(ses, receiver):
    connect(ses, receiver)
    message_id = send(ses)["MessageId"]
    asked = confirm(receiver)
    assert asked["Token"]
    receiver.wait(lambda: len(events(receiver)) == 3)
    assert [event["eventType"] for event in events(receiver)] == ["Send", "Delivery", "Open"]
    assert {event["mail"]["messageId"] for event in events(receiver)} == {message_id}
    assert events(receiver)[0]["mail"]["tags"]["message_id"] == ["ref-1"]
    assert events(receiver)[1]["delivery"]["recipients"] == ["asha@example.com"]


def test_unconfirmed_address_gets_no_events_and_a_wrong_token_confirms_nothing(ses, receiver):
    connect(ses, receiver)
    receiver.wait(lambda: receiver.posts)
    assert ses.ask("GET", "/sns/?Action=ConfirmSubscription&Token=wrong").status == 400
    send(ses)
    receiver.wait(lambda: len(receiver.posts) >= 3)
    assert envelopes(receiver) == []
    assert ses.control("GET", "ledger/summary")["owed"] == 3


@pytest.mark.parametrize(("version", "algorithm"), [("1", SHA1()), ("2", SHA256())])
def test_notifications_are_signed_by_the_certificate(ses, receiver, version, algorithm):
    connect(ses, receiver, signature_version=version)
    send(ses)
    confirm(receiver)
    receiver.wait(lambda: envelopes(receiver))
    for headers, body in receiver.posts:
        posted = json.loads(body)
        assert posted["SignatureVersion"] == version
        assert headers["x-amz-sns-message-type"] == posted["Type"]
        with urllib.request.urlopen(posted["SigningCertURL"], timeout=PATIENCE) as answer:
            key = x509.load_pem_x509_certificate(answer.read()).public_key()
        text = "".join(f"{name}\n{posted[name]}\n" for name in CANONICAL[posted["Type"]])
        signature = base64.b64decode(posted["Signature"])
        key.verify(signature, text.encode(), PKCS1v15(), algorithm)


@pytest.mark.parametrize(
    ("ending", "kind", "detail"),
    [
        ("0026", "Bounce", ("Permanent", "General")),
        ("0049", "Bounce", ("Transient", "MailboxFull")),
        ("0050", "Bounce", ("Permanent", "OnAccountSuppressionList")),
        ("0051", "Complaint", None),
    ],
)
def test_endings(ses, receiver, ending, kind, detail):
    connect(ses, receiver)
    address = f"asha.{ending}@example.com"
    send(ses, address)
    confirm(receiver)
    receiver.wait(lambda: kind in {event["eventType"] for event in events(receiver)})
    event = events(receiver)[-1]
    if detail:
        bounce = event["bounce"]
        assert (bounce["bounceType"], bounce["bounceSubType"]) == detail
        assert bounce["bouncedRecipients"][0]["emailAddress"] == address
    else:
        assert event["complaint"]["complainedRecipients"] == [{"emailAddress": address}]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Metadata": '{"message_id": "ref-2"}'},
        {"X_SES_MESSAGE_TAGS": "message_id=ref-2, campaign=1"},
    ],
)
def test_raw_mail_carries_our_id_in_a_header(ses, headers):
    send(ses, content=raw(**headers), EmailTags=None, Destination=None, FromEmailAddress=None)
    (known,) = ses.control("GET", "ledger/ids")["ids"]
    assert (known["reference"], known["recipient"]) == ("ref-2", "asha@example.com")


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIAOTHER", "secret", "UnrecognizedClientException"),
        ("AKIASANDBOX", "wrong", "InvalidSignatureException"),
    ],
)
def test_signature_is_checked(ses, key, secret, code):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client(ses, secret, key).get_account()
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "AWS4-HMAC-SHA256 nonsense"}])
def test_unsigned_request_is_refused(ses, headers):
    reply = ses.ask("POST", "/v2/email/outbound-emails", {"Content": simple()}, headers)
    assert reply.status == 403
    assert accepted(ses) == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Destination": {}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": ["nobody"]}}, "BadRequestException"),
        ({"FromEmailAddress": None}, "BadRequestException"),
        ({"content": {"Raw": {"Data": b""}}}, "BadRequestException"),
        ({"content": {"Template": {"TemplateName": "x"}}}, "NotFoundException"),
    ],
)
def test_what_is_refused_is_not_accepted(ses, more, code):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        send(ses, **more)
    assert refused.value.response["Error"]["Code"] == code
    assert accepted(ses) == 0


def test_request_endings(ses):
    with pytest.raises(botocore.exceptions.ClientError) as limited:
        send(ses, "a.0429@example.com")
    assert limited.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    send(ses, "a.0429@example.com")
    with pytest.raises(botocore.exceptions.ClientError):
        send(ses, "a.0500@example.com")
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        send(ses, "a.0999@example.com")
    assert accepted(ses) == 2


def test_account_tells_its_quota(ses):
    send(ses)
    quota = client(ses).get_account()["SendQuota"]
    assert (quota["MaxSendRate"], quota["SentLast24Hours"]) == (14, 1)


def test_events_are_owed_over_a_kill(ses, receiver):
    connect(ses, receiver)
    confirm(receiver)
    receiver.is_down = True
    send(ses)
    ses.kill()
    receiver.is_down = False
    ses.start()
    receiver.wait(lambda: len(events(receiver)) == 3)


def test_inbox_shows_the_mail(ses):
    send(ses, content=raw())
    (bubble,) = ses.ask("GET", "/inbox/thread?to=asha%40example.com").json()
    assert (bubble["subject"], bubble["language"]) == ("दिवाली", "hi")
    shown = ses.ask("GET", f"/inbox/mail/{bubble['id']}").body.decode()
    assert "<p>नमस्ते</p>" in shown
