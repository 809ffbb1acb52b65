"""Chains whose branches send head office's messages only: what branches can no longer do."""

import pytest
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.content import services as content
from marketing.content.errors import HeadOfficeWrites
from marketing.content.models import MessageTemplate
from marketing.core.errors import ValidationFailed
from tests.campaigns.test_pages import text_of
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_config

REFUSED = "Your branches send head office's messages only."


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, chain.south)


@pytest.fixture
def loose(chain):
    """A message that nobody has locked."""
    return TemplateFactory(name="Ours")


@pytest.fixture
def locked(chain):
    return TemplateFactory(name="Head office's", is_locked=True)


@pytest.fixture
def bound(chain):
    set_config(locked_templates_only=True)


def refused_at(field, work):
    with pytest.raises(ValidationFailed) as refusal:
        work()
    assert list(refusal.value.fields) == [field]
    assert REFUSED in refusal.value.fields[field][0]


@pytest.mark.parametrize("who", ["manager", "regional"])
def test_a_branch_chooses_among_the_locked(chain, bound, loose, locked, who):
    staff = getattr(chain, who)
    refused_at("templateId", lambda: make_campaign(staff, template_id=loose.pk))
    later = [{"channel": "sms", "templateId": str(TemplateFactory(sms=True).pk)}]
    refused_at(
        "steps.1.templateId",
        lambda: make_campaign(
            staff,
            template_id=locked.pk,
            channel_mode="cascade",
            further_steps=[later[0] | {"afterMinutes": 30}],
        ),
    )
    assert not Campaign.objects.exists()
    campaign = make_campaign(staff, template_id=locked.pk)
    refused_at(
        "templateId",
        lambda: services.update_campaign(
            actor=chain.actor(staff), campaign=campaign, values={"template_id": loose.pk}
        ),
    )
    assert Campaign.objects.get().template == locked
    assert approved(chain.manager, chain.regional, template_id=locked.pk).status == "approved"


def test_head_office_chooses_what_it_likes(chain, bound, loose):
    assert submitted(chain.owner, template_id=loose.pk).status == "pending_approval"


def test_without_the_setting_branches_choose_what_they_like(chain, loose):
    assert submitted(chain.manager, template_id=loose.pk).status == "pending_approval"


@pytest.mark.parametrize("step", ["first", "second"])
def test_a_draft_from_before_is_not_submitted(chain, loose, locked, step):
    plan = {"template_id": loose.pk}
    if step == "second":
        later = {"channel": "sms", "templateId": str(TemplateFactory(sms=True).pk)}
        plan = {"template_id": locked.pk, "channel_mode": "cascade"}
        plan |= {"further_steps": [later | {"afterMinutes": 30}]}
    campaign = make_campaign(chain.manager, **plan)
    set_config(locked_templates_only=True)
    manager = chain.actor(chain.manager)
    field = "templateId" if step == "first" else "steps.1.templateId"
    refused_at(field, lambda: services.submit_campaign(actor=manager, campaign=campaign))
    assert Campaign.objects.get().status == "draft"
    # What has nothing to do with the message can still be mended, and it may be thrown away.
    services.update_campaign(
        actor=manager, campaign=campaign, values={"name": "Other", "channel": "whatsapp"}
    )
    refused_at(field, lambda: services.copy_campaign(actor=manager, campaign=campaign))
    services.delete_campaign(actor=manager, campaign=campaign)


def test_branches_write_none(chain, bound, loose, locked):
    for staff in (chain.manager, chain.regional):
        actor = chain.actor(staff)
        for work in (
            lambda actor=actor: content.create_template(
                actor=actor,
                name="Mine",
                channel="sms",
                template_type="promotional",
                contents={"en": {"body": "Hi"}},
            ),
            lambda actor=actor: content.copy_template(actor=actor, template=loose),
            lambda actor=actor: content.update_template(
                actor=actor, template=loose, values={"name": "x"}
            ),
            lambda actor=actor: content.deactivate_template(actor=actor, template=loose),
            lambda actor=actor: content.submit_whatsapp(actor=actor, template=loose),
        ):
            with pytest.raises(HeadOfficeWrites):
                work()
    assert set(MessageTemplate.objects.values_list("name", "is_active")) == {
        ("Ours", True),
        ("Head office's", True),
    }
    owner = chain.actor(chain.owner)
    content.update_template(actor=owner, template=loose, values={"is_locked": True})


def test_over_the_api(chain, bound, login, loose, locked):
    client = login("manager")
    body = {"name": "Diwali", "campaignType": "one_time", "channel": "whatsapp"}
    body |= {"templateId": str(loose.pk), "targetAllCustomers": True}

    def post(path, body):
        return client.post(f"/api/v1/{path}", body, content_type="application/json")

    answer = post("campaigns", body)
    assert answer.status_code == 400
    assert REFUSED in answer.content.decode()
    assert post("campaigns", body | {"templateId": str(locked.pk)}).status_code == 201
    words = {"en": {"body": "Hi"}}
    made = {"name": "Mine", "channel": "sms", "templateType": "promotional", "contents": words}
    answer = post("templates", made)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "MARKETING_403")


def test_pages_hide_what_cannot_be_done(chain, bound, login, loose, locked):
    new = reverse("template-new")
    client = login("manager")
    for page in (reverse("home"), reverse("template-list")):
        assert new not in client.get(page).content.decode()
    assert "head office's messages" in text_of(client.get(reverse("template-list")))
    listed = client.get(reverse("template-list")).content.decode()
    assert reverse("template-detail", args=[locked.pk]) in listed
    assert reverse("template-detail", args=[loose.pk]) not in listed
    shown = client.get(reverse("template-detail", args=[loose.pk])).content.decode()
    assert reverse("template-edit", args=[loose.pk]) not in shown
    assert reverse("template-copy", args=[loose.pk]) not in shown
    assert "it cannot be chosen" in shown
    for address in (
        f"{new}?channel=sms",
        f"{reverse('template-ready')}?channel=sms",
        reverse("template-edit", args=[loose.pk]),
    ):
        refusal = client.get(address)
        assert refusal.status_code == 403
        assert "head office writes the messages" in text_of(refusal)
    campaign = make_campaign(chain.manager, template_id=None)
    page = client.get(reverse("campaign-edit", args=[campaign.pk, "message"])).content.decode()
    assert "Head office&#x27;s" in page
    assert str(loose.pk) not in page
    assert new not in page
    locked.is_active = False
    locked.save()
    assert "Head office has locked none yet" in text_of(client.get(reverse("template-list")))
    page = client.get(reverse("campaign-edit", args=[campaign.pk, "message"]))
    assert "Ask head office to lock one" in text_of(page)
    assert new in login("owner").get(reverse("template-list")).content.decode()


def test_a_super_owner_switches_it(chain, login):
    client, page = login("owner"), reverse("settings-approval")
    form = {"campaign_approval_required": "on", "campaign_approval_threshold_recipients": "100"}
    assert client.post(page, form | {"locked_templates_only": "on"}).status_code == 302
    assert "Your branches send" in text_of(login("manager").get(reverse("template-list")))
    assert login("manager").post(page, form).status_code == 403
    assert (
        client.get("/api/v1/marketing/config").json()["data"]["config"]["lockedTemplatesOnly"]
        is True
    )
