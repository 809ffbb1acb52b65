"""A vendor is down, or refuses the account: page and API say so, and nothing is sent."""

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.core.events import deliver_due
from marketing.delivery.models import Message, SendRun
from marketing.delivery.services import pause_run
from marketing.policy.models import ProviderAccount
from tests.factories.campaigns import approved, make_campaign, make_ground
from tests.factories.customers import CustomerFactory

WHY = "503 Service Unavailable"
SENTENCE = "Nothing can be sent by"


@pytest.fixture
def stopped(chain, tasks):
    """A campaign whose run stopped because the vendor did not answer."""
    make_ground(chain.north)
    campaign = approved(chain.manager, chain.regional)
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    ProviderAccount.objects.update(circuit_reason=WHY)
    pause_run(run=SendRun.objects.get(), reason="account_paused", detail=WHY)
    deliver_due()
    return Campaign.objects.get()


def test_the_page_says_that_it_waits_and_why(stopped, login):
    page = login("manager").get(reverse("campaign-detail", args=[stopped.pk])).content.decode()
    assert SENTENCE in page
    assert WHY in page


@pytest.mark.parametrize("language", ["en", "hi"])
def test_the_api_says_why_it_waits(stopped, api, language):
    address = f"/api/v1/campaigns/{stopped.pk}"
    answer = api("manager", "get", address, **{"Accept-Language": language})
    told = answer.json()["data"]["campaign"]
    assert (told["status"], told["pauseReason"]) == ("paused", "account_paused")
    with translation.override(language):
        heading = gettext("Nothing can be sent by this account just now")
    assert told["pauseMessage"].startswith(f"{heading}: {WHY}. ")


@pytest.fixture
def draft(chain):
    make_ground(chain.north)
    ProviderAccount.objects.update(circuit_reason=WHY)
    return make_campaign(chain.manager)


def test_a_test_message_is_refused_on_the_page(draft, login, colleague):
    values = {"customer": "", "to": str(colleague.pk)}
    answer = login("manager").post(reverse("campaign-test", args=[draft.pk]), values)
    assert answer.status_code == 502
    assert SENTENCE in answer.content.decode()
    assert not Message.objects.exists()


def test_a_test_message_is_refused_over_the_api(draft, api, colleague):
    answer = api("manager", "post", f"/api/v1/campaigns/{draft.pk}/test", {"phone": "9820012345"})
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "MARKETING_052"
    assert WHY in answer.json()["error"]["message"]
    assert not Message.objects.exists()


@pytest.mark.parametrize("over", ["page", "api"])
def test_a_test_for_somebody_without_a_value_names_it(chain, login, api, colleague, over):
    make_ground(chain.north)
    nameless = CustomerFactory(first_name="", last_name="", home_branch=chain.north)
    draft = make_campaign(chain.manager)
    if over == "page":
        values = {"customer": nameless.phone, "to": str(colleague.pk)}
        answer = login("manager").post(reverse("campaign-test", args=[draft.pk]), values)
        assert answer.status_code == 422
    else:
        values = {"customerId": str(nameless.pk), "phone": "9820012345"}
        answer = api("manager", "post", f"/api/v1/campaigns/{draft.pk}/test", values)
        assert answer.status_code == 400
    assert "The text needs “First name”" in answer.content.decode()
    assert not Message.objects.exists()
