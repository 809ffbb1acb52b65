"""Who is known by WhatsApp's user id alone: written to by the vendors that can, else skipped."""

import pytest
from django.utils import timezone

from marketing.content.models import TemplateVersion
from marketing.core.actor import Actor
from marketing.delivery import selectors
from marketing.delivery.estimate import estimate, judged
from marketing.delivery.models import Message, SendRun
from marketing.delivery.registry import VENDORS
from marketing.delivery.services import freeze_run
from marketing.delivery.services.single import send_reply
from marketing.policy.models import Provider, ProviderAccount
from marketing.policy.services import set_default_account
from tests.delivery.gate.test_right_before_sending import marked
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_channel_run, make_run, make_sender, open_window
from tests.factories.policy import make_account

USER_ID = "IN.3724117084395812"
OF_WHATSAPP = [Provider.META, Provider.GUPSHUP, Provider.TWILIO_WHATSAPP]
PHONES_ONLY = OF_WHATSAPP[1:]


@pytest.fixture
def hidden(chain):
    """Somebody who shows no phone."""
    open_window()
    return CustomerFactory(phone="", whatsapp_id=USER_ID, home_branch=chain.north)


def sent_by(provider):
    account = make_account(provider)
    set_default_account(actor=Actor.system(account.tenant_id), account=account)
    return account


def approved_by(provider):
    """A WhatsApp template that this provider knows."""
    template = TemplateFactory()
    version = template.versions.get()
    known = {
        language: {**entry, "provider": provider} for language, entry in version.whatsapp.items()
    }
    TemplateVersion.objects.filter(pk=version.pk).update(whatsapp=known)
    return template


def frozen(provider, **values):
    run = make_run(approved_by(provider), **values)
    freeze_run(run=run, audience=everyone())
    return run


def reasons_of(run):
    return set(Message.objects.filter(run=run).values_list("state", "reason"))


def test_only_meta_reaches_user_ids():
    assert [name for name, vendor in VENDORS.items() if vendor.reaches_user_ids] == [Provider.META]


@pytest.mark.parametrize("purpose", ["promotional", "transactional"])
@pytest.mark.parametrize("provider", OF_WHATSAPP)
def test_at_the_freeze(hidden, provider, purpose):
    sent_by(provider)
    run = frozen(provider, purpose=purpose)
    goes = provider == Provider.META
    assert reasons_of(run) == {("queued", "") if goes else ("skipped", "no_address")}


@pytest.mark.parametrize("provider", PHONES_ONLY)
def test_whoever_has_a_phone_too_is_written_to_there(chain, provider):
    open_window()
    asha = CustomerFactory(whatsapp_id=USER_ID)
    sent_by(provider)
    run = frozen(provider)
    assert reasons_of(run) == {("queued", "")}
    assert Message.objects.get(run=run).address == asha.phone


@pytest.mark.parametrize("provider", OF_WHATSAPP)
def test_in_the_estimate(hidden, provider):
    CustomerFactory()
    sent_by(provider)
    version = approved_by(provider).versions.get()
    found = estimate(
        judged(
            audience=everyone(),
            purpose="promotional",
            mode=SendRun.Mode.SINGLE,
            steps=[{"channel": "whatsapp", "versionId": str(version.pk), "afterMinutes": 0}],
            charged_branch_id=None,
            now=timezone.now(),
        )
    )
    expected = (2, {}) if provider == Provider.META else (1, {"no_address": 1})
    assert (found.sendable, found.reasons) == expected


@pytest.mark.parametrize("provider", OF_WHATSAPP)
def test_right_before_sending(hidden, provider):
    """What was queued for her before anybody asked whether the vendor reaches her."""
    sent_by(Provider.META)
    run = frozen(Provider.META)
    ProviderAccount.objects.filter(provider=Provider.META).update(provider=provider)
    goes = provider == Provider.META
    assert marked(run) == [("sending", "") if goes else ("skipped", "no_address")]


@pytest.mark.parametrize("provider", PHONES_ONLY)
def test_an_answer_to_a_user_id_is_skipped(hidden, provider):
    account = sent_by(provider)
    message = send_reply(
        customer=hidden, channel="whatsapp", account=account, address=USER_ID, text="Thanks"
    )
    assert marked(SendRun.objects.get(pk=message.run_id)) == [("skipped", "no_address")]


@pytest.mark.parametrize("provider", OF_WHATSAPP)
def test_on_the_page_that_explains(hidden, provider):
    sent_by(provider)
    blocking = {
        verdict.code
        for verdict in selectors.explain(customer=hidden, channel="whatsapp", purpose="promotional")
        if verdict.blocks
    }
    assert blocking == (set() if provider == Provider.META else {"no_address"})


@pytest.mark.parametrize(("channel", "column"), [("sms", "phone"), ("email", "email")])
def test_other_channels_ask_for_their_own_address_only(chain, channel, column):
    open_window()
    asha = CustomerFactory(whatsapp_id=USER_ID)
    make_sender(channel)
    run = make_run(TemplateFactory(channel=channel), purpose="transactional")
    freeze_run(run=run, audience=everyone())
    message = Message.objects.get(run=run)
    assert (message.reason, message.address) == ("", getattr(asha, column))


@pytest.mark.parametrize("mode", ["cascade", "all"])
@pytest.mark.parametrize("provider", PHONES_ONLY)
def test_another_step_is_taken_instead(hidden, provider, mode):
    sent_by(provider)
    make_sender("email")
    run = make_channel_run(mode, approved_by(provider), TemplateFactory(channel="email"))
    freeze_run(run=run, audience=everyone())
    (message,) = Message.objects.filter(run=run)
    assert (message.channel, message.address, message.reason) == ("email", hidden.email, "")
