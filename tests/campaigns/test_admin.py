"""The admin edits campaigns through the service."""

import pytest
from django.urls import reverse

from marketing.campaigns.models import Campaign
from tests.factories.campaigns import approved, make_ground


@pytest.fixture
def ready(chain):
    make_ground(chain.north)
    return approved(chain.manager, chain.regional)


def posted(campaign, **changes):
    return {
        "name": campaign.name,
        "description": campaign.description,
        "campaign_type": campaign.campaign_type,
        "channel": campaign.channel,
        "template": str(campaign.template_id),
        "segment": str(campaign.segment_id),
        "exclude_segment_ids": "",
        "branch_ids": ",".join(map(str, campaign.branch_ids)),
        "scheduled_at_0": "",
        "scheduled_at_1": "",
        "recurrence_rule": "",
    } | changes


def test_an_edit_in_the_admin_voids_the_approval(login, ready):
    url = reverse("admin:campaigns_campaign_change", args=[ready.pk])
    client = login("owner")
    assert client.get(url).status_code == 200
    client.post(url, posted(ready))
    assert Campaign.objects.get().status == "approved"
    answer = client.post(url, posted(ready, name="Renamed"))
    assert answer.status_code == 302
    after = Campaign.objects.get()
    assert (after.name, after.status, after.approved_hash) == ("Renamed", "draft", "")


def test_the_admin_shows_a_refusal(login, ready):
    url = reverse("admin:campaigns_campaign_change", args=[ready.pk])
    answer = login("owner").post(url, posted(ready, campaign_type="trigger"), follow=True)
    assert "one_time, recurring" in answer.content.decode()
    assert Campaign.objects.get().status == "approved"


def test_only_super_owners_come_in(login, ready):
    url = reverse("admin:campaigns_campaign_change", args=[ready.pk])
    assert login("regional").post(url, posted(ready, name="x")).status_code in (302, 403)
    assert Campaign.objects.get().name == ready.name
