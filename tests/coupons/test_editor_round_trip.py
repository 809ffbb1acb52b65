"""What only the API could say of an offer is still there after the form has saved it."""

import pytest

from marketing.coupons import selectors
from tests.coupons.editor import form_of, offer_path, text_of
from tests.factories.coupons import make_offer
from tests.factories.customers import ServiceCategoryFactory, ServiceFactory

SAID = {
    "part_of_anything": "2 × any service + ",
    "get_anything": "Buy 2, get 1 free: any service",
}


@pytest.fixture
def named(chain):
    service, category = ServiceFactory(), ServiceCategoryFactory()
    return {
        "in": [str(ServiceFactory().pk)],
        "service": [str(service.pk)],
        "category": [str(category.pk)],
    }


def bodies(named):
    out = {"excludedServiceIds": named["service"], "excludedCategoryIds": named["category"]}
    bundle = {"discountType": "bundle", "discountValue": "500"}
    deal = {"discountType": "buy_x_get_y", "discountValue": None}
    return {
        "part_without": bundle
        | {"bundle": {"parts": [{"serviceIds": named["in"], "quantity": 1, **out},
                                {**out, "quantity": 2}]}},
        "part_of_anything": bundle
        | {"bundle": {"parts": [{"quantity": 2}, {"serviceIds": named["in"], "quantity": 1}]}},
        "many_parts": bundle
        | {"bundle": {"parts": [{"serviceIds": named["in"], "quantity": n} for n in range(1, 15)]}},
        "get_without": deal
        | {"buyGet": {"buyQuantity": 2, "get": {"categoryIds": named["category"],
                                                "excludedServiceIds": named["service"]}}},
        "get_all_but": deal | {"buyGet": {"buyQuantity": 2, "get": out}},
        "get_anything": deal | {"buyGet": {"buyQuantity": 2, "get": {}}},
        "many_hours": {"hours": [{"from": f"{n:02d}:00", "until": f"{n:02d}:30"}
                                 for n in range(8, 22)]},
    }  # fmt: skip


def test_saving_an_offer_of_the_api_unchanged_changes_nothing(chain, login, named):
    client = login("owner")
    for name, body in bodies(named).items():
        offer = make_offer(**body)
        before = selectors.terms_of(offer)
        posted = form_of(client, offer)
        assert client.post(f"/offers/{offer.pk}/edit", posted).status_code == 302, name
        offer.refresh_from_db()
        assert selectors.body_of(offer)["discountType"] == before.kind.value
        if name in SAID:
            assert SAID[name] in text_of(client.get(offer_path(offer)))
        after = selectors.terms_of(offer)
        assert (after.buy_get, after.bundle, after.timetable) == (
            before.buy_get,
            before.bundle,
            before.timetable,
        ), name


def test_what_a_part_leaves_out_is_shown_and_can_be_taken_back(chain, login, named):
    offer = make_offer(**bodies(named)["part_without"])
    client = login("owner")
    posted = form_of(client, offer)
    assert posted["part_0_excluded_services"] == named["service"]
    del posted["part_0_excluded_services"], posted["part_0_excluded_categories"]
    assert client.post(f"/offers/{offer.pk}/edit", posted).status_code == 302
    offer.refresh_from_db()
    parts = selectors.body_of(offer)["bundle"]["parts"]
    assert parts[0] == {"serviceIds": named["in"], "quantity": 1}
    assert parts[1]["excludedServiceIds"] == named["service"]
