"""The editor's refusals: each says what may be typed instead; and what belongs to a day."""

import datetime as dt

import pytest

from marketing.core import clock
from marketing.coupons.models import Offer
from tests.factories.coupons import make_offer

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
            "This number is too large.",
        ),
        ({"min_amount": "500", "max_amount": "100"}, "max_amount", "This is less than the least."),
        (
            {"opening": "typed", "code": "A" * 60},
            "code",
            "At most 50 characters, please; these are 60.",
        ),
        ({"value": "10.555"}, "value", "At most 2 digits after the point, please."),
        ({"value": "1000000000000"}, "value", "This number is too large."),
        ({"max_total": "0"}, "max_total", "At least 1, please."),
        ({"max_total": "1000000000000"}, "max_total", "At most 2,00,00,00,000, please."),
        ({"budget": "0"}, "budget", "From ₹0.01 to ₹10,00,00,00,000."),
    ],
)
def test_a_refusal_says_what_may_be_typed(chain, login, changes, field, said):
    answer = login("owner").post("/offers/new", TENTH | changes)
    assert answer.context["form"].errors[field] == [said]


def test_an_offer_that_is_over_when_it_is_saved_says_so(chain, login):
    client = login("owner")
    for day, told in (("2020-01-31", True), ("2099-01-31", False)):
        answer = client.post("/offers/new", TENTH | {"valid_until": day}, follow=True)
        assert ("Its time is over" in answer.content.decode()) == told


def test_the_same_page_sent_again_makes_no_second_offer(chain, login):
    client = login("owner")
    first = client.post("/offers/new", TENTH)
    again = client.post("/offers/new", TENTH, follow=True)
    assert again.redirect_chain[0][0] == first.url
    assert "You saved the same before" in again.content.decode()
    assert client.post("/offers/new", TENTH | {"value": "11"}).url != first.url
    assert Offer.objects.count() == 2


def at(monkeypatch, hour, minute):
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    moment = dt.datetime(2030, 1, 15, hour, minute, tzinfo=zone).astimezone(dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_offers_of_today_begin_and_end_by_the_hour(chain, login, monkeypatch):
    at(monkeypatch, 19, 30)
    day = {"startsAt": "2030-01-15T00:00", "endsAt": "2030-01-16T00:00"}
    for name, hours in {
        "Day": {},
        "Early": {"endsAt": "2030-01-15T19:30"},
        "Late": {"startsAt": "2030-01-15T20:00"},
        "Evening": {"startsAt": "2030-01-15T19:30", "endsAt": "2030-01-15T20:00"},
    }.items():
        make_offer(name=name, **day | hours)
    rows = login("owner").get("/offers").context["rows"]
    assert {row.offer.name: (str(row.state), row.when) for row in rows} == {
        "Day": ("on", "On 15 Jan 2030"),
        "Early": ("over", "On 15 Jan 2030 until 7:30 p.m."),
        "Late": ("starts", "On 15 Jan 2030 from 8:00 p.m. on"),
        "Evening": ("on", "On 15 Jan 2030 from 7:30 p.m. to 8:00 p.m."),
    }


@pytest.mark.parametrize(("hour", "day"), [(19, 15), (20, 16)])
def test_a_flash_sale_begins_with_an_end(chain, login, monkeypatch, hour, day):
    at(monkeypatch, hour, 0)
    form = login("owner").get("/offers/new?start=flash").context["form"]
    begins = {name: form[name].initial for name in ("valid_from", "valid_until", "until_time")}
    date = dt.date(2030, 1, day)
    assert begins == {"valid_from": date, "valid_until": date, "until_time": dt.time(20)}
