"""The wizard's steps, and what its review refuses."""

import datetime as dt
import html
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.content.models import MessageTemplate
from marketing.core.errors import Conflict
from marketing.delivery.models import SendRun
from marketing.segments.models import Segment
from marketing.segments.services import delete_segment
from tests.campaigns.test_pages import STEPS, page, text_of
from tests.factories.campaigns import everybody, make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_branch_config
from tests.factories.segments import SegmentFactory, where


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


def followed(client, shown, words):
    """The page behind the link with these words, and its address."""
    links = re.findall(r'<a\b[^>]*?href="([^"]+)"[^>]*>(.*?)</a>', shown, re.S)
    address = html.unescape(next(link for link, text in links if words in text))
    return client.get(address).content.decode(), address


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "email"])
def test_a_new_chain_finds_a_ready_made_message_and_comes_back_with_it(chain, login, channel):
    campaign = make_campaign(chain.manager, channel=channel, template_id=None)
    client, step = login("manager"), page(campaign, "campaign-edit", "message")
    gallery, address = followed(
        client, client.get(step).content.decode(), "Choose a ready-made message"
    )
    assert f"channel={channel}" in address
    _form, address = followed(client, gallery, "Use this")
    words = {"en-subject": "Hello", "en-body": "Hello from us"}
    answer = client.post(address, {"name": "Hi", "template_type": "promotional", **words})
    template = MessageTemplate.objects.get()
    back = answer.url
    if channel == "whatsapp":
        shown = client.get(answer.url).content.decode()
        handed_in = re.search(r'action="([^"]+/submit[^"]+)"', shown)[1]
        _shown, back = followed(client, shown, "Go on with it")
        assert client.post(html.unescape(handed_in)).url == answer.url
    assert back == f"{step}?template={template.pk}"
    assert f'value="{template.pk}" selected' in client.get(back).content.decode()
    assert Campaign.objects.get().template is None, "choosing is not saving"


@pytest.mark.parametrize("wished", ["nonsense", "11111111-1111-4111-8111-111111111111", "other"])
def test_a_message_that_does_not_fit_is_not_chosen(chain, login, wished):
    campaign = make_campaign(chain.manager, channel="sms", template_id=None)
    wished = TemplateFactory().pk if wished == "other" else wished
    shown = login("manager").get(
        page(campaign, "campaign-edit", "message"), {"template": str(wished)}
    )
    assert shown.status_code == 200
    assert f'value="{wished}" selected' not in shown.content.decode()


def test_the_way_back_leads_to_our_own_pages_only(login):
    shown = login("manager").get("/templates/ready?channel=sms&next=https://evil.example/")
    assert "from=birthday" in shown.content.decode()
    assert not re.search(r'href="[^"]*evil.example', shown.content.decode())


def test_the_wizard_works(chain, login):
    segment, template = everybody(), TemplateFactory()
    client = login("manager")
    answer = client.post(
        reverse("campaign-new"), {"name": "Diwali glow", "description": "", "channel": "whatsapp"}
    )
    campaign = Campaign.objects.get()
    assert answer.url == page(campaign, "campaign-edit", "audience")
    assert campaign.status == "draft"

    def step(name, data):
        version = Campaign.objects.get().version
        answer = client.post(page(campaign, "campaign-edit", name), data | {"version": version})
        assert answer.status_code == 302, text_of(answer)
        return answer.url

    assert step("audience", {"segment": str(segment.pk)}).endswith("/edit/message")
    assert step("message", {"template": str(template.pk)}).endswith("/edit/schedule")
    assert step("schedule", {"when": "now"}).endswith("/edit/review")
    assert client.get(page(campaign, "campaign-edit", "review")).status_code == 200
    assert "Will get it 3" in text_of(client.get(page(campaign, "campaign-estimate")))
    answer = client.post(page(campaign, "campaign-edit", "review"))
    assert answer.url == page(campaign)
    assert Campaign.objects.get().status == "pending_approval"

    approver = login("regional")
    assert "Diwali glow" in text_of(approver.get(reverse("approval-inbox")))
    shown = approver.get(page(campaign))
    assert "Approve" in text_of(shown)
    version = Campaign.objects.get().version
    answer = approver.post(page(campaign, "campaign-approve"), {"version": version})
    assert answer.status_code == 302
    assert Campaign.objects.get().status == "approved"
    assert client.post(page(campaign, "campaign-send")).status_code == 302
    assert Campaign.objects.get().status == "sending"


def test_every_step_of_a_draft_can_be_opened_and_saved_for_later(chain, login):
    campaign = make_campaign(chain.manager, template_id=None, segment_id=None)
    client = login("manager")
    for step in STEPS:
        assert client.get(page(campaign, "campaign-edit", step)).status_code == 200
    answer = client.post(page(campaign, "campaign-edit", "schedule"), {"when": "now", "later": "1"})
    assert answer.url == reverse("campaign-list")
    assert client.get(page(campaign, "campaign-edit", "nonsense")).status_code == 404


def test_schedule_step_takes_local_time_and_recurrence(chain, login):
    campaign = make_campaign(chain.manager)
    client = login("manager")
    url = page(campaign, "campaign-edit", "schedule")
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    client.post(url, {"when": "later", "date": tomorrow.isoformat(), "time": "10:00"})
    stored = Campaign.objects.get().scheduled_at
    assert (stored.hour, stored.minute) == (4, 30)
    assert 'value="10:00"' in client.get(url).content.decode()
    refused = client.post(url, {"when": "later", "date": "2020-01-01", "time": "10:00"})
    assert refused.status_code == 422
    assert "This time is past" in text_of(refused)
    assert 'value="2020-01-01"' in refused.content.decode()
    assert Campaign.objects.get().scheduled_at == stored
    client.post(url, {"when": "repeat", "pattern": "monthly", "day": "31", "time": "09:15"})
    after = Campaign.objects.get()
    assert (after.campaign_type, after.scheduled_at) == ("recurring", None)
    assert "BYHOUR=9;BYMINUTE=15" in after.recurrence_rule
    shown = client.get(url).content.decode()
    assert 'value="31"' in shown
    client.post(url, {"when": "now"})
    assert Campaign.objects.get().recurrence_rule == ""


@pytest.mark.parametrize(
    ("step", "data", "words"),
    [
        ("details", {"name": "", "channel": "whatsapp"}, "Please fill this in."),
        ("details", {"name": "x", "channel": "pigeon"}, "Choose one of the list."),
        ("audience", {"segment": ""}, "Please fill this in."),
        (
            "audience",
            {"segment": "0199aaaa-0000-7000-8000-000000000000"},
            "Choose one of the list.",
        ),
        ("message", {"template": ""}, "Please fill this in."),
        ("message", {"template": "x"}, "put this right"),
        ("schedule", {"when": "later", "date": "2020-01-01"}, "Please fill this in."),
        (
            "schedule",
            {"when": "repeat", "pattern": "monthly", "time": "10:00"},
            "Please fill this in.",
        ),
    ],
)
def test_a_step_shows_what_to_mend(chain, login, step, data, words):
    campaign = make_campaign(chain.manager)
    before = Campaign.objects.get().version
    answer = login("manager").post(page(campaign, "campaign-edit", step), data)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert Campaign.objects.get().version == before


def test_a_step_saved_over_somebody_elses_change_is_refused(chain, login):
    campaign = make_campaign(chain.manager)
    services.update_campaign(
        actor=chain.actor(chain.regional), campaign=campaign, values={"name": "Mine"}
    )
    answer = login("manager").post(
        page(campaign, "campaign-edit", "details"),
        {"name": "Yours", "channel": "whatsapp", "version": campaign.version},
    )
    assert answer.status_code == 422
    assert "changed this campaign while you were editing it" in text_of(answer)
    assert Campaign.objects.get().name == "Mine"


def review(login, campaign):
    return login("manager").post(page(campaign, "campaign-edit", "review"))


def refused_at_review(login, campaign, *words):
    answer = review(login, campaign)
    assert answer.status_code == 422
    for word in words:
        assert word in text_of(answer)
    assert Campaign.objects.get(pk=campaign.pk).status == "draft"


def test_review_refuses_each_bad_input(chain, login):
    wrong_channel = make_campaign(chain.manager, template_id=TemplateFactory(sms=True).pk)
    refused_at_review(login, wrong_channel, "is for SMS")
    pending = TemplateFactory(whatsapp_status="pending")
    refused_at_review(
        login, make_campaign(chain.manager, template_id=pending.pk), "WhatsApp has not approved"
    )
    nobody = SegmentFactory(rules=where("visit_count", "gt", 900))
    empty = make_campaign(chain.manager, segment_id=nobody.pk)
    refused_at_review(login, empty, "Nobody is in this audience")
    broken = make_campaign(chain.manager)
    Segment.objects.filter(pk=broken.segment_id).update(rules=where("nonsense", "eq", 1))
    refused_at_review(login, broken, "rule is broken")
    unknown = TemplateFactory()
    unknown.versions.update(contents={"en": {"body": "Hi {{ shoe_size }}"}})
    refused_at_review(login, make_campaign(chain.manager, template_id=unknown.pk), "shoe_size")
    assert not SendRun.objects.exists()


def test_missing_values_are_named_as_a_reason(chain, login):
    contents = {"en": {"body": "Hi {{ customer_name }}, call {{ branch_phone }}"}}
    template = TemplateFactory(contents=contents)
    campaign = make_campaign(chain.manager, template_id=template.pk)
    shown = login("manager").get(page(campaign, "campaign-estimate"))
    assert "A value the text needs is missing 3" in text_of(shown)


def test_the_audience_is_counted_before_it_is_saved(chain, login):
    CustomerFactory(home_branch=chain.north, consent=False)
    campaign = make_campaign(chain.manager, template_id=None, segment_id=None)
    TemplateFactory(name="Stand-in")
    set_branch_config(chain.north, monthly_budget_limit=Decimal("1.00"))
    segment = everybody()
    answer = login("manager").get(page(campaign, "campaign-estimate"), {"segment": str(segment.pk)})
    shown = text_of(answer)
    assert "In the audience 4" in shown
    assert "Will get it 3" in shown
    assert "Has not agreed to this channel 1" in shown
    assert "₹1.00" in shown
    assert "costs more than is left" in shown
    assert "Stand-in" in shown
    assert Campaign.objects.get().segment is None


def test_the_message_is_shown_in_each_language(chain, login):
    campaign = make_campaign(chain.manager)
    answer = login("manager").get(
        page(campaign, "campaign-preview"), {"template": str(campaign.template_id)}
    )
    assert 'lang="en"' in answer.content.decode()
    assert 'lang="hi"' in answer.content.decode()
    assert "{{" not in text_of(answer)


def test_the_message_step_shows_every_language_for_somebody_without_a_name(chain, login):
    contents = {
        "en": {"body": 'Hi {{ customer_name | default: "there" }}, come!'},
        "hi": {"body": 'नमस्ते {{ customer_name | default: "जी" }}, आइए!'},
    }
    template = TemplateFactory(contents=contents)
    campaign = make_campaign(chain.manager, template_id=template.pk)
    url = reverse("campaign-preview", args=[campaign.pk])
    asked = {"template": str(template.pk)}
    shown = login("manager").get(url, asked).content.decode()
    assert "Hi Asha, come!" in shown
    shown = login("manager").get(url, asked | {"preview_stranger": "1"}).content.decode()
    assert "Hi there, come!" in shown
    assert "नमस्ते जी, आइए!" in shown


def test_a_segment_that_a_draft_needs_is_not_deleted(chain):
    campaign = make_campaign(chain.manager)
    with pytest.raises(Conflict) as refusal:
        delete_segment(actor=chain.actor(chain.owner), segment=campaign.segment)
    assert [use["name"] for use in refusal.value.details["usedBy"]] == [campaign.name]


def test_a_segment_that_went_under_a_draft_is_refused_at_the_review(chain, login):
    """Whoever chose it and whoever deleted it may have done so at once."""
    campaign = make_campaign(chain.manager)
    Segment.objects.filter(pk=campaign.segment.pk).update(is_active=False)
    client = login("manager")
    for step in ("audience", "message", "schedule", "review"):
        assert client.get(page(campaign, "campaign-edit", step)).status_code == 200
    assert client.get(page(campaign, "campaign-estimate")).status_code == 200
    answer = client.post(page(campaign, "campaign-edit", "review"))
    assert answer.status_code == 422
    assert "segment" in text_of(answer).lower()
    assert Campaign.objects.get().status == "draft"
