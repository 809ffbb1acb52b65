"""Twilio's callbacks: states of messages, and what people write."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, parse_qs, urlsplit

from marketing.delivery.providers.base import Account, Call, Inbound, Parsed, StatusUpdate, our_id
from marketing.delivery.providers.twilio.codes import ONCE_MORE, result_class, suppression
from marketing.delivery.rules import MAX_TRIES, ResultClass

ANSWER = ("text/xml", "<Response/>")
# `sent` is our word for accepted: a state before it tells that the request had arrived.
STATES = {
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
PORTS = {"https": 443, "http": 80}
# Advanced opt-out: Twilio has answered the person already.
OPT_OUTS = {"STOP": True, "START": False, "HELP": None}


def verify(account: Account, call: Call) -> bool:
    """`X-Twilio-Signature` over the exact public address and the sorted fields.

    Signed with the auth token and SHA-1; or, where a header says so, with a shared key and
    SHA-256. A body that is not a form is named in the address by its hash. Twilio signs the
    address with its port or without it.
    """
    settings = call.headers.get("X-Twilio-Webhooks-Signature-Settings", "")
    algorithm = _algorithm(settings)
    if algorithm == "HMAC_SHA1":
        secret, digest = account.credentials.get("auth_token", ""), "sha1"
    elif algorithm == "HMAC_SHA256":
        secret, digest = account.credentials.get("webhook_key_secret", ""), "sha256"
    else:
        return False
    parts = urlsplit(call.url)
    fields = ""
    if hashes := parse_qs(parts.query).get("bodySHA256"):
        if not hmac.compare_digest(hashes[0].encode(), _sha256(call.body)):
            return False
    else:
        fields = _joined(_form(call))
    given = call.headers.get("X-Twilio-Signature", "").encode()
    return bool(secret) and any(
        hmac.compare_digest(given, _signature(secret, address + fields, digest))
        for address in _addresses(parts)
    )


def _algorithm(settings: str) -> str:
    named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    return (named.get("algorithm") or "HMAC_SHA1").upper()


def _sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _signature(secret: str, text: str, digest: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), digest))


def _joined(form: Mapping[str, Sequence[str]]) -> str:
    """Names and values without anything between; a repeated value counts once."""
    return "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))


def _addresses(parts: SplitResult) -> tuple[str, str]:
    """The address with its port and without it."""
    host = parts.hostname or ""
    port = parts.port or PORTS.get(parts.scheme, 443)
    return (
        parts._replace(netloc=host).geturl(),
        parts._replace(netloc=f"{host}:{port}").geturl(),
    )


def _form(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.body.decode("utf-8", "replace"), keep_blank_values=True)


def parse(call: Call) -> list[Parsed]:
    """The one thing a callback says. Raises ValueError."""
    form = {name: values[0] for name, values in _form(call).items()}
    if "MessageSid" not in form:
        raise ValueError("not a callback of Twilio's: no MessageSid")
    status = form.get("MessageStatus", "")
    if status in ("", "receiving", "received"):
        return [_inbound(form, call)]
    (message_id,) = parse_qs(urlsplit(call.url).query).get("message", [""])[:1]
    code = int(form["ErrorCode"]) if form.get("ErrorCode", "").isdecimal() else None
    state = STATES.get(status, "")
    kind = result_class(code, form.get("To", "").removeprefix("whatsapp:"))
    if state == "failed" and kind is None:
        kind = ResultClass.FAIL_RECIPIENT
    return [
        StatusUpdate(
            key=f"{form['MessageSid']}:{status}",
            state=state,
            at=call.received_at,
            message_id=our_id(message_id),
            reference=form["MessageSid"],
            code=("" if code is None else str(code)) if state == "failed" else "",
            detail=form.get("ErrorMessage") or form.get("ChannelStatusMessage", ""),
            error_class=kind.value if kind and state == "failed" else "",
            suppress=suppression(code) if state == "failed" else "",
            most_tries=2 if code in ONCE_MORE else MAX_TRIES,
        )
    ]


def _inbound(form: Mapping[str, str], call: Call) -> Inbound:
    sender = form.get("From", "").removeprefix("whatsapp:")
    choice = form.get("OptOutType", "").upper()
    opt_out = OPT_OUTS.get(choice)
    if form.get("ButtonPayload") == "STOP_MKT":
        opt_out = True
    return Inbound(
        key=f"{form['MessageSid']}:inbound",
        address=sender if sender.startswith("+") else "",
        text=form.get("Body") or form.get("ButtonText", ""),
        at=call.received_at,
        opt_out=opt_out,
        is_answered=choice in OPT_OUTS,
    )
