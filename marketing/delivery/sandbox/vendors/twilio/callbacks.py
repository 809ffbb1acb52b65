"""Twilio's callbacks: signed forms, to where each message asked and to the account's address."""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import STATUS_EVENT, OwedCallback
from marketing.delivery.sandbox.outcomes import Step
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import Sandbox
from marketing.delivery.sandbox.vendors.twilio import wire
from marketing.delivery.sandbox.vendors.twilio.reading import told
from marketing.delivery.sandbox.vendors.twilio.wire import SMS, WHATSAPP

STOP = {"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"}
START = {"start", "yes", "unstop"}
HELP = {"help", "info"}
# Present where a shared key signs in place of the auth token.
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"


def posts(sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
    """One form for each."""
    return [
        _status_post(account, one) if one.event == STATUS_EVENT else _inbound_post(account, one)
        for one in owed
    ]


def _status_post(account: Account, owed: OwedCallback) -> Post:
    said: Mapping[str, str] = json.loads(owed.echo)
    status, code = told(account.provider, Step(owed.state, 0, owed.cause))
    form = {
        "MessageSid": owed.vendor_id,
        "SmsSid": owed.vendor_id,
        "AccountSid": account.credentials["account_sid"],
        "MessageStatus": status,
        "SmsStatus": status,
        "To": wire.address(account.provider, owed.recipient),
        "From": said["from"],
        "ApiVersion": "2010-04-01",
    }
    if said["service"]:
        form["MessagingServiceSid"] = said["service"]
    if code is not None:
        form["ErrorCode"] = str(code)
    if account.provider == WHATSAPP:
        form |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": owed.recipient}
    return _signed(account, said["callback"], form, [owed], lane=owed.vendor_id)


def _inbound_post(account: Account, owed: OwedCallback) -> Post:
    form: dict[str, str] = json.loads(owed.payload)
    return _signed(account, account.webhook_url, form, [owed], lane=form["From"])


def _signed(
    account: Account, url: str, form: dict[str, str], carried: Sequence[OwedCallback], lane: str
) -> Post:
    text = url + "".join(name + form[name] for name in sorted(form))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    key, algorithm = account.credentials["auth_token"], "sha1"
    if shared := account.credentials.get("webhook_key_secret"):
        key, algorithm = shared, "sha256"
        headers[SETTINGS] = "key=SKsandbox,algorithm=HMAC_SHA256"
    signature = hmac.digest(key.encode(), text.encode(), algorithm)
    headers["X-Twilio-Signature"] = base64.b64encode(signature).decode()
    return Post(headers, urlencode(form).encode(), carried, url=url, lane=lane)


def inbound(sandbox: Sandbox, account: Account, sender: str, text: str) -> None:
    """A person writes. Twilio itself keeps to STOP and START in an SMS."""
    sandbox.ledger.receive(account, sender, text)
    form = {
        "MessageSid": f"SM{secrets.token_hex(16)}",
        "AccountSid": account.credentials["account_sid"],
        "From": wire.address(account.provider, sender),
        "To": wire.address(account.provider, account.credentials.get("from_number", "")),
        "Body": text,
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
    }
    form["SmsSid"] = form["MessageSid"]
    word = text.strip().lower()
    if account.provider == WHATSAPP:
        form |= {"ProfileName": "Sandbox", "WaId": sender.lstrip("+")}
    elif account.provider == SMS and word in STOP | START | HELP:
        kind = "STOP" if word in STOP else "START" if word in START else "HELP"
        form["OptOutType"] = kind
        if kind != "HELP":
            sandbox.ledger.set_stopped(account, sender, kind == "STOP")
    if account.webhook_url:
        sandbox.ledger.owe(account, "inbound", form)
