"""The SNS topic of an account: confirmed by its receiver first, then every event signed."""

import base64
import datetime as dt
import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import OwedCallback, now_ms
from marketing.delivery.sandbox.outcomes import Cause, State
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

CONFIRMATION = "confirmation"
CERTIFICATE_PATH = "/SimpleNotificationService-sandbox.pem"
# What is signed of a message, in this order.
SIGNED = {
    "Notification": ("Message", "MessageId", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
EVENTS = {
    State.SENT: "Send",
    State.DELIVERED: "Delivery",
    State.READ: "Open",
    State.FAILED: "Bounce",
    State.COMPLAINED: "Complaint",
}
BOUNCES = {
    Cause.UNDELIVERABLE: ("Permanent", "General", "5.1.1", "550 5.1.1 no such user"),
    Cause.ENGAGEMENT_LIMIT: ("Transient", "MailboxFull", "4.2.2", "452 4.2.2 mailbox full"),
    Cause.STOPPED: ("Permanent", "OnAccountSuppressionList", "5.1.1", "suppressed"),
    Cause.VENDOR_FAULT: ("Undetermined", "Undetermined", "5.0.0", "550 5.0.0 not accepted"),
}
CONFIRMED = """<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<ConfirmSubscriptionResult><SubscriptionArn>{arn}</SubscriptionArn></ConfirmSubscriptionResult>
</ConfirmSubscriptionResponse>"""


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_get(CERTIFICATE_PATH, certificate)
    router.add_get("/sns/", confirm)


def connected(sandbox: Sandbox, account: Account) -> None:
    """A new address must confirm that it wants the account's events."""
    known = _subscription(sandbox, account)
    if account.webhook_url and (known is None or known["url"] != account.webhook_url):
        sandbox.database.write(
            "INSERT INTO subscription VALUES (?, ?, ?, 0) ON CONFLICT (account) DO UPDATE"
            " SET url = excluded.url, token = excluded.token, confirmed = 0",
            (account.name, account.webhook_url, secrets.token_hex(32)),
        )
        sandbox.ledger.owe(account, CONFIRMATION, {})


def _subscription(sandbox: Sandbox, account: Account) -> Any:
    rows = sandbox.database.rows("SELECT * FROM subscription WHERE account = ?", (account.name,))
    return rows[0] if rows else None


async def certificate(request: web.Request) -> web.Response:
    pem = request.app[SANDBOX].keys.certificate
    return web.Response(body=pem, content_type="application/x-pem-file")


async def confirm(request: web.Request) -> web.Response:
    sandbox, asked = request.app[SANDBOX], request.query
    token = (asked.get("Token", ""),)
    changed = sandbox.database.write(
        "UPDATE subscription SET confirmed = 1 WHERE token = ?", token
    ).rowcount
    sandbox.database.write(
        "DELETE FROM callback WHERE event = 'confirmation'"
        " AND account = (SELECT account FROM subscription WHERE token = ?)",
        token,
    )
    await sandbox.database.committed()
    if asked.get("Action") != "ConfirmSubscription" or not changed:
        return web.Response(status=400, text="Invalid token")
    text = CONFIRMED.format(arn=asked.get("TopicArn", ""))
    return web.Response(text=text, content_type="text/xml")


def posts(sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
    """The request to confirm until it is; then one notification for each event."""
    subscription = _subscription(sandbox, account)
    if subscription["confirmed"]:
        events = [one for one in owed if one.event != CONFIRMATION]
        return [_notification(sandbox, account, one) for one in events]
    token = subscription["token"]
    arn = _topic(account)
    body = {
        "Type": "SubscriptionConfirmation",
        "MessageId": str(uuid.uuid4()),
        "Token": token,
        "TopicArn": arn,
        "Message": f"You have chosen to subscribe to the topic {arn}.",
        "SubscribeURL": f"{sandbox.url}/sns/?Action=ConfirmSubscription"
        f"&TopicArn={arn}&Token={token}",
    }
    asked = [one for one in owed if one.event == CONFIRMATION]
    return [_signed(sandbox, account, body, asked)]


def _topic(account: Account) -> str:
    named = account.credentials.get("topic_arn")
    return named or f"arn:aws:sns:ap-south-1:000000000000:{account.name}"


def _notification(sandbox: Sandbox, account: Account, owed: OwedCallback) -> Post:
    body = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": _topic(account),
        "Message": json.dumps(_event(owed)),
        "UnsubscribeURL": f"{sandbox.url}/sns/?Action=Unsubscribe",
    }
    return _signed(sandbox, account, body, [owed], lane=owed.vendor_id)


def _signed(
    sandbox: Sandbox,
    account: Account,
    body: dict[str, str],
    carried: Sequence[OwedCallback],
    lane: str = "",
) -> Post:
    """Version 1 is signed over SHA-1, version 2 over SHA-256."""
    version = account.credentials.get("signature_version") or "1"
    body = {**body, "Timestamp": _time(now_ms()), "SignatureVersion": version}
    text = "".join(f"{name}\n{body[name]}\n" for name in SIGNED[body["Type"]])
    algorithm = SHA256() if version == "2" else SHA1()  # noqa: S303  what the vendor signs by
    signature = sandbox.keys.notifications.sign(text.encode(), PKCS1v15(), algorithm)
    body["Signature"] = base64.b64encode(signature).decode()
    body["SigningCertURL"] = f"{sandbox.url}{CERTIFICATE_PATH}"
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": body["Type"],
        "x-amz-sns-message-id": body["MessageId"],
        "x-amz-sns-topic-arn": body["TopicArn"],
    }
    return Post(headers, json.dumps(body).encode(), carried, lane=lane)


def _event(owed: OwedCallback) -> dict[str, Any]:
    """An event as SES publishes it."""
    echo: Mapping[str, Any] = json.loads(owed.echo)
    kind, at = EVENTS[owed.state], _time(owed.happened_ms)
    headers = [{"name": name, "value": text} for name, text in echo["mail"]["headers"].items()]
    event: dict[str, Any] = {
        "eventType": kind,
        "mail": {
            "timestamp": at,
            "messageId": owed.vendor_id,
            "source": echo["mail"]["from"],
            "destination": [owed.recipient],
            "headersTruncated": False,
            "headers": headers,
            "tags": {name: [value] for name, value in echo["tags"].items()},
        },
    }
    detail: dict[str, Any] = {"timestamp": at}
    if owed.state is State.FAILED:
        bounce_type, subtype, status, diagnosis = BOUNCES[owed.cause]
        person = {"emailAddress": owed.recipient, "action": "failed", "status": status,
                  "diagnosticCode": f"smtp; {diagnosis}"}  # fmt: skip
        detail |= {
            "bounceType": bounce_type,
            "bounceSubType": subtype,
            "bouncedRecipients": [person],
            "feedbackId": str(uuid.uuid4()),
        }
    elif owed.state is State.COMPLAINED:
        detail |= {
            "complainedRecipients": [{"emailAddress": owed.recipient}],
            "complaintFeedbackType": "abuse",
            "feedbackId": str(uuid.uuid4()),
        }
    elif owed.state is State.DELIVERED:
        detail |= {"recipients": [owed.recipient], "smtpResponse": "250 2.0.0 OK"}
    elif owed.state is State.READ:
        detail |= {"ipAddress": "192.0.2.1", "userAgent": "Sandbox"}
    else:
        detail = {}
    return event | {kind.lower(): detail}


def _time(at_ms: int) -> str:
    at = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
