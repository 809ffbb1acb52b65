"""An account that works again: what waited for it goes on, once, unless it is too late for that."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from django.urls import reverse
from django.utils import timezone

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.campaigns.services import runs
from marketing.content.models import TemplateVersion
from marketing.core import events
from marketing.core.events import deliver_due
from marketing.core.models import EventDelivery
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message
from marketing.policy import services as policy
from marketing.policy.models import MarketingConfig, ProviderAccount
from tests.campaigns.outage.conftest import (
    PEOPLE,
    address_of,
    begin,
    mend,
    require_each_got_it_once,
    told,
    work,
)
from tests.concurrency import wait_for_me
from tests.factories.campaigns import approved
from tests.factories.customers import CustomerFactory
from tests.factories.policy import make_account


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


def let_pass(chain, campaign, **time):
    """So long ago it was due."""
    with tenant_scope(chain.tenant.pk):
        run = CampaignRun.objects.get(campaign=campaign)
        CampaignRun.objects.filter(pk=run.pk).update(due_at=run.due_at - dt.timedelta(**time))


def test_what_would_begin_days_late_asks_first(
    chain, vendor, working, login, api, planned, stopped
):
    let_pass(chain, planned, days=2)
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    now = told(api, planned)
    assert (now["status"], now["pauseReason"]) == ("paused", "missed_schedule")
    assert now["pauseMessage"].startswith("Its time was missed: It was due on ")
    with tenant_scope(chain.tenant.pk):
        assert not Message.objects.filter(run__campaign_id=planned.pk).exists()
    login("manager").post(reverse("campaign-resume", args=[planned.pk]))
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, planned, stopped)


def test_what_begins_a_little_late_does_not_ask(
    chain, vendor, working, login, api, planned, stopped
):
    let_pass(chain, planned, minutes=55)
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, planned, stopped)


def test_what_a_person_lets_go_is_late_for_nobody(chain, vendor, working, login, api, planned):
    """Not even where no start may be late."""
    with tenant_scope(chain.tenant.pk):
        MarketingConfig.objects.update(stale_schedule_minutes=0)
    let_pass(chain, planned, days=2)
    api("manager", "post", address_of(planned, "resume"))
    mend(chain, vendor, working)
    begin(chain)
    assert told(api, planned)["status"] == "sending"


def test_a_start_that_was_lost_for_days_asks_first(chain, api, ready):
    """No worker was there to freeze it."""
    api("manager", "post", address_of(ready, "send"))
    let_pass(chain, ready, days=2)
    with tenant_scope(chain.tenant.pk):
        services.run_if_due(campaign_id=ready.pk)
    begin(chain)
    assert told(api, ready)["pauseReason"] == "missed_schedule"


def test_an_account_that_does_not_send_begins_nothing(chain, vendor, api, ready, stopped):
    """However often the circuit of another account of the channel closes."""
    api("manager", "post", address_of(ready, "send"))
    with tenant_scope(chain.tenant.pk):
        second = make_account("meta", name="Second", base_url=vendor.url, is_default=False)
        for _ in range(3):
            ProviderAccount.objects.filter(pk=second.pk).update(
                circuit_reason="down", circuit_retry_at=timezone.now()
            )
            policy.close_due_circuits()
    deliver_due()
    with tenant_scope(chain.tenant.pk):
        assert CampaignRun.objects.get(campaign=ready).send_run.state == "ready"
    assert told(api, ready)["pauseReason"] == "account_paused"


def test_a_new_default_that_is_stopped_too_begins_nothing(chain, vendor, api, ready, stopped):
    api("manager", "post", address_of(ready, "send"))
    with tenant_scope(chain.tenant.pk):
        second = make_account("meta", name="Second", base_url=vendor.url, is_default=False)
        ProviderAccount.objects.filter(pk=second.pk).update(circuit_reason="down")
        policy.set_default_account(actor=chain.actor(chain.owner), account=second)
    deliver_due()
    with tenant_scope(chain.tenant.pk):
        assert CampaignRun.objects.get(campaign=ready).send_run.state == "ready"


def test_a_campaign_that_cannot_go_on_keeps_no_other_from_it(
    chain, vendor, working, api, ready, stopped, monkeypatch
):
    with tenant_scope(chain.tenant.pk):
        other = approved(chain.manager, chain.regional, name="Another")
    api("manager", "post", address_of(ready, "send"))
    api("manager", "post", address_of(other, "send"))
    usual = plan.steps

    def steps(campaign):
        if campaign.pk == ready.pk:
            raise ValueError("a fault of this campaign alone")
        return usual(campaign)

    monkeypatch.setattr(plan, "steps", steps)
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    found = [told(api, campaign)["status"] for campaign in (ready, other, stopped)]
    assert found == ["paused", "sent", "sent"]


def test_news_of_the_pause_may_come_after_that_of_the_mending(
    chain, vendor, working, login, api, ready, stopped
):
    """Two tasks hand news over at once, and what failed is handed over later."""
    with tenant_scope(chain.tenant.pk):
        run = CampaignRun.objects.get(campaign=stopped).send_run
        Campaign.objects.filter(pk=stopped.pk).update(status="sending", pause_reason="")
        events.record(
            "send_run.paused",
            {"runId": run.pk, "campaignId": stopped.pk, "reason": "account_paused", "detail": ""},
        )
    deliveries = EventDelivery.objects.filter(event_name="send_run.paused")
    deliveries.update(not_before=timezone.now() + dt.timedelta(hours=1))
    mend(chain, vendor, working)
    deliveries.update(not_before=timezone.now())
    deliver_due()
    work(chain)
    require_each_got_it_once(chain, working, login, api, stopped)


def test_old_news_of_a_pause_stops_nothing(chain, vendor, working, api, stopped):
    """The run goes on by now."""
    mend(chain, vendor, working)
    with tenant_scope(chain.tenant.pk):
        run = CampaignRun.objects.get(campaign=stopped).send_run
        runs.note_run_paused(send_run_id=run.pk, reason="content_refused")
    assert told(api, stopped)["status"] == "sending"
