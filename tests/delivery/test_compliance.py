"""What operators and regulators ask of an SMS: refused for all, or skipped for one person."""

import pytest

from marketing.campaigns import services as campaigns
from marketing.campaigns.models import Campaign
from marketing.core.errors import SmsNotInBengali, SmsNotRegistered
from marketing.core.tenancy import tenant_scope
from marketing.delivery import compliance
from marketing.delivery.models import Message, SendRun
from marketing.delivery.services import freeze_run
from marketing.policy.models import ProviderAccount
from tests.factories.campaigns import make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_channel_run,
    make_run,
    make_sender,
    open_all_hours,
)
from tests.factories.policy import make_account

WORDS = "Hi {{ customer_name }}, 20% off at {{ salon_name }} this week."
REGISTERED = "Hi {#var#}, 20% off at {#var#} this week."
IDS = {"dltTemplateId": "1207161", "vendorTemplateId": "flow-1"}


def sms(body=WORDS, ids=IDS, **text):
    return TemplateFactory(
        sms=True, contents={"en": {"body": body}}, sms_ids={"en": {**ids, **text}} if ids else {}
    )


def require(template, account, *, country="IN", purpose="promotional"):
    compliance.require_compliant(
        version=template.versions.get(), account=account, country=country, purpose=purpose
    )


def refused(template, account, **values):
    with pytest.raises(SmsNotRegistered) as refusal:
        require(template, account, **values)
    assert refusal.value.fields == {"templateId": [refusal.value.message]}
    return refusal.value


def without(account, *names):
    sender = {key: value for key, value in account.sender.items() if key not in names}
    ProviderAccount.objects.filter(pk=account.pk).update(sender=sender)
    account.refresh_from_db()
    return account


def test_a_registered_sms_may_go(chain):
    require(sms(), make_account("msg91"))
    require(sms(dltText=REGISTERED), make_account("twilio"))


@pytest.mark.parametrize(
    ("gone", "missing"),
    [(["entity_id"], ["DLT entity ID"]), (["header"], ["header"]),
     (["entity_id", "header"], ["DLT entity ID", "header"])],
)  # fmt: skip
def test_the_account_needs_entity_and_header(chain, gone, missing):
    refusal = refused(sms(), without(make_account("msg91"), *gone))
    assert refusal.details == {"missing": missing}
    assert "Settings" in refusal.message


def test_each_language_needs_its_template_id(chain):
    contents = {"en": {"body": WORDS}, "hi": {"body": "नमस्ते {{ customer_name }}"}}
    template = TemplateFactory(sms=True, contents=contents, sms_ids={"en": IDS})
    refusal = refused(template, make_account("msg91"))
    assert refusal.details == {"language": "hi"}
    assert "DLT template id" in refusal.message


def test_only_who_keeps_a_copy_needs_an_id_of_it(chain):
    template = sms(ids={"dltTemplateId": "1207161"})
    assert "MSG91" in refused(template, make_account("msg91")).message
    require(template, make_account("twilio"))


@pytest.mark.parametrize(
    "registered",
    [
        "Hi {#var#}, 20% off at {#var#} this week",
        "Hi {#var#},  20% off at {#var#} this week.",
        "hi {#var#}, 20% off at {#var#} this week.",
        "Hi {#var#}, 20% off at Kesar this week.",
        "Hi {#var#}, 20% off at {#var#} this week.{#var#}",
    ],
)
def test_the_words_must_be_the_registered_ones(chain, registered):
    account = make_account("msg91")
    assert registered in refused(sms(dltText=registered), account).message


@pytest.mark.parametrize(
    "registered",
    [REGISTERED, REGISTERED.replace("{#var#}", "{# var #}"),
     REGISTERED.replace("{#var#}", "{#alphanumeric#}"),
     REGISTERED.replace("at {#var#}", "at {#var#}{#var#}")],
)  # fmt: skip
def test_variables_may_be_typed_and_several_in_a_row(chain, registered):
    require(sms(dltText=registered), make_account("msg91"))


def test_a_default_must_fit_its_variable(chain):
    account = make_account("msg91")
    fits, too_long = "x" * 30, "x" * 31
    require(sms(f'Hi {{{{ customer_name | default: "{fits}" }}}}!'), account)
    refusal = refused(sms(f'Hi {{{{ customer_name | default: "{too_long}" }}}}!'), account)
    assert "31" in refusal.message
    wide = sms(f'Hi {{{{ customer_name | default: "{too_long}" }}}}!', dltText="Hi {#var#}{#var#}!")
    require(wide, account)


def test_our_own_link_must_fit_too(chain):
    account = make_account("msg91")
    body = "20% off. No more: {{ unsubscribe_url }}"
    assert "“Unsubscribe link”" in refused(sms(body), account).message
    require(sms(body, dltText="20% off. No more: " + "{#var#}" * 8), account)


@pytest.mark.parametrize(("country", "purpose"), [("BD", "service"), ("AE", "promotional")])
def test_elsewhere_nothing_is_registered(chain, country, purpose):
    account = make_account("twilio")
    require(sms(ids=None), without(account, "entity_id"), country=country, purpose=purpose)


def test_service_sms_in_india_are_registered_too(chain):
    refused(sms(ids=None), make_account("msg91"), purpose="transactional")


def test_other_channels_are_none_of_it(chain):
    require(TemplateFactory(), make_account("meta"))
    require(TemplateFactory(email=True), make_account("sendgrid"), country="BD")


@pytest.mark.parametrize(
    ("body", "may_go"),
    [("নমস্কার {{ customer_name }}, ২০% ছাড়", True), ("Hi {{ customer_name }}, ছাড়", True),
     ("Hi {{ customer_name }}, 20% off", False), ("Nomoshkar, 20% chhar", False),
     ("नमस्ते, 20% छूट", False)],
)  # fmt: skip
def test_promotional_sms_in_bangladesh_are_in_bangla(chain, body, may_go):
    template, account = sms(body, ids=None), make_account("ssl_wireless")
    if may_go:
        require(template, account, country="BD")
        return
    with pytest.raises(SmsNotInBengali) as refusal:
        require(template, account, country="BD")
    assert list(refusal.value.fields) == ["templateId"]
    assert refusal.value.details == {"language": "en"}


# ---- at the freeze


def states(run):
    return dict(Message.objects.filter(run=run).values_list("customer__first_name", "reason"))


def test_a_value_too_long_for_its_variable_skips_the_person(chain):
    open_all_hours()
    make_sender("sms")
    for length in (1, 30, 31):
        CustomerFactory(first_name="n" * length, last_name="", home_branch=chain.north)
    run = make_run(sms("Hi {{ customer_name }}, come!"))
    result = freeze_run(run=run, audience=everyone())
    assert states(run) == {"n": "", "n" * 30: "", "n" * 31: "missing_value"}
    assert result.reasons == {"missing_value": 1}


def test_variables_in_a_row_take_longer_values(chain):
    open_all_hours()
    make_sender("sms")
    for length in (60, 61):
        CustomerFactory(first_name="n" * length, last_name="", home_branch=chain.north)
    run = make_run(sms("Hi {{ customer_name }}!", dltText="Hi {#var#}{#var#}!"))
    freeze_run(run=run, audience=everyone())
    assert states(run) == {"n" * 60: "", "n" * 61: "missing_value"}


def test_long_names_go_by_whatsapp(chain):
    open_all_hours()
    make_sender()
    CustomerFactory(first_name="n" * 60, last_name="", home_branch=chain.north)
    run = make_run(TemplateFactory(contents={"en": {"body": "Hi {{ customer_name }}, come!"}}))
    assert freeze_run(run=run, audience=everyone()).sendable == 1


@pytest.mark.parametrize("mode", ["cascade", "all"])
def test_the_freeze_refuses_for_any_step_and_leaves_nothing(chain, mode):
    open_all_hours()
    make_sender()
    make_sender("sms")
    CustomerFactory(home_branch=chain.north)
    run = make_channel_run(mode, TemplateFactory(), sms(ids=None))
    with pytest.raises(SmsNotRegistered):
        freeze_run(run=run, audience=everyone())
    run.refresh_from_db()
    assert run.state == SendRun.State.READY
    assert not Message.objects.exists()


def test_the_freeze_knows_the_chains_country(db):
    dhaka = make_chain(country="BD", currency="BDT", time_zone="Asia/Dhaka")
    with tenant_scope(dhaka.tenant.pk):
        open_all_hours()
        make_account("ssl_wireless", is_default=True)
        CustomerFactory(home_branch=dhaka.north)
        with pytest.raises(SmsNotInBengali):
            freeze_run(run=make_run(sms(ids=None)), audience=everyone())
        bangla = make_run(sms("২০% ছাড়, {{ customer_name }}", ids=None))
        assert freeze_run(run=bangla, audience=everyone()).sendable == 1


# ---- at submit


def test_submit_refuses_and_the_campaign_stays_a_draft(chain):
    make_ground(chain.north, chain.south)
    campaign = make_campaign(chain.manager, channel="sms", template_id=sms().pk)
    template = campaign.template
    version = template.versions.get()
    type(version).objects.filter(pk=version.pk).update(sms_ids={})
    with pytest.raises(SmsNotRegistered):
        campaigns.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert Campaign.objects.get(pk=campaign.pk).status == "draft"
