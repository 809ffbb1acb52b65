"""A vendor that is really down, campaigns that find it so, and what is asserted of both."""

import datetime as dt
import socket
from collections import Counter

import pytest
from django.urls import reverse
from django.utils import timezone

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.core.events import deliver_due
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.services import finish_done_runs
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount
from tests.delivery.conftest import accepted
from tests.factories.campaigns import approved, make_ground

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
    monkeypatch.setattr("marketing.delivery.dispatch.health.OUTAGE_FAILURES", 3)
    monkeypatch.setattr("marketing.delivery.dispatch.health.OUTAGE_SECONDS", 0.0)
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


def live_part_of(login, campaign):
    """How it stands; the page's history still tells of the pause."""
    return login("manager").get(reverse("campaign-live", args=[campaign.pk])).content.decode()


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
        assert SENTENCE not in live_part_of(login, campaign)
    with tenant_scope(chain.tenant.pk):
        written = list(Message.objects.values_list("pk", "run__campaign_id", "customer_id"))
    assert working.took == Counter(str(pk) for pk, _campaign, _customer in written)
    assert len({row[1:] for row in written}) == len(written) == PEOPLE * len(campaigns)


@pytest.fixture
def planned(chain, stopped):
    """A campaign whose time came while the account was stopped."""
    with tenant_scope(chain.tenant.pk):
        campaign = approved(
            chain.manager, chain.regional, scheduled_at=timezone.now() + dt.timedelta(hours=1)
        )
        services.schedule_campaign(actor=chain.actor(chain.manager), campaign=campaign)
        Campaign.objects.filter(pk=campaign.pk).update(next_run_at=timezone.now())
        services.run_if_due(campaign_id=campaign.pk)
    return campaign
