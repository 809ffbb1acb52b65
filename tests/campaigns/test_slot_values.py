"""Campaigns that fill in what their messages leave open: asked, checked, approved, sent."""

import pytest
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.content import services as content
from marketing.content.models import TemplateVersion
from marketing.core.errors import ValidationFailed
from marketing.delivery.content_sent import content_sent
from marketing.delivery.models import Message
from tests.campaigns.test_sending import send, stored
from tests.factories.campaigns import approved, everybody, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory

OFFER = {"name": "offer", "label": "The offer", "kind": "text", "max_length": 30,
         "example": "20 % off"}  # fmt: skip
UNTIL = {"name": "until", "label": "Until when", "kind": "date", "max_length": 10,
         "example": "2026-11-30"}  # fmt: skip
WORDS = {
    "en": {"body": "Hi {{ customer_name }}, {{ slot_offer }} until {{ slot_until }}. Come soon!"},
    "hi": {"body": "नमस्ते {{ customer_name }}, {{ slot_until }} तक {{ slot_offer }}। आइए!"},
}
VALUES = {"offer": {"en": "half price", "hi": "आधा दाम 🎉"}, "until": "2026-12-24"}


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


def open_template(slots=(OFFER, UNTIL), words=WORDS, **values):
    """A locked template that head office leaves open in places."""
    template = TemplateFactory(is_locked=True, **values)
    TemplateVersion.objects.filter(template=template).update(
        contents=words, slots=list(slots), placeholders=["customer_name"]
    )
    return template


@pytest.fixture
def template(chain):
    return open_template()


def test_what_was_filled_in_is_what_goes(chain, manager, template):
    campaign = approved(chain.manager, chain.regional, template_id=template.pk, slot_values=VALUES)
    run = send(manager, campaign)
    messages = Message.objects.filter(run=run.send_run)
    said = {message.language: content_sent(message).body for message in messages}
    assert messages.count() == 3
    for message in messages:
        assert message.state == "queued"
        assert message.variables["slot_until"] in ("24 December 2026", "24 दिसंबर 2026")
    assert any("half price until 24 December 2026" in body for body in said.values())
    assert run.send_run.steps[0]["slots"]["hi"]["slot_offer"] == "आधा दाम 🎉"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "slotValues.offer.en"),
        ({"offer": {"en": "half price"}, "until": "2026-12-24"}, "slotValues.offer.hi"),
        ({"offer": VALUES["offer"]}, "slotValues.until"),
    ],
)
def test_what_is_missing_is_asked_for_at_submission(chain, template, values, field):
    campaign = make_campaign(chain.manager, template_id=template.pk, slot_values=values)
    assert campaign.estimated_recipients == 3
    with pytest.raises(ValidationFailed) as refusal:
        services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert field in refusal.value.fields
    assert stored(campaign).status == "draft"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({**VALUES, "offer": {"en": "x" * 31}}, "slotValues.offer.en"),
        ({**VALUES, "offer": {"en": "{{ phone }}"}}, "slotValues.offer.en"),
        ({**VALUES, "offer": {"hi": "दो\nपंक्ति"}}, "slotValues.offer.hi"),
        ({**VALUES, "offer": "half price"}, "slotValues.offer"),
        ({**VALUES, "until": "tomorrow"}, "slotValues.until"),
        ({**VALUES, "phone": "x"}, "slotValues.phone"),
    ],
)
def test_what_is_wrong_is_refused_at_once(chain, template, values, field):
    with pytest.raises(ValidationFailed) as refusal:
        make_campaign(chain.manager, template_id=template.pk, slot_values=values)
    assert field in refusal.value.fields
    assert not Campaign.objects.exists()


def test_any_change_voids_the_approval(chain, manager, template):
    campaign = approved(chain.manager, chain.regional, template_id=template.pk, slot_values=VALUES)
    before = plan.fingerprint(campaign)
    services.update_campaign(actor=manager, campaign=campaign, values={"slot_values": dict(VALUES)})
    assert stored(campaign).status == "approved"
    changed = {**VALUES, "until": "2026-12-31"}
    services.update_campaign(actor=manager, campaign=campaign, values={"slot_values": changed})
    again = stored(campaign)
    assert (again.status, again.approved_hash) == ("draft", "")
    assert plan.fingerprint(again) != before


def test_slots_changed_under_a_draft_are_refused_at_the_field(chain, manager, template):
    campaign = make_campaign(chain.manager, template_id=template.pk, slot_values=VALUES)
    TemplateVersion.objects.filter(template=template).update(
        slots=[{**OFFER, "max_length": 5}, UNTIL]
    )
    with pytest.raises(ValidationFailed) as refusal:
        services.submit_campaign(actor=manager, campaign=campaign)
    assert "slotValues.offer.en" in refusal.value.fields


def test_a_new_version_after_the_approval_pauses(chain, manager, template):
    campaign = approved(chain.manager, chain.regional, template_id=template.pk, slot_values=VALUES)
    content.update_template(
        actor=chain.actor(chain.owner),
        template=template,
        values={"slots": [{**OFFER, "label": "What you give"}, UNTIL]},
    )
    TemplateVersion.objects.update(whatsapp_status="approved")
    run = send(manager, campaign)
    assert stored(campaign).pause_reason == "changed_since_approval"
    assert run.send_run.state == "ready"


def test_one_value_serves_all_channels_and_the_strictest_decides(chain, manager):
    first = open_template()
    sms = open_template(
        channel="sms",
        slots=[{**OFFER, "max_length": 12}],
        words={"en": {"body": "{{ slot_offer }} for you, {{ customer_name }}"}},
    )
    steps = [
        {"channel": "whatsapp", "template_id": first.pk},
        {"channel": "sms", "template_id": sms.pk, "after_minutes": 30},
    ]
    plan_values = {"steps": steps, "channel_mode": "cascade", "template_id": first.pk}
    campaign = make_campaign(chain.manager, **plan_values, slot_values=VALUES)
    assert campaign.slot_values == VALUES
    with pytest.raises(ValidationFailed) as refusal:
        make_campaign(
            chain.manager,
            **plan_values,
            slot_values={**VALUES, "offer": {"en": "a little too long", "hi": "x"}},
        )
    assert list(refusal.value.fields) == ["slotValues.offer.en"]


def test_a_registered_sms_has_room_for_thirty(chain, manager):
    sms = open_template(
        channel="sms",
        slots=[{**OFFER, "max_length": 60}],
        words={"en": {"body": "{{ slot_offer }} for you, {{ customer_name }}"}},
    )
    campaign = make_campaign(
        chain.manager, channel="sms", template_id=sms.pk, slot_values={"offer": {"en": "x" * 31}}
    )
    with pytest.raises(ValidationFailed) as refusal:
        services.submit_campaign(actor=manager, campaign=campaign)
    assert "slotValues.offer.en" in refusal.value.fields


def test_an_sms_is_counted_with_what_was_filled_in(chain):
    words = {"en": {"body": "{{ slot_offer }} for you, {{ customer_name }}"}}
    sms = open_template(channel="sms", slots=[OFFER], words=words)
    plain = submitted(
        chain.manager, channel="sms", template_id=sms.pk, slot_values={"offer": {"en": "Half off"}}
    )
    emoji = submitted(
        chain.manager,
        channel="sms",
        template_id=sms.pk,
        slot_values={"offer": {"en": "आधा दाम " * 3 + "🎉"}},
    )
    step = plan.steps(emoji)[0]
    assert step["slots"]["en"]["slot_offer"].endswith("🎉")
    assert emoji.estimated_cost >= plain.estimated_cost


def test_another_template_drops_what_it_has_no_room_for(chain, manager, template):
    campaign = make_campaign(chain.manager, template_id=template.pk, slot_values=VALUES)
    services.update_campaign(
        actor=manager, campaign=campaign, values={"template_id": TemplateFactory().pk}
    )
    assert stored(campaign).slot_values == {}


def test_a_copy_keeps_what_still_fits(chain, manager, template):
    campaign = make_campaign(chain.manager, template_id=template.pk, slot_values=VALUES)
    TemplateVersion.objects.filter(template=template).update(
        slots=[{**OFFER, "max_length": 5}, UNTIL]
    )
    copy = services.copy_campaign(actor=manager, campaign=Campaign.objects.get(pk=campaign.pk))
    assert copy.slot_values == {"until": "2026-12-24"}


def test_over_the_api(chain, api, template):
    body = {
        "name": "Diwali", "campaignType": "one_time", "channel": "whatsapp",
        "templateId": str(template.pk), "segmentId": str(everybody().pk),
    }  # fmt: skip
    path = "/api/v1/campaigns"
    refused = api("manager", "post", path, body, **{"Idempotency-Key": "a"})
    assert "slotValues.until" in refused.json()["error"]["fields"]
    wrong = {**body, "slotValues": {**VALUES, "until": "soon"}}
    assert api("manager", "post", path, wrong, **{"Idempotency-Key": "b"}).status_code == 400
    made = api("manager", "post", path, {**body, "slotValues": VALUES}, **{"Idempotency-Key": "c"})
    assert made.status_code == 201, made.content
    told = made.json()["data"]["campaign"]
    assert told["slotValues"] == VALUES
    changed = api("manager", "patch", f"{path}/{told['id']}", {"slotValues": {}})
    assert changed.json()["data"]["campaign"]["slotValues"] == {}


def test_another_chains_template_is_not_to_be_had(chain, other_chain, scope):
    scope(other_chain.tenant.pk)
    foreign = open_template().pk
    scope(chain.tenant.pk)
    with pytest.raises(ValidationFailed) as refusal:
        make_campaign(chain.manager, template_id=foreign, slot_values=VALUES)
    assert "templateId" in refusal.value.fields


class TestWizard:
    @pytest.fixture
    def draft(self, chain):
        return make_campaign(chain.manager, template_id=None)

    def step(self, draft):
        return reverse("campaign-edit", args=[draft.pk, "message"])

    def test_the_message_step_asks(self, login, draft, template):
        browser = login("manager")
        asked = browser.post(self.step(draft), {"template": template.pk})
        page = asked.content.decode()
        assert asked.status_code == 422
        assert 'name="slotValues.offer.hi"' in page
        assert 'name="slotValues.until"' in page
        assert "Fill this in." in page
        filled = {
            "template": template.pk,
            "slotValues.offer.en": "half price",
            "slotValues.offer.hi": "आधा दाम",
            "slotValues.until": "2026-12-24",
        }
        assert browser.post(self.step(draft), filled).status_code == 302
        kept = stored(draft).slot_values
        assert kept == {**VALUES, "offer": {"en": "half price", "hi": "आधा दाम"}}
        page = browser.get(self.step(draft)).content.decode()
        assert 'value="half price"' in page
        assert 'value="2026-12-24"' in page
        assert "half price until 24 December 2026" in page

    def test_it_can_wait(self, login, draft, template):
        answer = login("manager").post(self.step(draft), {"template": template.pk, "later": "1"})
        assert answer.status_code == 302
        assert stored(draft).template_id == template.pk

    def test_a_mistake_shows_at_its_input(self, login, draft, template):
        form = {
            "template": template.pk,
            "slotValues.offer.en": "{{ phone }}",
            "slotValues.offer.hi": "आधा दाम",
            "slotValues.until": "2026-12-24",
        }
        answer = login("manager").post(self.step(draft), form)
        assert answer.status_code == 422
        assert "Braces and merge fields are not allowed here." in answer.content.decode()
        assert stored(draft).template_id is None

    def test_the_inputs_come_with_the_choice(self, login, draft, template):
        path = reverse("campaign-preview", args=[draft.pk])
        asked = {"template": template.pk, "slotValues.offer.en": "half price"}
        fields = login("manager").get(path, {**asked, "part": "slots"}).content.decode()
        assert 'value="half price"' in fields
        assert "Fill this in." not in fields
        phones = login("manager").get(path, asked).content.decode()
        assert "half price until 30 November 2026" in phones
        plain = login("manager").get(path, {"template": TemplateFactory().pk, "part": "slots"})
        assert "slotValues" not in plain.content.decode()

    def test_the_review_names_what_is_missing(self, login, chain, template):
        draft = make_campaign(chain.manager, template_id=template.pk)
        answer = login("manager").post(reverse("campaign-edit", args=[draft.pk, "review"]))
        assert answer.status_code == 422
        assert "Fill this in." in answer.content.decode()
