"""The two offers of the referral programme: what it keeps of them nobody else changes."""

import pytest
from django.utils import translation

from customers.models import Customer
from marketing.campaigns.selectors.offers import offers_to_send
from marketing.core.errors import ValidationFailed
from marketing.coupons import selectors, services
from marketing.coupons.models import CodeBatch, Offer
from marketing.referrals.models import ReferralProgramme
from tests.coupons.editor import form_of, offer_path, text_of
from tests.factories.campaigns import approved, make_ground
from tests.factories.core import Chain
from tests.factories.coupons import make_offer
from tests.factories.customers import ServiceFactory
from tests.factories.referrals import make_programme, system

REFUSED = ["The referral programme keeps this: change it under Referrals, Settings."]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def friends(chain: Chain) -> Offer:
    offer = make_programme(referred_reward_value=15).friend_offer
    assert offer is not None
    return offer


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"discountValue": "50"}, "discountValue"),
        ({"isActive": False}, "isActive"),
        ({"automatic": True}, "automatic"),
        ({"code": "FRIENDS"}, "code"),
        ({"firstVisitOnly": None}, "nthVisit"),
        ({"discountType": "flat", "discountValue": "15"}, "discountType"),
    ],
)
def test_what_the_programme_keeps_is_refused_at_its_field(friends, values, field):
    before = selectors.body_of(friends)
    with pytest.raises(ValidationFailed) as refused:
        services.update_offer(actor=system(), offer=friends, values=values)
    assert refused.value.fields[field] == REFUSED
    friends.refresh_from_db()
    assert (selectors.body_of(friends), friends.code, friends.version) == (before, "", 1)


def test_over_http_it_is_refused_with_its_code(friends, login):
    path = f"/api/v1/offers/{friends.pk}"
    answer = login("owner").patch(path, {"isActive": False}, content_type="application/json")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["fields"]) == ("MARKETING_400", {"isActive": REFUSED})


def test_the_rest_is_the_managers(friends, login):
    """Spelled otherwise the kept values are the same; what the page cannot say stays."""
    owner, path = login("owner"), offer_path(friends, "/edit")
    shown = owner.get(path)
    assert "This offer belongs to the referral programme" in text_of(shown)
    assert "/referrals/settings" in shown.text
    form = shown.context["form"]
    kept = {name for name, field in form.fields.items() if field.disabled}
    assert kept == {"kind", "value", "opening", "code", "visit"}
    typed = form_of(owner, friends) | {"max_discount": "300", "value": "90", "kind": "flat"}
    assert owner.post(path, typed).status_code == 302
    friends.refresh_from_db()
    body = selectors.body_of(friends)
    assert (body["discountType"], body["discountValue"]) == ("percentage", "15")
    assert body["maxDiscountAmount"] == "300"
    detail = owner.get(offer_path(friends))
    assert "Switch off" not in text_of(detail)
    make_programme(referred_reward_value=20)
    friends.refresh_from_db()
    assert selectors.terms_of(friends).rate_bp == 2_000
    assert selectors.body_of(friends)["maxDiscountAmount"] == "300"


def test_a_free_service_is_kept_whole(chain, login):
    service = ServiceFactory()
    offer = make_programme(
        referred_reward_type="free_service", referred_reward_service=service
    ).friend_offer
    assert offer is not None
    owner, path = login("owner"), offer_path(offer, "/edit")
    typed = form_of(owner, offer) | {"services": [str(ServiceFactory().pk)], "tags": "friends"}
    assert owner.post(path, typed).status_code == 302
    terms = selectors.terms_of(Offer.objects.get(pk=offer.pk))
    assert (terms.selection.services, terms.combining.tags) == ({str(service.pk)}, {"friends"})


def test_its_codes_are_not_made_by_managers(chain, friends, login):
    owner, path = login("owner"), offer_path(friends, "/codes")
    shown = text_of(owner.get(path))
    assert "This offer belongs to the referral programme" in shown
    assert "The referral programme alone opens this offer" in shown
    assert "Make codes" not in shown
    typed = {"count": 10, "prefix": "", "symbols": 8, "max_uses": 1}
    assert owner.post(path, typed).status_code == 422
    answer = owner.post(
        f"/api/v1/offers/{friends.pk}/codes",
        {"count": 10},
        content_type="application/json",
        headers={"Idempotency-Key": "a"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "MARKETING_409")
    assert not CodeBatch.objects.exists()


def test_no_campaign_gives_them_away(chain, friends):
    offers = [friends, ReferralProgramme.objects.get().referrer_offer, make_offer(code="FREE")]
    Offer.objects.update(is_active=True)
    assert [offer.name for offer in offers_to_send(system())] == [offers[2].name]
    make_ground(chain.north, people=2)
    with pytest.raises(ValidationFailed) as refused:
        approved(chain.manager, chain.regional, coupon_id=friends.pk, unique_codes=True)
    assert refused.value.fields["couponId"][0].startswith("The referral programme alone opens")
    assert not CodeBatch.objects.exists()


def test_other_offers_are_nobodys(chain, asha: Customer, login):
    offer = make_offer()
    shown = login("owner").get(offer_path(offer, "/edit"))
    assert "belongs to" not in text_of(shown)
    assert not any(field.disabled for field in shown.context["form"].fields.values())
