"""A vendor that is really down: page and API say at once that the campaign waits, and why.

When the vendor is back the campaign goes on by itself, and nobody gets it twice.
"""

import pytest
from django.urls import reverse

from customers.models import Customer
from marketing.campaigns.models import CampaignRun
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message
from marketing.policy.models import ProviderAccount
from tests.campaigns.outage.conftest import (
    address_of,
    begin,
    break_down,
    mend,
    page_of,
    refuse_everything,
    require_each_got_it_once,
    require_said,
    send,
    stop_listening,
    told,
    work,
)
from tests.delivery.conftest import refused
from tests.factories.campaigns import approved


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
    chain, vendor, working, login, api, planned, stopped
):
    begin(chain)
    require_said(chain, page_of(login, planned), told(api, planned))
    mend(chain, vendor, working)
    begin(chain)
    work(chain)
    require_each_got_it_once(chain, working, login, api, planned, stopped)


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
