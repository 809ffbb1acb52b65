"""Who got a campaign, each person once, with what was tried for her."""

from base64 import b64encode
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer
from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.services import runs
from marketing.core import clock
from marketing.delivery.models import Message, MessageState, SendRun
from marketing.delivery.selectors import (
    recipients_among,
    recipients_called,
    recipients_page,
    run_progress,
)
from marketing.delivery.services import sweep_fallbacks
from marketing.delivery.services.runs import pause_run, resume_run
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
    people = recipients_page(run, size=100)
    assert len({message.customer_id for message in people}) == len(people) == run.audience
    states = run_progress(run).states
    for state in MessageState.values:
        listed = recipients_page(run, states=[state], size=100)
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
    (failed,) = recipients_page(run, states=["failed"], size=100)
    Message.objects.filter(pk=failed.pk).update(fallback_id="0199aaaa-0000-7000-8000-000000000000")
    assert [m.pk for m in recipients_page(run, states=["failed"], size=100)] == [failed.pk]
    assert len(recipients_page(run, size=100)) == PEOPLE


def test_pages_of_a_cascade_follow_each_other(cascade):
    _campaign, run = cascade
    for states, newest_first in product(([], ["queued"], ["queued", "failed"]), (False, True)):
        seen, bound = [], "before" if newest_first else "after"
        at = None
        while page := recipients_page(
            run, states=states, newest_first=newest_first, size=2, **{bound: at}
        ):
            seen += page
            at = page[-1].pk
        keys = [message.pk for message in seen]
        assert keys == sorted(keys, reverse=newest_first)
        assert len({message.customer_id for message in seen}) == len(seen)
        assert len(seen) == (5 if states == ["queued"] else PEOPLE)


def test_pages_over_the_api_go_forth_and_back(cascade, api):
    campaign, _run = cascade
    here = f"/api/v1/campaigns/{campaign.pk}/recipients"
    for ordering in ("id", "-id"):
        listed = api("manager", "get", f"{here}?ordering={ordering}").json()["data"]
        whole = [each["id"] for each in listed]
        asked, cursor, pages = f"{here}?ordering={ordering}&limit=2", "", []
        while cursor is not None:
            answer = api("manager", "get", f"{asked}&cursor={cursor}").json()
            pages.append(answer)
            cursor = answer["page"]["next"]
        assert [each["id"] for page in pages for each in page["data"]] == whole
        assert whole == sorted(whole, reverse=ordering == "-id")
        back = api("manager", "get", f"{asked}&cursor={pages[-1]['page']['prev']}").json()
        assert back["data"] == pages[-2]["data"]


def test_reasons_that_no_counter_keeps_are_found_too(cascade):
    _campaign, run = cascade
    (*_others, last) = recipients_page(run, states=["queued"], size=100)
    for reason in ("complained", "pair_rate", "portfolio_limit"):
        Message.objects.filter(pk=last.pk).update(reason=reason)
        for states in ([], ["queued"]):
            found = recipients_page(run, states=states, reason=reason, size=2)
            assert [m.pk for m in found] == [last.pk], reason
        assert recipients_page(run, states=["failed"], reason=reason, size=2) == []


def test_a_wrong_filter_is_named(cascade, api):
    campaign, _run = cascade
    for query, field in (("state=nonsense", "state"), ("ordering=name", "ordering")):
        answer = api("manager", "get", f"/api/v1/campaigns/{campaign.pk}/recipients?{query}")
        assert answer.status_code == 400
        assert list(answer.json()["error"]["fields"]) == [field]


def test_a_cursor_of_somewhere_else_is_refused(cascade, api):
    campaign, _run = cascade
    cursor = b64encode(b"p=yesterday").decode()
    here = f"/api/v1/campaigns/{campaign.pk}/recipients?cursor={cursor}"
    assert api("manager", "get", here).status_code == 404


class TestHeldForTheAccount:
    """While the account is paused, what a run has left is held, on every page."""

    @pytest.fixture
    def paused(self, cascade):
        campaign, run = cascade
        pause_run(run=run, reason="account_paused", detail="Sandbox: unauthorised")
        run.refresh_from_db()
        return campaign, run

    def test_states_add_up(self, paused):
        _campaign, run = paused
        states = run_progress(run).states
        assert (states["queued"], states["held"], states["failed"]) == (0, 5, 1)
        assert sum(states.values()) == run.audience
        for state, people in (("queued", 0), ("held", 5), ("failed", 1)):
            assert len(recipients_page(run, states=[state], size=100)) == people, state

    def test_each_says_for_what(self, paused):
        _campaign, run = paused
        held = recipients_page(run, reason="account_paused", size=100)
        assert {(m.state, m.reason) for m in held} == {("held", "account_paused")}
        assert len(held) == 5
        among = recipients_among(run, [m.customer_id for m in held], states=["held"])
        assert [m.pk for m in among] == [m.pk for m in held]
        assert recipients_page(run, states=["held"], reason="outside_window", size=100) == []

    def test_over_the_api(self, paused, api):
        campaign, _run = paused
        here = f"/api/v1/campaigns/{campaign.pk}"
        people = api("manager", "get", f"{here}/recipients?state=held").json()["data"]
        assert {(p["state"], p["status"], p["reason"]) for p in people} == {
            ("held", "pending", "account_paused")
        }
        assert api("manager", "get", f"{here}/recipients?state=queued").json()["data"] == []
        assert api("manager", "get", here).json()["data"]["campaign"]["states"]["held"] == 5

    def test_on_the_page(self, paused, login):
        campaign, _run = paused
        page = login("manager").get(
            reverse("campaign-detail", args=[campaign.pk]), {"state": "held"}
        )
        assert page.content.decode().count("Waiting for the provider account") >= 5

    def test_after_it_they_wait_as_before(self, paused):
        _campaign, run = paused
        resume_run(run=run)
        run.refresh_from_db()
        assert run_progress(run).states["queued"] == 5
        assert recipients_page(run, states=["held"], size=100) == []


def asked_of(run):
    return [
        {"states": states, "reason": reason}
        for states in ([], ["failed"], ["held"], ["queued"], ["held", "failed"])
        for reason in ("", "account_paused", "weekly_cap", "duplicate_address")
    ]


@pytest.mark.parametrize("mode", ["cascade", "everywhere"])
def test_searching_along_the_run_finds_whom_looking_them_up_finds(mode, request):
    _campaign, run = request.getfixturevalue(mode)
    people = Customer.objects.all()
    everybody = list(people.values_list("pk", flat=True))
    for is_paused in (False, True):
        if is_paused:
            pause_run(run=run, reason="account_paused")
            run.refresh_from_db()
        found = 0
        for asked in asked_of(run):
            along = recipients_called(run, people, size=100, **asked)
            among = recipients_among(run, everybody, **asked)
            assert [(m.pk, m.state, m.reason) for m in along] == [
                (m.pk, m.state, m.reason) for m in among
            ]
            found += len(along)
        assert found > PEOPLE
        first, *rest = recipients_called(run, people, size=100)
        assert recipients_called(run, people, after=first.pk, size=2) == rest[:2]
        assert recipients_called(run, people.none(), size=2) == []


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
    (failed,) = recipients_page(run, states=["failed"], size=2)
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
    (first,) = recipients_page(_run, size=1)
    one = first.customer.name
    assert queries_of(page) <= queries_of(f"{page}?q={one}") + 2 <= 32
