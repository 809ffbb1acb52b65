"""Two managers editing one campaign: what each is shown, and that nobody's words are lost."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.core.errors import Conflict
from marketing.core.tenancy import tenant_scope
from tests.campaigns.test_pages import page, text_of
from tests.concurrency import PATIENCE
from tests.factories.campaigns import approved, everybody, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.core import make_chain

URL = "/api/v1/campaigns/{}"


@pytest.fixture
def ground(chain):
    make_ground(chain.north, people=3)


def by_regional(chain, campaign, **values):
    return services.update_campaign(
        actor=chain.actor(chain.regional), campaign=campaign, values=values
    )


def details(campaign, **values):
    """The first step as the form sends it."""
    return {
        "name": campaign.name,
        "description": campaign.description,
        "channel": campaign.channel,
        "branches": [str(pk) for pk in campaign.branch_ids],
        "version": campaign.version,
    } | values


def test_the_step_shows_theirs_and_yours_and_saves_either(chain, login, ground):
    campaign = make_campaign(chain.manager)
    by_regional(chain, campaign, name="Diwali sparkle", description="For the whole region")
    client, url = login("manager"), page(campaign, "campaign-edit", "details")
    mine = details(campaign, name="Diwali shine")
    answer = client.post(url, mine)
    shown = text_of(answer)
    assert answer.status_code == 422
    assert f"{chain.regional.name} changed this campaign" in shown
    assert "Name Diwali sparkle Diwali shine" in shown
    assert "For the whole region –" in shown
    assert 'value="Diwali shine"' in answer.content.decode()
    assert Campaign.objects.get().name == "Diwali sparkle"

    # Pressing Continue once more decides nothing.
    assert client.post(url, mine).status_code == 422
    assert 'value="Diwali sparkle"' in client.get(url).content.decode()
    assert client.post(url, mine | {"over": campaign.version + 1}).status_code == 302
    after = Campaign.objects.get()
    assert (after.name, after.description) == ("Diwali shine", "")


def test_keeping_mine_is_of_the_version_that_was_shown(chain, login, ground):
    campaign = make_campaign(chain.manager)
    by_regional(chain, campaign, name="Second")
    by_regional(chain, campaign, name="Third")
    url = page(campaign, "campaign-edit", "details")
    mine = details(campaign, name="Mine", over=campaign.version + 1)
    answer = login("manager").post(url, mine)
    assert answer.status_code == 422
    assert "Name Third Mine" in text_of(answer)
    assert Campaign.objects.get().name == "Third"
    for over in ("", "x", "9" * 40, "-1"):
        assert login("manager").post(url, mine | {"over": over}).status_code == 422


def test_what_changed_in_another_step_stays_theirs(chain, login, ground):
    campaign = make_campaign(chain.manager)
    regulars = everybody(name="Regulars")
    when = dt.datetime(2031, 10, 20, 5, 30, tzinfo=dt.UTC)
    by_regional(chain, campaign, segment_id=regulars.pk, scheduled_at=when)
    url = page(campaign, "campaign-edit", "details")
    mine = details(campaign, name="Mine")
    shown = text_of(login("manager").post(url, mine))
    assert "Segment Regulars" in shown
    assert "20 Oct 2031, 11:00 a.m. –" in shown
    login("manager").post(url, mine | {"over": campaign.version + 1})
    after = Campaign.objects.get()
    assert (after.name, after.segment_id, after.scheduled_at) == ("Mine", regulars.pk, when)


def test_a_decision_in_between_is_told_too(chain, login, ground):
    campaign = submitted(chain.manager)
    seen = campaign.version
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    answer = login("manager").post(
        page(campaign, "campaign-edit", "details"), details(campaign, version=seen)
    )
    assert answer.status_code == 422
    shown = text_of(answer)
    assert "Approved a campaign" in shown
    assert "The campaign is now: Approved." in shown
    assert Campaign.objects.get().status == "approved"


def test_the_api_carries_the_difference(chain, api, ground):
    campaign = make_campaign(chain.manager)
    saw = campaign.version
    by_regional(chain, campaign, name="Theirs", description="Agreed")
    by_regional(chain, campaign, description="Agreed twice")
    body = {"name": "Mine", "description": "Agreed twice", "version": saw}
    answer = api("manager", "patch", URL.format(campaign.pk), body)
    assert answer.status_code == 409
    found = answer.json()["error"]["details"]
    assert found["current"] == saw + 2
    assert found["changed"] == {"name": ["Theirs", "Mine"]}
    assert (found["by"], found["act"]) == (chain.regional.name, "campaign.edit")
    assert found["status"] == "draft"
    assert dt.datetime.fromisoformat(found["at"])


def test_the_api_tells_what_the_caller_did_not_mean_to_change(chain, api, ground):
    campaign = make_campaign(chain.manager)
    regulars = everybody(name="Regulars")
    by_regional(chain, campaign, segment_id=regulars.pk)
    header = {"If-Match": f'"{campaign.version}"'}
    answer = api("manager", "patch", URL.format(campaign.pk), {"name": "Mine"}, **header)
    changed = answer.json()["error"]["details"]["changed"]
    assert changed == {"segmentId": [str(regulars.pk), str(campaign.segment_id)]}
    assert Campaign.objects.get().name == campaign.name


def test_a_channel_that_was_added_is_told(chain, api, login, ground):
    campaign = make_campaign(chain.manager)
    sms = TemplateFactory(sms=True)
    step = {"channel": "sms", "templateId": str(sms.pk), "afterMinutes": 30}
    by_regional(chain, campaign, channel_mode="cascade", further_steps=[step])
    body = {"name": "Mine", "version": campaign.version}
    answer = api("manager", "patch", URL.format(campaign.pk), body)
    changed = answer.json()["error"]["details"]["changed"]
    assert changed == {"channelMode": ["cascade", "single"], "furtherSteps": [[step], []]}
    url = page(campaign, "campaign-edit", "details")
    shown = text_of(login("manager").post(url, details(campaign, name="Mine")))
    assert "Further channels Channel sms" in shown


def test_what_was_edited_before_is_no_difference(chain, api, ground):
    campaign = make_campaign(chain.manager)
    by_regional(chain, campaign, description="Long ago")
    seen = by_regional(chain, campaign, description="Seen").version
    by_regional(chain, campaign, name="Since")
    body = {"description": "Mine", "version": seen}
    answer = api("manager", "patch", URL.format(campaign.pk), body)
    assert answer.json()["error"]["details"]["changed"] == {"name": ["Since", "Diwali glow"]}


def test_a_wish_that_cannot_be_is_a_conflict_all_the_same(chain, api, ground):
    campaign = make_campaign(chain.manager)
    by_regional(chain, campaign, name="Theirs")
    body = {"segmentId": "0199aaaa-0000-7000-8000-000000000000", "version": campaign.version}
    answer = api("manager", "patch", URL.format(campaign.pk), body)
    assert answer.status_code == 409
    assert "segmentId" not in answer.json()["error"]["details"]["changed"]


def test_other_branches_and_chains_learn_nothing(chain, other_chain, api, login, ground):
    campaign = make_campaign(chain.owner, branch_ids=[chain.south.pk])
    version = campaign.version
    by_owner = {"name": "Secret"}
    services.update_campaign(
        actor=chain.actor(chain.owner), campaign=campaign, values=by_owner, version=version
    )
    stale = {"name": "Mine", "version": version}
    refused = api("manager", "patch", URL.format(campaign.pk), stale)
    assert refused.status_code == 404
    assert "Secret" not in refused.content.decode()
    url = reverse("campaign-edit", args=[campaign.pk, "details"])
    assert login("manager").post(url, details(campaign, version=version)).status_code == 404
    with tenant_scope(other_chain.tenant.pk):
        make_ground(other_chain.north)
        theirs = make_campaign(other_chain.manager)
    assert api("owner", "patch", URL.format(theirs.pk), stale).status_code == 404


def test_an_approved_one_is_not_voided_by_a_stale_edit(chain, api, ground):
    campaign = approved(chain.manager, chain.regional)
    body = {"name": "Mine", "version": campaign.version - 1}
    assert api("manager", "patch", URL.format(campaign.pk), body).status_code == 409
    assert Campaign.objects.get().status == "approved"


def test_of_two_who_save_at_once_one_is_told(transactional_db, tasks):
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_ground(chain.north)
        campaign = make_campaign(chain.manager)
    looked = threading.Barrier(2, timeout=PATIENCE)

    def save(who):
        from django.db import connection

        try:
            with tenant_scope(chain.tenant.pk):
                mine = Campaign.objects.get(pk=campaign.pk)
                looked.wait()
                services.update_campaign(
                    actor=chain.actor(who),
                    campaign=mine,
                    values={"name": who.name},
                    version=mine.version,
                )
                return None
        except Conflict as error:
            return error.details
        finally:
            connection.close()

    people = [chain.manager, chain.regional]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(save, people))
    (loser,) = [number for number, answer in enumerate(answers) if answer]
    winner = people[1 - loser].name
    assert answers[loser]["changed"] == {"name": [winner, people[loser].name]}
    assert answers[loser]["by"] == winner
    with tenant_scope(chain.tenant.pk):
        after = Campaign.objects.get()
        assert (after.name, after.version) == (winner, campaign.version + 1)
