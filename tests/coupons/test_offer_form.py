"""The editor's refusals: each says what may be typed instead."""

import pytest

from marketing.coupons.models import Offer

TENTH = {"kind": "percentage", "name": "Tenth", "value": "10", "opening": "automatic"}


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"value": "150"}, "value", "From 0.01 to 100 per cent."),
        ({"value": ""}, "value", "Say how much: without it there is no such offer."),
        ({"kind": "flat", "value": "0"}, "value", "More than ₹0."),
        ({"min_amount": "99999999.99"}, "min_amount", "At most ₹1,00,00,000."),
        (
            {"budget": "99999999999"},
            "budget",
            "Ensure that there are no more than 10 digits before the decimal point.",
        ),
        ({"min_amount": "500", "max_amount": "100"}, "max_amount", "This is less than the least."),
        (
            {"opening": "typed", "code": "A" * 60},
            "code",
            "Ensure this value has at most 50 characters (it has 60).",
        ),
    ],
)
def test_a_refusal_says_what_may_be_typed(chain, login, changes, field, said):
    answer = login("owner").post("/offers/new", TENTH | changes)
    assert answer.context["form"].errors[field] == [said]


def test_an_offer_that_is_over_when_it_is_saved_says_so(chain, login):
    client = login("owner")
    for day, told in (("2020-01-31", True), ("2099-01-31", False)):
        answer = client.post("/offers/new", TENTH | {"valid_until": day}, follow=True)
        assert ("Its last day is over" in answer.content.decode()) == told


def test_the_same_page_sent_again_makes_no_second_offer(chain, login):
    client = login("owner")
    first = client.post("/offers/new", TENTH)
    again = client.post("/offers/new", TENTH, follow=True)
    assert again.redirect_chain[0][0] == first.url
    assert "You saved the same before" in again.content.decode()
    assert client.post("/offers/new", TENTH | {"value": "11"}).url != first.url
    assert Offer.objects.count() == 2
