"""Why a customer did, or did not, get a campaign."""

import re

from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.services import runs
from tests.factories.campaigns import approved, make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory


def why(client, campaign, customer):
    answer = client.get(reverse("campaign-person", args=[campaign.pk, customer.pk]))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_why_she_did_not_get_it(chain, login):
    make_ground(chain.north, people=3)
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    stranger = CustomerFactory(home_branch=chain.north, first_name="Zubaida", consent=False)
    client = login("manager")
    found = client.get(reverse("campaign-detail", args=[campaign.pk]), {"q": "Zubaida"})
    assert reverse("campaign-person", args=[campaign.pk, stranger.pk]) in found.content.decode()
    shown = why(client, campaign, stranger)
    assert "not in the audience when it was put together" in shown
    assert "Has not agreed to this channel" in shown
    assert "Nothing stands in the way" not in shown
    fine = CustomerFactory(home_branch=chain.north, first_name="Meher")
    assert "Nothing stands in the way" in why(client, campaign, fine)


def test_each_channel_of_a_cascade_is_judged(chain, login):
    make_ground(chain.north, people=1)
    sms = TemplateFactory(sms=True)
    campaign = make_campaign(
        chain.manager,
        channel_mode="cascade",
        further_steps=[{"channel": "sms", "templateId": str(sms.pk), "afterMinutes": 30}],
    )
    no_texts = CustomerFactory(home_branch=chain.north, consent={"sms_promotional": False})
    shown = why(login("manager"), campaign, no_texts)
    assert "WhatsApp: Nothing stands in the way" in shown
    assert "SMS: Has not agreed to this channel" in shown
