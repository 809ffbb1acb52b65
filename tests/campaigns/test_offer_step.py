"""The wizard's offer step: an offer that stands, a new one, none; and what it refuses."""

import datetime as dt

import pytest
from django.urls import reverse

from marketing.campaigns.models import Campaign
from marketing.coupons.models import Offer
from tests.campaigns.test_offers import own_offer, with_code
from tests.campaigns.test_pages import page, text_of
from tests.factories.campaigns import make_campaign, make_ground
from tests.factories.coupons import make_offer
from tests.factories.policy import set_config

NEXT_MONTH = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).date().isoformat()
NEW = {
    "what": "new",
    "kind": "percentage",
    "value": "20",
    "valid_until": NEXT_MONTH,
    "per_customer": "1",
    "codes": "own",
}


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=2)


@pytest.fixture
def campaign(chain):
    return make_campaign(chain.manager, template_id=with_code().pk)


def save(login, campaign, data, step="offer"):
    version = Campaign.objects.get(pk=campaign.pk).version
    url = page(campaign, "campaign-edit", step)
    return login("manager").post(url, {"version": version, **data})


def test_a_message_with_a_code_leads_to_the_offer_and_one_without_past_it(chain, login, campaign):
    chosen = {"template": str(campaign.template_id)}
    assert save(login, campaign, chosen, "message").url.endswith("/edit/offer")
    plain = make_campaign(chain.manager)
    chosen = {"template": str(plain.template_id)}
    assert save(login, plain, chosen, "message").url.endswith("/edit/schedule")
    assert save(login, plain, chosen | {"offer": "1"}, "message").url.endswith("/edit/offer")


def test_a_new_offer_is_made_for_the_campaign_and_its_branches(chain, login, campaign):
    answer = save(login, campaign, NEW)
    assert answer.url == page(campaign, "campaign-edit", "schedule"), text_of(answer)
    offer = Offer.objects.get()
    after = Campaign.objects.get()
    assert (after.coupon, after.unique_codes) == (offer, True)
    assert (offer.name, offer.kind, offer.code, offer.campaign_id) == (
        "20% off", "percentage", "", campaign.pk,
    )  # fmt: skip
    body = offer.revisions.get().body
    assert body["branchIds"] == [str(chain.north.pk)]
    assert (offer.max_uses_per_customer, offer.valid_until.isoformat()) == (1, NEXT_MONTH)


def test_the_step_sent_again_by_the_back_button_makes_no_second_offer(login, campaign):
    again = NEW | {"codes": "shared", "code": "diwali20"}
    for _back in range(2):
        assert save(login, campaign, again).status_code == 302
    assert Campaign.objects.get().coupon == Offer.objects.get()
    assert save(login, campaign, NEW | {"value": "25"}).status_code == 302
    assert Offer.objects.count() == 2


def test_one_code_for_everybody_is_typed_by_all(login, campaign):
    save(login, campaign, NEW | {"codes": "shared", "code": "diwali 20", "name": "Diwali gift"})
    offer = Offer.objects.get()
    assert (offer.code, offer.name) == ("DIWALI20", "Diwali gift")
    assert Campaign.objects.get().unique_codes is False


def test_an_offer_that_stands_is_chosen_and_taken_away_again(login, campaign):
    offer = own_offer()
    save(login, campaign, {"what": "existing", "offer": str(offer.pk), "codes": "own"})
    assert Campaign.objects.get().coupon == offer
    shown = login("manager").get(page(campaign, "campaign-edit", "offer")).content.decode()
    assert f'value="{offer.pk}" selected' in shown
    answer = save(login, campaign, {"what": "none", "later": "1"})
    assert answer.url == reverse("campaign-list")
    assert Campaign.objects.get().coupon is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"what": "none"}, "The message names an offer"),
        ({"what": "existing", "offer": ""}, "Choose an offer"),
        ({"what": "existing", "offer": "nonsense"}, "Choose one of the list."),
        (NEW | {"value": ""}, "Fill this in"),
        (NEW | {"value": "120"}, "At most 100 per cent"),
        (NEW | {"value": "0"}, "At least 0.01, please."),
        (NEW | {"value": "-5"}, "At least 0.01, please."),
        (NEW | {"value": "10.123"}, "At most 2 digits after the point"),
        (NEW | {"value": "1e12"}, "This number is too large."),
        (NEW | {"valid_until": "2020-01-01"}, "This day is past"),
        (NEW | {"per_customer": "9" * 30}, "At most 2,00,00,00,000, please."),
        (NEW | {"codes": "shared", "code": ""}, "Fill this in"),
        (NEW | {"codes": "shared", "code": "दिवाली"}, "3 to 50 letters, digits and hyphens"),
        (NEW | {"codes": "shared", "code": "TAKEN"}, "This code is taken"),
    ],
)
def test_what_to_mend_is_said_and_nothing_is_made(login, campaign, data, words):
    make_offer(code="TAKEN")
    answer = save(login, campaign, data)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert Offer.objects.count() == 1
    assert Campaign.objects.get().coupon is None


def test_an_offer_without_a_code_cannot_be_one_for_everybody(login, campaign):
    offer = own_offer()
    answer = save(login, campaign, {"what": "existing", "offer": str(offer.pk), "codes": "shared"})
    assert "has no code for everybody" in text_of(answer)


def test_an_offer_that_the_message_does_not_say_is_warned_of(chain, login):
    campaign = make_campaign(chain.manager, coupon_id=own_offer().pk, unique_codes=True)
    client = login("manager")
    shown = text_of(client.get(page(campaign, "campaign-edit", "review")))
    assert "The message does not say the code of the offer" in shown
    assert "no place for a code" in text_of(client.get(page(campaign, "campaign-edit", "offer")))


def test_of_two_editors_the_second_makes_no_offer(login, campaign):
    data = NEW | {"version": campaign.version - 1 or 99}
    answer = login("manager").post(page(campaign, "campaign-edit", "offer"), data)
    assert answer.status_code == 422
    assert not Offer.objects.exists()


def test_an_approver_sees_what_the_offer_gives_and_may_cost(chain, login, campaign):
    save(login, campaign, NEW)
    client = login("manager")
    assert client.post(page(campaign, "campaign-edit", "review")).status_code == 302
    set_config(approval_threshold_discount_percent=15)
    shown = text_of(login("regional").get(page(campaign)))
    assert "20% off" in shown
    assert "a code of her own for each" in shown
    shown = text_of(login("regional").get(page(campaign, "campaign-decision")))
    assert "Discount, at most" in shown


def test_the_api_takes_and_shows_the_offer(chain, api, campaign):
    offer = own_offer()
    url = reverse("api-campaign", args=[campaign.pk])
    answer = api("manager", "patch", url, {"couponId": str(offer.pk), "uniqueCodes": True})
    shown = answer.json()["data"]["campaign"]
    assert (shown["couponId"], shown["uniqueCodes"]) == (str(offer.pk), True)
    assert (shown["coupon"]["id"], shown["coupon"]["name"]) == (str(offer.pk), offer.name)
    assert api("manager", "get", url).json()["data"]["campaign"]["coupon"] == shown["coupon"]
    answer = api("manager", "patch", url, {"couponId": str(chain.north.pk)})
    assert answer.status_code == 400
    assert "couponId" in answer.json()["error"]["fields"]
    metrics = api("manager", "get", f"{url}/analytics").json()["data"]["couponMetrics"]
    assert (metrics["issuedCount"], metrics["redemptionCount"]) == (0, 0)
