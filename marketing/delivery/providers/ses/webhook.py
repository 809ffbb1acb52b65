"""SES's events, as SNS posts them."""

import json
import warnings
from typing import Any

from anymail.exceptions import AnymailInsecureWebhookWarning
from anymail.signals import AnymailTrackingEvent, EventType

from marketing.delivery.providers.base import (
    Account,
    Call,
    Parsed,
    StatusUpdate,
    Subscription,
    our_id,
)
from marketing.delivery.providers.mail_events import STATES
from marketing.delivery.providers.ses.sns import SUBSCRIPTION, is_at, is_signed
from marketing.delivery.rules import ResultClass

with warnings.catch_warnings():
    # It has no secret of its own, as `verify` comes first.
    warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)
    from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView

    _EVENTS = AmazonSESTrackingWebhookView()


def verify(account: Account, call: Call) -> bool:
    """Signed by SNS and, where the account names its topic, of that one."""
    try:
        message = _message(call)
    except ValueError:
        return False
    topic = account.sender.get("topic_arn")
    if topic and message.get("TopicArn") != topic:
        return False
    url = str(message.get("SubscribeURL", ""))
    if url and not is_at(SUBSCRIPTION, url, account.base_url):
        return False
    return is_signed(message, account.base_url)


def parse(call: Call) -> list[Parsed]:
    """What the notification says of its mail. Raises ValueError."""
    message = _message(call)
    try:
        if message["Type"] == "SubscriptionConfirmation":
            return [Subscription(message["SubscribeURL"])]
        if message["Type"] != "Notification":
            return []
        try:
            said = json.loads(message["Message"])
        except ValueError:
            return []  # SNS's own greeting of a new subscriber
        updates = [_read(event) for event in _EVENTS.esp_to_anymail_events(said, message)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event of SES's: {error!r}") from error
    return [update for update in updates if update is not None]


def _message(call: Call) -> dict[str, Any]:
    message = json.loads(call.body)
    if not isinstance(message, dict):
        raise ValueError("not a message of SNS's")
    return message


def _read(event: AnymailTrackingEvent) -> StatusUpdate | None:
    state = STATES.get(event.event_type, "")
    if not state:
        return None
    if not event.event_id or event.timestamp is None:
        raise ValueError("an event without its id or time")
    code = detail = error_class = suppress = ""
    if event.event_type == EventType.COMPLAINED:
        suppress = "complaint"
    elif event.event_type == EventType.BOUNCED:
        # Other bounces are of a full mailbox or an absent server: the address may be right.
        bounce = event.esp_event["bounce"]
        suppress = "hard_bounce" if bounce["bounceType"] == "Permanent" else ""
        code, detail = f"{bounce['bounceType']}/{bounce['bounceSubType']}", event.mta_response
        error_class = ResultClass.FAIL_RECIPIENT
    elif state == "failed":
        code, detail = event.event_type, event.description
        error_class = ResultClass.FAIL_CONTENT
    return StatusUpdate(
        key=event.event_id,
        state=state,
        at=event.timestamp,
        message_id=our_id(event.metadata.get("message_id")),
        reference=event.message_id or "",
        code=code,
        detail=detail or "",
        error_class=error_class,
        suppress=suppress,
    )
