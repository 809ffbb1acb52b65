"""Parlour's own vendor clients against the sandbox: what each sends, and what each then hears."""

import asyncio
import datetime as dt
import uuid
from dataclasses import replace
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


def connected(sandbox, receiver, provider, **settings):
    """An account on both sides, and its templates at the sandbox."""
    values = VALUES[provider]
    body = {
        "provider": provider,
        "credentials": values["credentials"] | values["sender"],
        "webhook_url": receiver.url,
        **FAST,
        **settings,
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


@pytest.mark.parametrize(
    ("provider", "states"),
    [("gupshup", ["sent", "sent", "delivered", "read"]), ("msg91", ["delivered"])],
)
def test_version_3_of_callbacks_is_understood(sandbox, receiver, provider, states):
    account = connected(sandbox, receiver, provider, callback_format="v3")
    (result,) = deliver(sandbox, account, [envelope(provider)])
    receiver.wait(lambda: len(updates(sandbox, receiver, account)) == len(states))
    found = updates(sandbox, receiver, account)
    assert [one.state for one in found] == states
    assert {one.reference for one in found} == {result.reference}
    assert abs(found[0].at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


@pytest.mark.parametrize("provider", ["gupshup", "msg91"])
@pytest.mark.parametrize("ending", ["0026", "0049", "0050", "0130"])
def test_a_failure_means_the_same_in_both_versions(sandbox, receiver, provider, ending):
    told = []
    for version in ("v2", "v3"):
        receiver.posts.clear(), receiver.urls.clear()
        account = connected(sandbox, receiver, provider, callback_format=version)
        (result,) = deliver(sandbox, account, [envelope(provider, ending)])
        receiver.wait(
            lambda account=account: (
                "failed" in {one.state for one in updates(sandbox, receiver, account)}
            )
        )
        (failed,) = (one for one in updates(sandbox, receiver, account) if one.state == "failed")
        assert failed.reference == result.reference
        told.append((failed.code, failed.detail, failed.error_class, failed.suppress))
    assert told[0] == told[1]


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_what_gupshup_charges_is_heard_once_a_message(sandbox, receiver, version):
    account = connected(
        sandbox, receiver, "gupshup", callback_format=version, billing_events=True, read_rate=0
    )
    (result,) = deliver(sandbox, account, [envelope("gupshup")])
    said = {"account": "gupshup", "from": "+919876500023", "text": "Thanks"}
    sandbox.control("POST", "inbound", said)
    answer = replace(envelope("gupshup"), address="+919876500023", vendor_template="")
    (answered,) = deliver(sandbox, account, [answer])

    def charges():
        found = updates(sandbox, receiver, account)
        return {one.reference: one.is_free for one in found if one.key.endswith(":billing")}

    receiver.wait(lambda: len(charges()) == 2)
    assert charges() == {result.reference: False, answered.reference: True}
    receiver.wait(lambda: sandbox.control("GET", "ledger/summary")["owed"] == 0)
    keys = [one.key for one in updates(sandbox, receiver, account)]
    assert keys.count(f"{result.reference}:billing") == 1
    states = [one.state for one in updates(sandbox, receiver, account)]
    assert states.index("delivered") < states.index("")


def test_gupshup_does_not_charge_what_fails(sandbox, receiver):
    account = connected(sandbox, receiver, "gupshup", billing_events=True)
    deliver(sandbox, account, [envelope("gupshup", "0049")])
    assert sandbox.control("GET", "ledger/summary")["owed"] <= 2
    receiver.wait(lambda: sandbox.control("GET", "ledger/summary")["owed"] == 0)
    assert [one.state for one in updates(sandbox, receiver, account)] == ["sent", "failed"]


@pytest.mark.parametrize("provider", VENDORS)
def test_too_many_requests_is_tried_again(sandbox, receiver, provider):
    account = connected(sandbox, receiver, provider)
    refused, accepted = (
        deliver(sandbox, account, [envelope(provider, "0429")])[0] for _ in range(2)
    )
    assert (refused.outcome, accepted.outcome) == (ResultClass.RETRY, ResultClass.ACCEPTED)


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("meta", {}),
        ("gupshup", {}),
        ("gupshup", {"callback_format": "v3"}),
        ("twilio_whatsapp", {}),
        ("twilio", {}),
    ],
)
def test_what_a_person_writes_is_heard(sandbox, receiver, provider, settings):
    account = connected(sandbox, receiver, provider, **settings)
    said = {"account": provider, "from": "+919876500021", "text": "Thanks"}
    sandbox.control("POST", "inbound", said)
    receiver.wait(lambda: receiver.posts)
    (inbound,) = heard(sandbox, receiver, account)
    assert isinstance(inbound, Inbound)
    assert (inbound.address, inbound.text) == ("+919876500021", "Thanks")


@pytest.mark.parametrize(
    ("provider", "settings"),
    [("meta", {}), ("gupshup", {}), ("gupshup", {"callback_format": "v3"})],
)
def test_person_stops_marketing(sandbox, receiver, provider, settings):
    account = connected(sandbox, receiver, provider, **settings)
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
