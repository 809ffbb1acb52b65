"""Campaigns over several channels: over HTTP, in the wizard, at the freeze and on the pages."""

import pytest
from django.test import Client
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.campaigns.services import runs
from marketing.content.models import TemplateType
from marketing.content.usage import users_of
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import sweep_fallbacks
from tests.factories.campaigns import approved, everybody, make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_config

LIST = "/api/v1/campaigns"


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


def step(template, minutes=0):
    return {
        "channel": template.channel,
        "templateId": str(template.pk),
        "afterMinutes": minutes,
    }


def further(*templates, minutes=30):
    return [step(template, minutes) for template in templates]


def body(*steps, **values):
    return {
        "name": "Diwali glow",
        "campaignType": "one_time",
        "segmentId": str(everybody().pk),
        "steps": list(steps),
    } | values


def cascading(chain, **values):
    return approved(
        chain.manager,
        chain.regional,
        channel_mode="cascade",
        further_steps=further(TemplateFactory(sms=True), TemplateFactory(email=True)),
        **values,
    )


class TestApi:
    def test_steps_travel_both_ways(self, chain, api):
        first, second = TemplateFactory(), TemplateFactory(sms=True)
        sent = body(step(first), step(second, 45), channelMode="cascade")
        made = api("manager", "post", LIST, sent)
        assert made.status_code == 201, made.content
        campaign = made.json()["data"]["campaign"]
        assert campaign["steps"] == [step(first), step(second, 45)]
        assert (campaign["channel"], campaign["templateId"]) == ("whatsapp", str(first.pk))
        assert campaign["channelMode"] == "cascade"

    def test_without_steps_a_campaign_has_its_one_channel(self, chain, api):
        template = TemplateFactory()
        sent = body(channel="whatsapp", templateId=str(template.pk))
        del sent["steps"]
        campaign = api("manager", "post", LIST, sent).json()["data"]["campaign"]
        assert (campaign["channelMode"], campaign["steps"]) == ("single", [step(template)])

    def test_neither_steps_nor_channel_is_refused_at_both(self, chain, api):
        answer = api("manager", "post", LIST, body())
        assert answer.status_code == 400
        assert set(answer.json()["error"]["fields"]) == {"channel", "templateId"}

    def test_the_settings_make_a_new_whatsapp_campaign_fall_back_to_sms(self, chain, api):
        sent = body(step(TemplateFactory()), step(TemplateFactory(sms=True), 30))
        made = api("manager", "post", LIST, sent).json()["data"]["campaign"]
        assert made["channelMode"] == "cascade"
        set_config(sms_fallback_enabled=False)
        refused = api("manager", "post", LIST, sent)
        assert list(refused.json()["error"]["fields"]) == ["channelMode"]

    @pytest.mark.parametrize(
        ("mode", "channels", "minutes", "field"),
        [
            ("single", ["whatsapp", "sms"], 30, "channelMode"),
            ("cascade", ["whatsapp"], 30, "steps"),
            ("all", ["whatsapp"], 0, "steps"),
            ("cascade", ["whatsapp", "whatsapp"], 30, "steps.1.channel"),
            ("cascade", ["whatsapp", "sms"], 0, "steps.1.afterMinutes"),
            ("cascade", ["whatsapp", "sms"], 10_081, "steps.1.afterMinutes"),
            ("cascade", ["whatsapp", "sms"], -1, "steps.1.afterMinutes"),
        ],
    )
    def test_a_plan_that_cannot_be_gone_through_is_refused(
        self, chain, api, mode, channels, minutes, field
    ):
        steps = [step(TemplateFactory(channel=channel), minutes) for channel in channels]
        steps[0]["afterMinutes"] = 0
        answer = api("manager", "post", LIST, body(*steps, channelMode=mode))
        assert answer.status_code == 400
        fields = answer.json()["error"]["fields"]
        assert list(fields) == [field]
        assert not Campaign.objects.exists()

    @pytest.mark.parametrize("minutes", [1, 10_080])
    def test_the_longest_and_the_shortest_wait(self, chain, api, minutes):
        steps = step(TemplateFactory()), step(TemplateFactory(sms=True), minutes)
        answer = api("manager", "post", LIST, body(*steps, channelMode="cascade"))
        assert answer.status_code == 201

    def test_a_message_for_another_channel_is_refused_at_its_step(self, chain, api):
        wrong = step(TemplateFactory(email=True), 30) | {"channel": "sms"}
        sent = body(step(TemplateFactory()), wrong, channelMode="cascade")
        answer = api("manager", "post", LIST, sent)
        assert answer.json()["error"]["code"] == "MARKETING_021"
        assert list(answer.json()["error"]["fields"]) == ["steps.1.templateId"]

    def test_a_message_of_another_kind_is_refused_at_its_step(self, chain, api):
        other = TemplateFactory(sms=True, template_type=TemplateType.TRANSACTIONAL)
        sent = body(step(TemplateFactory()), step(other, 30), channelMode="cascade")
        answer = api("manager", "post", LIST, sent)
        assert list(answer.json()["error"]["fields"]) == ["steps.1.templateId"]

    def test_somebody_elses_message_is_refused_at_its_step(self, chain, other_chain, api):
        nobodys = {
            "channel": "sms",
            "templateId": "0199aaaa-0000-7000-8000-000000000000",
            "afterMinutes": 30,
        }
        sent = body(step(TemplateFactory()), nobodys, channelMode="cascade")
        answer = api("manager", "post", LIST, sent)
        assert list(answer.json()["error"]["fields"]) == ["steps.1.templateId"]

    def test_a_patch_to_one_channel_leaves_no_others(self, chain, api):
        campaign = make_campaign(
            chain.manager,
            channel_mode="cascade",
            further_steps=further(TemplateFactory(sms=True)),
        )
        answer = api("manager", "patch", f"{LIST}/{campaign.pk}", {"channelMode": "single"})
        assert answer.json()["data"]["campaign"]["steps"] == [step(campaign.template)]


class TestApproval:
    def test_the_channels_are_part_of_what_was_approved(self, chain):
        campaign = cascading(chain)
        before = plan.fingerprint(campaign)
        campaign.further_steps[0]["afterMinutes"] = 31
        after_wait = plan.fingerprint(campaign)
        campaign.channel_mode = "all"
        assert len({before, after_wait, plan.fingerprint(campaign)}) == 3

    def test_editing_them_voids_it(self, chain):
        campaign = services.update_campaign(
            actor=chain.actor(chain.manager),
            campaign=cascading(chain),
            values={"further_steps": further(TemplateFactory(sms=True))},
        )
        assert (campaign.status, campaign.approved_hash) == ("draft", "")

    def test_a_copy_has_the_same_channels(self, chain):
        campaign = cascading(chain)
        copy = services.copy_campaign(actor=chain.actor(chain.manager), campaign=campaign)
        assert (copy.channel_mode, copy.steps) == ("cascade", campaign.steps)

    def test_a_message_of_a_further_step_is_in_use(self, chain):
        campaign = cascading(chain)
        (sms, _email) = plan.channel_steps(campaign)[1:]
        assert [use.name for use in users_of(sms.template)] == [campaign.name]


def wizard(campaign):
    return reverse("campaign-edit", args=[campaign.pk, "message"])


class TestWizard:
    def post(self, login, campaign, **data):
        return login("manager").post(
            wizard(campaign), {"template": campaign.template_id, "version": campaign.version} | data
        )

    def test_a_second_and_a_third_channel_are_added_without_scripts(self, chain, login):
        campaign = make_campaign(chain.manager)
        sms, email = TemplateFactory(sms=True), TemplateFactory(email=True)
        answer = self.post(
            login, campaign, second=sms.pk, second_minutes=20, third=email.pk, third_minutes=90,
            how="cascade",
        )  # fmt: skip
        assert answer.status_code == 302
        campaign.refresh_from_db()
        assert campaign.channel_mode == "cascade"
        assert campaign.further_steps == [step(sms, 20), step(email, 90)]
        shown = login("manager").get(wizard(campaign)).content.decode()
        assert 'value="90"' in shown
        assert "<details" in shown

    def test_leaving_the_second_empty_means_one_channel(self, chain, login):
        campaign = make_campaign(chain.manager)
        assert self.post(login, campaign, how="cascade", second="").status_code == 302
        campaign.refresh_from_db()
        assert (campaign.channel_mode, campaign.further_steps) == ("single", [])

    def test_all_at_once_needs_no_minutes(self, chain, login):
        campaign = make_campaign(chain.manager)
        sms = TemplateFactory(sms=True)
        assert self.post(login, campaign, how="all", second=sms.pk).status_code == 302
        campaign.refresh_from_db()
        assert (campaign.channel_mode, campaign.further_steps) == ("all", [step(sms)])

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"second_minutes": 20}, "Say when the further channels are used"),
            ({"how": "cascade", "second_minutes": ""}, "Say how many minutes"),
            ({"how": "cascade", "second_minutes": 0}, "At least 1, please."),
        ],
    )
    def test_it_shows_what_to_mend(self, chain, login, data, words):
        campaign = make_campaign(chain.manager)
        answer = self.post(login, campaign, second=TemplateFactory(sms=True).pk, **data)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        campaign.refresh_from_db()
        assert campaign.channel_mode == "single"

    def test_one_channel_twice_is_refused_at_the_third(self, chain, login):
        campaign = make_campaign(chain.manager)
        one, two = TemplateFactory(sms=True), TemplateFactory(sms=True)
        answer = self.post(
            login, campaign, how="cascade", second=one.pk, third=two.pk,
            second_minutes=5, third_minutes=5,
        )  # fmt: skip
        assert answer.status_code == 422
        assert "Each channel can be used once" in answer.content.decode()

    def test_changing_the_first_channel_lets_the_others_go(self, chain, login):
        campaign = make_campaign(
            chain.manager, channel_mode="all", further_steps=further(TemplateFactory(sms=True))
        )
        login("manager").post(
            reverse("campaign-edit", args=[campaign.pk, "details"]),
            {"name": campaign.name, "channel": "sms", "version": campaign.version},
        )
        campaign.refresh_from_db()
        assert (campaign.channel, campaign.steps[1:]) == ("sms", [])

    def test_the_phones_show_every_channel(self, chain, login):
        campaign = make_campaign(chain.manager)
        url = reverse("campaign-preview", args=[campaign.pk])
        sms = TemplateFactory(sms=True, contents={"en": {"body": "Short words"}})
        chosen = {"template": campaign.template_id, "second": sms.pk, "how": "all"}
        shown = login("manager").get(url, chosen).content.decode()
        assert "Short words" in shown
        assert "we have missed you" in shown


class TestSending:
    @pytest.fixture
    def campaign(self, chain, tasks):
        campaign = cascading(chain)
        services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
        runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
        return campaign

    def test_the_run_has_the_mode_and_every_step(self, campaign):
        run = SendRun.objects.get()
        assert run.mode == "cascade"
        assert [s["channel"] for s in run.steps] == ["whatsapp", "sms", "email"]
        assert [s["afterMinutes"] for s in run.steps] == [0, 30, 30]

    def test_the_live_page_shows_each_channel_and_what_went_on(self, chain, login, campaign):
        for message in Message.objects.filter(state="queued")[:2]:
            Message.objects.filter(pk=message.pk).update(state="failed", error_code="131026")
            move_counters([Move(message.batch_id, "queued", "failed", 1, new_code="131026")])
        sweep_fallbacks()
        assert DispatchBatch.objects.get(step=0).handed_on == 2
        client: Client = login("manager")
        page = client.get(reverse("campaign-live", args=[campaign.pk])).content.decode()
        assert "Attempts by channel" in page
        assert "Went on to the next" in page
        assert 'data-audience="3"' in page

    def test_a_test_over_the_api_goes_by_every_channel(self, api, colleague, campaign):
        body = {"phone": "9820012345", "email": "asha@example.com"}
        answer = api("manager", "post", f"{LIST}/{campaign.pk}/test", body)
        assert answer.status_code == 202
        sent = answer.json()["data"]
        assert [one["channel"] for one in sent["messages"]] == ["whatsapp", "sms", "email"]
        assert sent["messageId"] == sent["messages"][0]["messageId"]

    def test_review_and_approval_name_each_step(self, chain, login):
        campaign = make_campaign(
            chain.manager,
            name="Three ways",
            channel_mode="cascade",
            further_steps=further(TemplateFactory(sms=True, name="Short words"), minutes=45),
        )
        review = reverse("campaign-edit", args=[campaign.pk, "review"])
        assert "45 minutes" in login("manager").get(review).content.decode()
        services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
        for url in (reverse("approval-inbox"), reverse("campaign-detail", args=[campaign.pk])):
            page = login("regional").get(url).content.decode()
            assert "Short words" in page
            assert "45 minutes" in page
