"""Who got a campaign, each person once, with what was tried for her."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.services import runs
from marketing.core import clock
from marketing.delivery.models import Message, MessageState, SendRun
from marketing.delivery.selectors import recipients, recipients_page, run_progress
from marketing.delivery.services import sweep_fallbacks
from tests.factories.campaigns import approved, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.delivery import become, move_to_noon

PEOPLE = 6


@pytest.fixture(autouse=True)
def ground(chain, tasks):
    make_ground(chain.north, people=PEOPLE)
    move_to_noon()


def sent(chain, mode):
    """A campaign on WhatsApp and SMS, frozen; its run."""
    sms = TemplateFactory(sms=True)
    campaign = approved(
        chain.manager,
        chain.regional,
        channel_mode=mode,
        further_steps=[{"channel": "sms", "templateId": str(sms.pk), "afterMinutes": 30}],
    )
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    run = CampaignRun.objects.get(campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    return campaign, SendRun.objects.get(pk=run.send_run_id)


def first_tries(run):
    return list(Message.objects.filter(run=run, step=0).order_by("pk"))


@pytest.fixture
def cascade(chain):
    """Two failed on WhatsApp: SMS took over, and failed for one of them, too."""
    campaign, run = sent(chain, "cascade")
    for message in first_tries(run)[:2]:
        become(message, "failed", "131026", "fail_recipient")
    sweep_fallbacks()
    second = Message.objects.filter(run=run, step=1).order_by("pk").first()
    become(second, "failed", "202", "fail_recipient")
    run.refresh_from_db()
    return campaign, run


@pytest.fixture
def everywhere(chain):
    """One failed on SMS, another on WhatsApp."""
    campaign, run = sent(chain, "all")
    become(Message.objects.filter(run=run, step=1).first(), "failed", "202", "fail_recipient")
    become(first_tries(run)[3], "failed", "131026", "fail_recipient")
    run.refresh_from_db()
    return campaign, run


@pytest.mark.parametrize("mode", ["cascade", "everywhere"])
def test_each_person_stands_once_in_the_state_that_counts(mode, request):
    _campaign, run = request.getfixturevalue(mode)
    assert Message.objects.filter(run=run).count() > PEOPLE
    people = list(recipients(run))
    assert len({message.customer_id for message in people}) == len(people) == run.audience
    states = run_progress(run).states
    for state in MessageState.values:
        listed = recipients_page(run, state=state, size=100)
        assert len(listed) == states[state] == sum(m.state == state for m in people), state


def test_a_cascade_tells_every_attempt_in_its_order(cascade):
    _campaign, run = cascade
    tried = [
        [(a.channel, a.state) for a in message.attempts]
        for message in recipients_page(run, size=100)
    ]
    assert sorted(tried) == sorted(
        [
            *[[("whatsapp", "queued")]] * 4,
            [("whatsapp", "failed"), ("sms", "queued")],
            [("whatsapp", "failed"), ("sms", "failed")],
        ]
    )


def test_what_a_retry_took_over_still_counts_in_its_run(chain, cascade):
    _campaign, run = cascade
    (failed,) = recipients_page(run, state="failed", size=100)
    Message.objects.filter(pk=failed.pk).update(fallback_id="0199aaaa-0000-7000-8000-000000000000")
    assert [m.pk for m in recipients_page(run, state="failed", size=100)] == [failed.pk]
    assert recipients(run).count() == PEOPLE


@pytest.mark.parametrize("state", ["", "queued"])
def test_pages_of_a_cascade_follow_each_other(cascade, state):
    _campaign, run = cascade
    seen, after = [], None
    while page := recipients_page(run, state=state, after=after, size=2):
        seen += [message.customer_id for message in page]
        after = page[-1].pk
    assert len(seen) == len(set(seen)) == (5 if state else PEOPLE)


def test_over_the_api(cascade, api):
    campaign, _run = cascade
    here = f"/api/v1/campaigns/{campaign.pk}/recipients"
    people = api("manager", "get", here).json()["data"]
    assert len(people) == PEOPLE
    (failed,) = api("manager", "get", f"{here}?state=failed").json()["data"]
    assert (failed["channel"], failed["state"]) == ("sms", "failed")
    assert [(a["channel"], a["state"], a["failureCode"]) for a in failed["attempts"]] == [
        ("whatsapp", "failed", "131026"),
        ("sms", "failed", "202"),
    ]


def test_only_what_came_after_the_first_try_is_a_retry(cascade, api):
    campaign, _run = cascade
    here = f"/api/v1/campaigns/{campaign.pk}/recipients?state=failed"
    at = clock.now()
    for tries, retries in ((0, 0), (1, 0), (3, 2)):
        Message.objects.update(tries=tries, sending_at=at)
        (failed,) = api("manager", "get", here).json()["data"]
        assert failed["retryCount"] == retries
        assert (failed["lastRetryAt"] is not None) == (retries > 0)


def test_on_the_page_and_on_the_persons_own(cascade, login):
    campaign, run = cascade
    client = login("manager")
    url = reverse("campaign-detail", args=[campaign.pk])
    (failed,) = recipients_page(run, state="failed", size=2)
    page = client.get(f"{url}?state=failed").content.decode()
    assert page.count(reverse("campaign-person", args=[campaign.pk, failed.customer_id])) == 1
    assert page.count("attempt-list") == 1
    person = client.get(
        reverse("campaign-person", args=[campaign.pk, failed.customer_id])
    ).content.decode()
    assert person.count("attempt-list") == 1


@pytest.mark.parametrize("mode", ["cascade", "everywhere"])
def test_as_many_queries_for_many_people_as_for_one(mode, request, login):
    campaign, _run = request.getfixturevalue(mode)
    client = login("manager")

    def queries_of(path):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    people = f"/api/v1/campaigns/{campaign.pk}/recipients"
    assert queries_of(f"{people}?limit=1") == queries_of(people) <= 20
    page = reverse("campaign-detail", args=[campaign.pk])
    one = recipients(_run).first().customer.name
    assert queries_of(page) <= queries_of(f"{page}?q={one}") + 2 <= 32
