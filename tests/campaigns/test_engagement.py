"""Clicks and openings on a campaign's page and in its analytics."""

import pytest

from marketing.campaigns.models import Campaign, CampaignRun
from marketing.core import clock
from marketing.delivery.models import LinkCount, SendRun, TrackedLink
from tests.factories.campaigns import make_campaign, make_ground

LINK = "https://kesar.example/book"


def followed(campaign, **counts):
    """A run of the campaign whose one link was followed so often."""
    run = SendRun.objects.create(
        kind="campaign", purpose="promotional", steps=[], campaign_id=campaign.pk
    )
    number = CampaignRun.objects.filter(campaign=campaign).count() + 1
    CampaignRun.objects.create(campaign=campaign, number=number, send_run=run, due_at=clock.now())
    version = campaign.template.versions.get()
    link, _ = TrackedLink.objects.get_or_create(
        tenant_id=run.tenant_id,
        version_id=version.pk,
        source=LINK,
        defaults={"channel": "email", "content": "x 1"},
    )
    LinkCount.objects.create(run_id=run.pk, link_id=link.pk, kind="click", **counts)
    picture, _ = TrackedLink.objects.get_or_create(
        tenant_id=run.tenant_id, version_id=version.pk, source="", defaults={"channel": "email"}
    )
    LinkCount.objects.create(
        run_id=run.pk,
        link_id=picture.pk,
        kind="open",
        times=9,
        people=6,
        first_people=6,
        machine_times=40,
    )
    return run


@pytest.fixture
def campaign(chain):
    make_ground(chain.north)
    made = make_campaign(chain.manager, channel="email")
    followed(made, times=7, people=4, first_people=3, machine_times=2)
    followed(made, times=1, people=1, first_people=1)
    return made


def test_the_api_tells_people_from_machines(campaign, api):
    found = api("manager", "get", f"/api/v1/campaigns/{campaign.pk}/analytics").json()["data"]
    assert found["engagement"] == {
        "clicks": 8,
        "clickedCount": 4,
        "machineClicks": 2,
        "opens": 18,
        "openedCount": 12,
        "machineOpens": 80,
        "links": [{"address": LINK, "clicks": 8, "people": 5, "machineClicks": 2}],
    }


def test_the_page_shows_each_link(campaign, login):
    browser = login("receptionist")
    for address in (f"/campaigns/{campaign.pk}", f"/campaigns/{campaign.pk}/engagement"):
        page = browser.get(address).content.decode()
        assert LINK in page
        assert "<b>4</b> people clicked, 8 times" in page


def test_the_page_asks_again_while_it_is_sent(campaign, login):
    asks = f'hx-get="/campaigns/{campaign.pk}/engagement" hx-trigger="every 15s"'
    browser = login("receptionist")
    assert asks not in browser.get(f"/campaigns/{campaign.pk}").content.decode()
    Campaign.objects.filter(pk=campaign.pk).update(status="sending")
    assert asks in browser.get(f"/campaigns/{campaign.pk}").content.decode()


def test_nothing_is_shown_of_nothing(chain, login):
    make_ground(chain.north)
    made = make_campaign(chain.manager)
    address = f"/campaigns/{made.pk}/engagement"
    answer = login("manager").get(address, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert b"card" not in answer.content


def test_another_branchs_campaign_is_not_found(chain, login):
    make_ground(chain.north)
    made = make_campaign(chain.owner, branch_ids=[chain.south.pk])
    assert login("manager").get(f"/campaigns/{made.pk}/engagement").status_code == 404


def test_as_many_queries_for_many_links_as_for_one(campaign, login, django_assert_max_num_queries):
    run = SendRun.objects.first()
    version = campaign.template.versions.get()
    for number in range(20):
        link = TrackedLink.objects.create(
            tenant_id=run.tenant_id,
            version_id=version.pk,
            source=f"{LINK}/{number}",
            channel="email",
            content="x",
        )
        LinkCount.objects.create(run_id=run.pk, link_id=link.pk, kind="click", times=1)
    browser = login("manager")
    with django_assert_max_num_queries(14):
        answer = browser.get(f"/campaigns/{campaign.pk}/engagement")
    assert answer.content.decode().count(LINK) == 21
