"""Templates made, changed, copied and taken out of use."""

import pytest

from marketing.content import services, usage
from marketing.content.errors import ReadOnlyTemplate, TemplateInUse
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.prebuilt import PREBUILT
from marketing.core.errors import Conflict, Forbidden, ValidationFailed
from marketing.core.models import AuditEntry
from tests.content.conftest import BODY
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_config

HINDI = "नमस्ते {{ customer_name }}, हमसे मिलने आइए।"


def update(chain, template, *, actor=None, version=None, **values):
    return services.update_template(
        actor=actor or chain.actor(chain.manager), template=template, values=values, version=version
    )


def newest(template):
    return template.versions.get(number=template.version)


def test_creates_the_first_version(chain, create):
    template = create(contents={"en": {"body": BODY}, "hi": {"body": HINDI}})
    version = template.versions.get()
    assert (version.number, version.placeholders) == (1, ["customer_name"])
    assert (version.whatsapp_status, version.whatsapp) == ("pending", {})
    assert version.whatsapp_template_name == "diwali_offer_v1"
    assert template.created_by == chain.manager.user
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("template.create", template.pk)


def test_a_receptionist_may_not(chain, create):
    with pytest.raises(Forbidden):
        create(actor=chain.actor(chain.receptionist))
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"channel": "fax"}, "channel"),
        ({"template_type": "spam"}, "templateType"),
        ({"contents": {}}, "contents.en.body"),
        ({"contents": {"en": {"body": "{{ nope }}"}}}, "contents.en.body"),
        ({"whatsapp_template_name": "Diwali Offer"}, "whatsappTemplateName"),
        ({"channel": "sms", "sms_ids": {"en": {"vendorTemplateId": "x" * 101}}},
         "smsIds.en.vendorTemplateId"),
        ({"channel": "sms", "sms_ids": {"en": {"other": "x"}}}, "smsIds.en.other"),
    ],
)  # fmt: skip
def test_refuses_bad_input_and_keeps_nothing(chain, create, values, field):
    with pytest.raises(ValidationFailed) as caught:
        create(**values)
    assert set(caught.value.fields) == {field}
    assert not MessageTemplate.objects.exists()
    assert not AuditEntry.objects.exists()


def test_other_words_make_a_new_version_that_must_be_approved_anew(chain):
    template = TemplateFactory(name="Miss you")
    changed = update(chain, template, contents={"en": {"body": BODY}})
    assert changed.version == 2
    assert newest(changed).whatsapp_status == "pending"
    assert newest(changed).whatsapp_template_name == "miss_you_v2"
    assert template.versions.get(number=1).whatsapp_status == "approved"


def test_a_new_name_leaves_the_words_and_their_approval(chain):
    template = TemplateFactory()
    changed = update(chain, template, name="Better name", description="x", category="offer")
    assert (changed.name, changed.version) == ("Better name", 1)
    assert newest(changed).whatsapp_status == "approved"
    entry = AuditEntry.objects.get()
    assert entry.changes["name"] == [template.name, "Better name"]


def test_the_same_words_again_change_nothing(chain, create):
    template = create()
    AuditEntry.objects.all().update(action="before")
    assert (
        update(chain, template, name="Diwali offer", contents={"en": {"body": BODY}}).version == 1
    )
    assert not AuditEntry.objects.exclude(action="before").exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"channel": "sms"}, "channel"),
        ({"template_type": "transactional"}, "templateType"),
        ({"trigger_type": "birthday_wish"}, "triggerType"),
    ],
)
def test_what_consent_and_price_rest_on_stays(chain, values, field):
    template = TemplateFactory()
    with pytest.raises(ValidationFailed) as caught:
        update(chain, template, **values)
    assert set(caught.value.fields) == {field}


def test_a_stale_edit_is_refused(chain):
    template = TemplateFactory()
    update(chain, template, contents={"en": {"body": BODY}}, version=1)
    with pytest.raises(Conflict) as caught:
        update(chain, template, contents={"en": {"body": "Hello"}}, version=1)
    assert caught.value.details == {"current": 2}
    assert template.versions.count() == 2


def test_a_refused_edit_leaves_all_as_it_was(chain):
    template = TemplateFactory(name="Old")
    with pytest.raises(ValidationFailed):
        update(chain, template, name="New", contents={"en": {"body": "{{ nope }}"}})
    template.refresh_from_db()
    assert (template.name, template.version) == ("Old", 1)


def test_sms_ids_belong_to_the_words_of_their_language(chain, create):
    ids = {"en": {"dltTemplateId": "1107", "vendorTemplateId": "f1"}, "hi": {"dltTemplateId": "2"}}
    contents = {"en": {"body": "Hi"}, "hi": {"body": "नमस्ते"}}
    template = create(channel="sms", contents=contents, sms_ids=ids)
    assert newest(template).vendor_template("en") == "f1"
    changed = update(chain, template, contents={**contents, "en": {"body": "Hello"}})
    assert newest(changed).sms_ids == {"hi": {"dltTemplateId": "2"}}
    changed = update(chain, changed, sms_ids={"en": {"vendorTemplateId": " f2 "}})
    assert changed.version == 2
    assert newest(changed).sms_ids == {"en": {"vendorTemplateId": "f2"}}


def test_an_sms_is_counted_as_the_chain_sends_it(chain, create):
    links = " ".join(f"https://kalpa.example/{'long-' * 60}{number}" for number in range(6))
    set_config(track_sms_links=False)
    with pytest.raises(ValidationFailed) as refused:
        create(channel="sms", contents={"en": {"body": links}})
    assert set(refused.value.fields) == {"contents.en.body"}
    set_config(track_sms_links=True)
    assert create(channel="sms", contents={"en": {"body": links}}).version == 1


def test_a_name_at_whatsapp_is_given_once(chain, create):
    assert newest(create()).whatsapp_template_name == "diwali_offer_v1"
    other = create()
    assert newest(other).whatsapp_template_name == f"diwali_offer_{other.pk.hex[-8:]}_v1"
    with pytest.raises(ValidationFailed):
        create(whatsapp_template_name="diwali_offer_v1")


def test_deactivates(chain):
    template = TemplateFactory()
    services.deactivate_template(actor=chain.actor(chain.manager), template=template)
    template.refresh_from_db()
    assert not template.is_active
    assert update(chain, template, is_active=True).is_active


@pytest.mark.parametrize("way", ["delete", "patch"])
def test_one_in_use_stays(chain, monkeypatch, way):
    template = TemplateFactory()
    monkeypatch.setattr(usage, "_registered", [lambda _: [usage.Use("Campaign", "Diwali", "/c/1")]])
    change = {
        "delete": lambda actor: services.deactivate_template(actor=actor, template=template),
        "patch": lambda actor: update(chain, template, actor=actor, is_active=False),
    }[way]
    with pytest.raises(TemplateInUse) as caught:
        change(chain.actor(chain.manager))
    assert caught.value.details == {
        "usedBy": [{"kind": "Campaign", "name": "Diwali", "url": "/c/1"}]
    }
    template.refresh_from_db()
    assert template.is_active


def test_copies_the_words_the_chain_still_writes(chain):
    template = TemplateFactory(name="Diwali", is_system=True)
    chain.tenant.languages = ["en"]
    chain.tenant.save()
    copy = services.copy_template(actor=chain.actor(chain.manager), template=template)
    assert (copy.name, copy.is_system) == ("Diwali (copy)", False)
    assert list(newest(copy).contents) == ["en"]
    assert newest(copy).whatsapp_status == "pending"


def test_prebuilt_ones_are_read_only(chain):
    template = TemplateFactory(is_system=True)
    with pytest.raises(ReadOnlyTemplate):
        update(chain, template, name="Mine")


def test_another_chains_template_cannot_be_changed(chain, other_chain, scope):
    template = TemplateFactory()
    scope(other_chain.tenant.pk)
    with pytest.raises(MessageTemplate.DoesNotExist):
        update(other_chain, template, name="Mine")


def test_makes_the_prebuilt_ones_once(chain):
    assert services.ensure_system_templates() == 3 * len(PREBUILT)
    assert services.ensure_system_templates() == 0
    assert MessageTemplate.objects.filter(is_system=True).count() == 3 * len(PREBUILT)
    assert all(set(v.contents) == {"en", "hi"} for v in TemplateVersion.objects.all())


def test_a_chain_writing_first_in_bengali_gets_the_sms(chain):
    chain.tenant.languages = ["bn", "en"]
    chain.tenant.save()
    assert services.ensure_system_templates() == len(PREBUILT)
    assert set(MessageTemplate.objects.values_list("channel", flat=True)) == {"sms"}
    assert all(set(v.contents) == {"bn", "en"} for v in TemplateVersion.objects.all())


def test_a_chain_writing_first_in_another_language_gets_none(chain):
    chain.tenant.languages = ["ta", "en"]
    chain.tenant.save()
    assert services.ensure_system_templates() == 0
