"""Parlour's own vendor clients against the sandbox: what each sends, and what each then hears."""

import asyncio
import uuid
from urllib.parse import urlsplit, urlunsplit

import pytest
from multidict import CIMultiDict

from marketing.content.rendering import Parameters, Rendered
from marketing.delivery.providers.base import (
    Account,
    Answer,
    Call,
    Envelope,
    Inbound,
    StatusUpdate,
    Subscription,
)
from marketing.delivery.registry import VENDORS
from marketing.delivery.rules import ResultClass
from tests.factories.policy import WORKING_VALUES

MAIL = {"from_email": "hello@example.com", "from_name": "Lotus"}
VALUES = {
    **WORKING_VALUES,
    "ses": {
        "credentials": {"access_key_id": "AKIASANDBOX", "secret_access_key": "secret"},
        "sender": MAIL,
    },
    "smtp": {"credentials": {"username": "lotus", "password": "word"}, "sender": MAIL},
}
COMPONENTS = {
    "components": [
        {"type": "BODY", "text": "Hi {{1}}, {{2}} off"},
        {
            "type": "BUTTONS",
            "buttons": [{"type": "URL", "text": "Book", "url": "https://x.test/{{1}}"}],
        },
    ]
}
FAST = {"sent_delay_ms": 0, "delivered_delay_ms": 30, "read_delay_ms": 60}
TELLING = ["meta", "gupshup", "twilio_whatsapp", "msg91", "twilio", "sendgrid", "ses"]


def connected(sandbox, receiver, provider):
    """An account on both sides, and its templates at the sandbox."""
    values = VALUES[provider]
    body = {
        "provider": provider,
        "credentials": values["credentials"] | values["sender"],
        "webhook_url": receiver.url,
        **FAST,
    }
    public = sandbox.control("PUT", f"accounts/{provider}", body)
    meta = provider == "meta"
    template = {
        "provider": provider,
        "owner": values["sender"]["waba_id"] if meta else provider,
        "name": "diwali_v1",
        "language": "" if provider == "msg91" else "en",
        "body": {"text": "Hi ##VAR1##, ##VAR2## off"} if provider == "msg91" else COMPONENTS,
    }
    if provider in ("meta", "gupshup", "twilio_whatsapp", "msg91"):
        sandbox.control("PUT", "templates", [template])
    credentials, sender = dict(values["credentials"]), dict(values["sender"])
    if "webhook_public_key" in public:
        credentials["webhook_public_key"] = public["webhook_public_key"]
    if "smtp_port" in public:
        sender |= {"host": "127.0.0.1", "port": str(public["smtp_port"]), "security": "none"}
    return Account(
        id=uuid.uuid4(),
        provider=provider,
        base_url=f"http://127.0.0.1:{sandbox.port}",
        credentials=credentials,
        sender=sender,
        rate_per_second=10,
        max_concurrency=10,
        webhook_url=receiver.url,
    )


def envelope(provider, ending="0001"):
    is_mail = provider in ("sendgrid", "ses", "smtp")
    country = "+880171234" if provider == "ssl_wireless" else "+91987654"
    has_template = provider in ("meta", "gupshup", "twilio_whatsapp", "msg91")
    buttons = {} if provider == "msg91" else {0: "r/1"}
    return Envelope(
        message_id=uuid.uuid4(),
        address=f"asha.{ending}@example.com" if is_mail else f"{country}{ending}",
        language="en",
        rendered=Rendered("Hi Asha, 20% off", "en", subject="Diwali", html="<p>Hi</p>"),
        parameters=Parameters(("Asha", "20%"), buttons=buttons) if has_template else None,
        vendor_template="diwali_v1" if has_template else "",
        unsubscribe_url="https://lotus.test/u/1",
    )


def asked(sandbox, request):
    parts = urlsplit(request.url)
    reply = sandbox.ask(
        request.method,
        urlunsplit(("", "", parts.path, parts.query, "")),
        request.body if request.method == "POST" else None,
        dict(request.headers),
    )
    return Answer(reply.status, reply.headers, reply.body)


def deliver(sandbox, account, envelopes):
    client = VENDORS[account.provider].client
    if hasattr(client, "deliver"):

        async def run():
            try:
                return await client.deliver(account, envelopes)
            finally:
                if hasattr(client, "close"):
                    await client.close()

        return asyncio.run(run())
    return client.interpret(envelopes, asked(sandbox, client.build(account, envelopes)))


def heard(sandbox, receiver, account):
    """All that came to the account's address, each verified; subscriptions are confirmed."""
    webhook = VENDORS[account.provider].webhook
    found = []
    for url, (headers, body) in zip(list(receiver.urls), list(receiver.posts), strict=False):
        call = Call(url, CIMultiDict(headers), body)
        assert webhook.verify(account, call)
        for one in webhook.parse(call):
            if isinstance(one, Subscription):
                parts = urlsplit(one.url)
                sandbox.ask("GET", f"{parts.path}?{parts.query}")
            else:
                found.append(one)
    return found


def updates(sandbox, receiver, account):
    return [one for one in heard(sandbox, receiver, account) if isinstance(one, StatusUpdate)]


@pytest.mark.parametrize("provider", VENDORS)
def test_message_is_accepted_and_known(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    (result,) = deliver(sandbox, account, [sent := envelope(provider)])
    assert result.outcome is ResultClass.ACCEPTED, result
    (known,) = sandbox.control("GET", "ledger/ids")["ids"]
    assert (known["recipient"], known["accepted"]) == (sent.address, 1)
    if provider not in ("gupshup", "msg91", "ssl_wireless"):
        assert known["reference"] == str(sent.message_id)


@pytest.mark.parametrize("provider", TELLING)
def test_callbacks_are_verified_and_name_the_message(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    (result,) = deliver(sandbox, account, [sent := envelope(provider)])
    receiver.wait(lambda: "delivered" in {one.state for one in updates(sandbox, receiver, account)})
    for update in updates(sandbox, receiver, account):
        assert update.message_id == sent.message_id or update.reference == result.reference


@pytest.mark.parametrize("provider", TELLING)
def test_failure_is_told(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    deliver(sandbox, account, [envelope(provider, "0026")])
    receiver.wait(lambda: "failed" in {one.state for one in updates(sandbox, receiver, account)})
    (failed,) = (one for one in updates(sandbox, receiver, account) if one.state == "failed")
    assert failed.error_class == ResultClass.FAIL_RECIPIENT


@pytest.mark.parametrize("provider", VENDORS)
def test_too_many_requests_is_tried_again(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    refused, accepted = (
        deliver(sandbox, account, [envelope(provider, "0429")])[0] for _ in range(2)
    )
    assert (refused.outcome, accepted.outcome) == (ResultClass.RETRY, ResultClass.ACCEPTED)


@pytest.mark.parametrize("provider", ["meta", "gupshup", "twilio_whatsapp", "twilio"])
def test_what_a_person_writes_is_heard(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    said = {"account": provider, "from": "+919876500021", "text": "Thanks"}
    sandbox.control("POST", "inbound", said)
    receiver.wait(lambda: receiver.posts)
    (inbound,) = heard(sandbox, receiver, account)
    assert isinstance(inbound, Inbound)
    assert (inbound.address, inbound.text) == ("+919876500021", "Thanks")


@pytest.mark.parametrize("provider", ["meta", "gupshup"])
def test_person_stops_marketing(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    said = {"account": provider, "from": "+919876500022", "value": "stop"}
    sandbox.control("POST", "preferences", said)
    receiver.wait(lambda: receiver.posts)
    (inbound,) = heard(sandbox, receiver, account)
    assert (inbound.address, inbound.opt_out) == ("+919876500022", True)


@pytest.mark.parametrize("provider", VENDORS)
def test_connection_is_tested(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    client = VENDORS[provider].client
    if hasattr(client, "probe"):
        assert asyncio.run(client.probe(account)) == ""
    else:
        assert client.explain_check(asked(sandbox, client.check(account))) == ""
