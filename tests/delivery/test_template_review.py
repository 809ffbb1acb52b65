"""Templates at the vendors: created at Meta, found at the others; over real HTTP on loopback."""

import json

import pytest

from marketing.content import services as content
from marketing.content.models import TemplateVersion
from marketing.core.errors import ProviderFailed, WhatsAppTemplateNotApproved
from marketing.core.tenancy import tenant_scope
from marketing.delivery import compliance
from marketing.delivery.template_review import submit_template
from tests.factories.content import TemplateFactory

CONTENTS = {"hi": {"body": "नमस्ते {{ customer_name }}, आइए!"}}


@pytest.fixture
def version(live_chain):
    with tenant_scope(live_chain.tenant.pk):
        template = TemplateFactory(contents=CONTENTS, whatsapp_status="pending")
        made = TemplateVersion.objects.select_related("template", "tenant").get()
        TemplateVersion.objects.filter(pk=made.pk).update(whatsapp={})
        made.refresh_from_db()
        made.template = template
        return made


def gupshup(name, **values):
    template = {"id": "ee4a", "elementName": name, "languageCode": "hi", "status": "APPROVED"}
    return {"status": "success", "templates": [template | values]}


def twilio(name, **approval):
    found = {
        "sid": "HX1",
        "friendly_name": name,
        "language": "hi",
        "approval_requests": {"status": "approved", "rejection_reason": "", **approval},
    }
    return {"contents": [found | {"language": "en", "sid": "HX0"}, found]}


MADE = {"gupshup": (gupshup, "ee4a"), "twilio_whatsapp": (twilio, "HX1")}


@pytest.mark.parametrize("provider", list(MADE))
def test_a_template_made_at_the_vendor_is_found(asked_vendor, account_at, version, provider):
    account_at(provider)
    answer, vendor_id = MADE[provider]
    asked_vendor.answer = 200, answer(version.whatsapp_template_name)
    assert submit_template(version, "hi") == {
        "id": vendor_id,
        "status": "approved",
        "reason": "",
        "vendorTemplateId": vendor_id,
        "provider": provider,
    }


@pytest.mark.parametrize("provider", list(MADE))
@pytest.mark.parametrize(
    ("change", "words"), [("name", "Create it there"), ("review", "still in review")]
)
def test_one_that_is_not_there_yet(asked_vendor, account_at, version, provider, change, words):
    account_at(provider)
    answer, _ = MADE[provider]
    name = version.whatsapp_template_name
    body = answer("another") if change == "name" else answer(name, status="PENDING")
    asked_vendor.answer = 200, body
    with pytest.raises(ProviderFailed, match=words) as refusal:
        submit_template(version, "hi")
    assert not refusal.value.details.get("isRetryable")


@pytest.mark.parametrize("provider", list(MADE))
@pytest.mark.parametrize(("status", "is_retryable"), [(401, False), (503, True)])
def test_a_vendor_that_refuses(asked_vendor, account_at, version, provider, status, is_retryable):
    account_at(provider)
    asked_vendor.answer = status, {"message": "no"}
    with pytest.raises(ProviderFailed, match="no") as refusal:
        submit_template(version, "hi")
    assert refusal.value.details["isRetryable"] == is_retryable


def test_meta_is_handed_the_words(asked_vendor, account_at, version):
    account_at("meta")
    asked_vendor.answer = 200, {"id": "594", "status": "PENDING"}
    answer = {"id": "594", "status": "pending", "provider": "meta"}
    assert submit_template(version, "hi") == answer
    (sent,) = asked_vendor.bodies
    body = json.loads(sent)
    assert body["parameter_format"] == "POSITIONAL"
    assert body["components"][0]["text"] == "नमस्ते {{1}}, आइए!"


def test_meta_may_be_handed_named_variables(live_chain, asked_vendor, account_at, version):
    account = account_at("meta")
    with tenant_scope(live_chain.tenant.pk):
        account.sender["parameter_format"] = "NAMED"
        account.save()
    asked_vendor.answer = 200, {"id": "594", "status": "PENDING"}
    submit_template(version, "hi")
    body = json.loads(asked_vendor.bodies[0])
    assert body["parameter_format"] == "NAMED"
    assert body["components"][0]["text"] == "नमस्ते {{customer_name}}, आइए!"


def test_a_change_of_vendor_asks_for_the_templates_again(
    live_chain, asked_vendor, account_at, version
):
    scope = live_chain.tenant.pk
    account_at("meta")
    asked_vendor.answer = 200, {"id": "594", "status": "APPROVED"}
    content.hand_in(tenant_id=scope, version_id=version.pk, is_last_try=True)
    with tenant_scope(scope):
        version.refresh_from_db()
        assert version.vendor_template("hi") == version.whatsapp_template_name
    gupshup_account = account_at("gupshup")
    with tenant_scope(scope):
        values = {"version": version, "account": gupshup_account, "country": "IN"}
        with pytest.raises(WhatsAppTemplateNotApproved) as refusal:
            compliance.require_compliant(**values, purpose="promotional")
        assert refusal.value.details == {"language": "hi", "provider": "meta"}
        type(gupshup_account).objects.filter(provider="meta").update(is_default=False)
        type(gupshup_account).objects.filter(provider="gupshup").update(is_default=True)
    asked_vendor.answer = 200, gupshup(version.whatsapp_template_name)
    content.hand_in(tenant_id=scope, version_id=version.pk, is_last_try=True)
    with tenant_scope(scope):
        version.refresh_from_db()
        assert version.vendor_template("hi") == "ee4a"
        compliance.require_compliant(**{**values, "version": version}, purpose="promotional")
