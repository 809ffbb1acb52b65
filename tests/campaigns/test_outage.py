"""A vendor that is really down: page and API say at once that the campaign waits, and why.

When the vendor is back the campaign goes on by itself, and nobody gets it twice.
"""

import datetime as dt
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.content.models import TemplateVersion
from marketing.core.events import deliver_due
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.services import finish_done_runs
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount
from tests.concurrency import wait_for_me
from tests.delivery.conftest import accepted, refused
from tests.factories.campaigns import approved, make_ground
from tests.factories.customers import CustomerFactory
from tests.factories.policy import make_account

PEOPLE = 5
SENTENCE = "Nothing can be sent by this account just now"
PROSPECTS = "It goes on by itself once the account works again"


class Working:
    """The vendor's answer when it works, and which messages of ours it took."""

    def __init__(self) -> None:
        self.took: Counter[str] = Counter()

    def __call__(self, body):
        self.took[body["biz_opaque_callback_data"]] += 1
        return accepted(body)


@pytest.fixture
def working():
    return Working()


@pytest.fixture
def chain(live_chain, vendor, working, settings, tasks, monkeypatch):
    """People whom two campaigns may write to at once, and accounts at `vendor`.

    A worker gives the vendor up after three failures.
    """
    settings.SANDBOX_URL = vendor.url
    vendor.answer = working
    monkeypatch.setattr("marketing.delivery.dispatch.account_sender.OUTAGE_FAILURES", 3)
    monkeypatch.setattr("marketing.delivery.dispatch.account_sender.OUTAGE_SECONDS", 0.0)
    monkeypatch.setattr("marketing.delivery.dispatch.marking.PAIR_PACE", dt.timedelta())
    with tenant_scope(live_chain.tenant.pk):
        make_ground(
            live_chain.north,
            people=PEOPLE,
            daily_message_limit_per_customer=50,
            weekly_message_limit_per_customer=50,
        )
    return live_chain


@pytest.fixture
def ready(chain):
    with tenant_scope(chain.tenant.pk):
        return approved(chain.manager, chain.regional)


def refuse_everything(vendor):
    vendor.answer = lambda body: (503, {}, {})


def stop_listening(vendor):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    ProviderAccount.objects.update(base_url=f"http://127.0.0.1:{port}")


def send(chain, campaign):
    with tenant_scope(chain.tenant.pk):
        services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    begin(chain)


def begin(chain):
    """What the tasks do that begin runs; a run that may not begin is left alone."""
    with tenant_scope(chain.tenant.pk):
        for pk in CampaignRun.objects.values_list("pk", flat=True):
            runs.start_run(campaign_run_id=pk)


def work(chain):
    """Workers send what is left, also to those who were put off, and close what is done."""
    with tenant_scope(chain.tenant.pk):
        Message.objects.update(not_before=None)
    DispatchBatch.objects.update(next_at=timezone.now())
    worker.run()
    with tenant_scope(chain.tenant.pk):
        finish_done_runs()
    deliver_due()


def break_down(chain, vendor):
    """Workers find the vendor down with another campaign, which is returned; its account stops."""
    with tenant_scope(chain.tenant.pk):
        other = approved(chain.manager, chain.regional, name="Found it down")
    refuse_everything(vendor)
    send(chain, other)
    work(chain)
    assert reason_of(chain)
    return other


@pytest.fixture
def stopped(chain, vendor, ready):
    """A campaign that found the vendor down, before the ready one was sent."""
    return break_down(chain, vendor)


def reason_of(chain):
    with tenant_scope(chain.tenant.pk):
        return ProviderAccount.objects.get(channel="whatsapp").circuit_reason


def mend(chain, vendor, working):
    """The vendor answers again, and its account's time to try again has come."""
    vendor.answer = working
    with tenant_scope(chain.tenant.pk):
        assert ProviderAccount.objects.get(channel="whatsapp").circuit_retry_at > timezone.now()
        ProviderAccount.objects.update(base_url=vendor.url)
        ProviderAccount.objects.exclude(circuit_reason="").update(circuit_retry_at=timezone.now())
        policy.close_due_circuits()
    deliver_due()


def address_of(campaign, do=""):
    return f"/api/v1/campaigns/{campaign.pk}{do and '/'}{do}"


def told(api, campaign):
    return api("manager", "get", address_of(campaign)).json()["data"]["campaign"]


def page_of(login, campaign):
    return login("manager").get(reverse("campaign-detail", args=[campaign.pk])).content.decode()


def require_said(chain, page, campaign):
    """That it stands still, why, and what becomes of it; `campaign` as the API shows it."""
    assert (campaign["status"], campaign["pauseReason"]) == ("paused", "account_paused")
    reason = reason_of(chain)
    assert reason.startswith("Meta WhatsApp Cloud API: ")
    for words in (SENTENCE, reason, PROSPECTS):
        assert words in page
        assert words in campaign["pauseMessage"]


def require_each_got_it_once(chain, working, login, api, *campaigns):
    for campaign in campaigns:
        now = told(api, campaign)
        assert (now["status"], now["pauseReason"], now["pauseMessage"]) == ("sent", "", "")
        assert (now["totalRecipients"], now["states"]["sent"]) == (PEOPLE, PEOPLE)
        assert SENTENCE not in page_of(login, campaign)
    with tenant_scope(chain.tenant.pk):
        written = list(Message.objects.values_list("pk", "run__campaign_id", "customer_id"))
    assert working.took == Counter(str(pk) for pk, _campaign, _customer in written)
    assert len({row[1:] for row in written}) == len(written) == PEOPLE * len(campaigns)


@pytest.mark.parametrize("go_down", [refuse_everything, stop_listening])
def test_a_vendor_that_goes_down_pauses_the_campaign_until_it_is_back(
    chain, vendor, working, login, api, ready, go_down
):
    send(chain, ready)
    with tenant_scope(chain.tenant.pk):
        go_down(vendor)
    work(chain)
    require_said(chain, page_of(login, ready), told(api, ready))
    assert not working.took
    mend(chain, vendor, working)
    work(chain)
    require_each_got_it_once(chain, working, login, api, ready)


def test_send_on_the_page_says_at_once_that_it_waits(
    chain, vendor, working, login, api, ready, stopped
):
    answer = login("manager").post(reverse("campaign-send", args=[ready.pk]), follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "It waits for its provider account" in page
    assert "On its way." not in page
    require_said(chain, page, told(api, ready))
    begin(chain)
    work(chain)
    require_said(chain, page_of(login, ready), told(api, ready))
    assert not working.took
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, ready, stopped)


def test_send_over_the_api_says_at_once_that_it_waits(
    chain, vendor, working, login, api, ready, stopped
):
    answer = api("manager", "post", address_of(ready, "send"))
    assert answer.status_code == 202
    data = answer.json()["data"]
    assert data["estimatedCompletionTime"] is None
    require_said(chain, page_of(login, ready), data["campaign"])
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, ready, stopped)


def test_a_second_press_says_that_it_is_paused_and_begins_no_second_run(
    chain, login, ready, stopped
):
    url = reverse("campaign-send", args=[ready.pk])
    login("manager").post(url)
    answer = login("manager").post(url)
    assert answer.status_code == 409
    assert "This is not possible while the campaign is: Paused." in answer.content.decode()
    with tenant_scope(chain.tenant.pk):
        assert CampaignRun.objects.filter(campaign=ready).count() == 1


def test_resume_while_the_account_is_stopped_goes_on_waiting(
    chain, vendor, working, login, api, ready, stopped
):
    api("manager", "post", address_of(ready, "send"))
    answer = login("manager").post(reverse("campaign-resume", args=[ready.pk]), follow=True)
    assert "Resumed." not in answer.content.decode()
    require_said(chain, answer.content.decode(), told(api, ready))
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, ready, stopped)


def test_cancelled_while_it_waits_it_never_goes(chain, vendor, working, api, ready, stopped):
    api("manager", "post", address_of(ready, "send"))
    assert api("manager", "post", address_of(ready, "cancel")).status_code == 200
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    assert (told(api, ready)["status"], told(api, ready)["pauseMessage"]) == ("cancelled", "")
    with tenant_scope(chain.tenant.pk):
        assert not Message.objects.filter(run__campaign_id=ready.pk).exists()


def test_paused_by_a_person_it_does_not_go_with_the_account(chain, vendor, working, api, ready):
    api("manager", "post", address_of(ready, "send"))
    api("manager", "post", address_of(ready, "pause"))
    break_down(chain, vendor)
    mend(chain, vendor, working)
    begin(chain)
    assert told(api, ready)["pauseReason"] == "paused_by_person"


def test_a_scheduled_campaign_that_comes_due_waits_and_says_so(
    chain, vendor, working, login, api, stopped
):
    with tenant_scope(chain.tenant.pk):
        planned = approved(
            chain.manager, chain.regional, scheduled_at=timezone.now() + dt.timedelta(hours=1)
        )
        services.schedule_campaign(actor=chain.actor(chain.manager), campaign=planned)
        Campaign.objects.filter(pk=planned.pk).update(next_run_at=timezone.now())
        services.run_if_due(campaign_id=planned.pk)
    begin(chain)
    require_said(chain, page_of(login, planned), told(api, planned))
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, planned, stopped)


def test_what_was_not_begun_is_judged_anew_when_the_account_works(
    chain, vendor, working, api, ready, stopped
):
    """WhatsApp took the message back meanwhile: it still stands still, and says for what."""
    api("manager", "post", address_of(ready, "send"))
    with tenant_scope(chain.tenant.pk):
        TemplateVersion.objects.filter(template=ready.template).update(whatsapp_status="disabled")
    mend(chain, vendor, working)
    begin(chain)
    now = told(api, ready)
    assert (now["status"], now["pauseReason"]) == ("paused", "whatsapp_template_not_approved")
    assert now["pauseMessage"].startswith("WhatsApp no longer approves the message")


def test_whoever_came_meanwhile_is_approved_first(chain, vendor, working, api, ready, stopped):
    api("manager", "post", address_of(ready, "send"))
    with tenant_scope(chain.tenant.pk):
        CustomerFactory.create_batch(PEOPLE, home_branch=chain.north)
    mend(chain, vendor, working)
    begin(chain)
    assert told(api, ready)["pauseReason"] == "audience_grown"


def test_another_channels_account_holds_nothing_up(chain, api, stopped):
    with tenant_scope(chain.tenant.pk):
        ProviderAccount.objects.filter(channel="sms").update(circuit_reason="Low balance")
        ProviderAccount.objects.filter(channel="whatsapp").update(circuit_reason="")
        campaign = approved(chain.manager, chain.regional)
    sent = api("manager", "post", address_of(campaign, "send")).json()["data"]
    assert (sent["campaign"]["status"], sent["campaign"]["pauseMessage"]) == ("sending", "")
    assert sent["estimatedCompletionTime"]


def test_going_on_with_what_was_frozen_says_at_once_that_it_still_waits(
    chain, vendor, working, login, api, stopped
):
    answer = login("manager").post(reverse("campaign-resume", args=[stopped.pk]), follow=True)
    page = answer.content.decode()
    assert "It waits for its provider account" in page
    assert "Resumed." not in page
    require_said(chain, page, told(api, stopped))
    mend(chain, vendor, working)
    work(chain)
    require_each_got_it_once(chain, working, login, api, stopped)


def test_sending_failed_ones_again_says_at_once_that_it_waits(
    chain, vendor, working, login, api, ready
):
    with tenant_scope(chain.tenant.pk):
        unlucky = Customer.objects.order_by("pk").values_list("phone", flat=True)[0]
    vendor.answer = lambda body: (
        refused(131053) if body["to"] == unlucky.removeprefix("+") else working(body)
    )
    send(chain, ready)
    work(chain)
    assert told(api, ready)["states"]["failed"] == 1
    break_down(chain, vendor)
    url = reverse("campaign-retry", args=[ready.pk])
    with tenant_scope(chain.tenant.pk):
        run = CampaignRun.objects.get(campaign=ready).send_run_id
    answer = login("manager").post(url, {"run": str(run)}, follow=True)
    page = answer.content.decode()
    assert "On its way again." not in page
    require_said(chain, page, told(api, ready))
    mend(chain, vendor, working)
    work(chain)
    assert told(api, ready)["status"] == "sent"
    with tenant_scope(chain.tenant.pk):
        again = Message.objects.exclude(run_id=run).get(run__campaign_id=ready.pk)
    assert (again.address, working.took[str(again.pk)]) == (unlucky, 1)


def test_another_account_sends_what_nobody_was_frozen_for(
    chain, vendor, working, api, ready, stopped
):
    api("manager", "post", address_of(ready, "send"))
    vendor.answer = working
    with tenant_scope(chain.tenant.pk):
        second = make_account("meta", name="Second", base_url=vendor.url, is_default=False)
        policy.set_default_account(actor=chain.actor(chain.owner), account=second)
    deliver_due()
    begin(chain)
    work(chain)
    assert told(api, ready)["status"] == "sent"
    assert told(api, stopped)["pauseReason"] == "account_paused"
    with tenant_scope(chain.tenant.pk):
        own = Message.objects.filter(run__campaign_id=ready.pk)
        assert {working.took[str(pk)] for pk in own.values_list("pk", flat=True)} == {1}
        assert set(own.values_list("account_id", flat=True)) == {second.pk}


def test_an_account_that_mends_while_sending_is_pressed_is_not_missed(
    chain, vendor, working, api, ready, stopped
):
    """Closing waits for whoever found it open, and so finds what waits for it."""
    with ThreadPoolExecutor() as pool:
        with tenant_scope(chain.tenant.pk):
            services.send_campaign(actor=chain.actor(chain.manager), campaign=ready)
            mended = wait_for_me(lambda: mend(chain, vendor, working), pool)
        mended.result()
    assert told(api, ready)["status"] == "sending"
