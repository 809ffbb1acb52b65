"""On which days festivals fall, what a chain changes in them, and who may."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from marketing.campaigns.festivals import KNOWN, known_days
from marketing.campaigns.models import Festival
from marketing.campaigns.selectors.festivals import festivals_between, festivals_of_year
from marketing.campaigns.services.festivals import (
    add_festival,
    keep_festival,
    move_festival,
    remove_festival,
)
from marketing.core.errors import Forbidden, NotFound, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from tests.campaigns.test_pages import text_of
from tests.factories.campaigns import FestivalFactory
from tests.factories.core import make_chain


def days_of(country, year):
    found = {}
    for each in known_days(country, year):
        found.setdefault(each.known.key, []).append((each.day.month, each.day.day))
    return found


def test_a_year_in_india():
    found = days_of("IN", 2026)
    assert found["diwali"] == [(11, 8)]
    assert found["holi"] == [(3, 4)]
    assert found["eid-al-fitr"] == [(3, 21)]
    assert found["durga-puja"] == [(10, 18)]
    assert found["dussehra"] == [(10, 20)]
    assert found["pohela-boishakh"] == [(4, 15)]
    assert found["independence-day"] == [(8, 15)]
    assert found["christmas"] == [(12, 25)]
    assert "victory-day" not in found


def test_bangladesh_has_what_the_library_lacks():
    found = days_of("BD", 2026)
    assert found["pohela-boishakh"] == [(4, 14)]
    assert found["eid-al-adha"] == [(5, 28)]
    assert found["durga-puja"] == [(10, 18)]
    assert found["diwali"] == [(11, 8)]
    assert found["janmashtami"] == [(9, 4)]
    assert found["buddha-purnima"] == [(5, 1)]
    assert found["independence-day"] == [(3, 26)]
    assert "republic-day" not in found


@pytest.mark.parametrize("country", ["IN", "BD"])
def test_every_festival_of_a_country_is_found_while_the_library_knows_it(country):
    expected = {each.key for each in KNOWN if each.fixed or country in each.spelled}
    for year in range(2024, 2036):
        assert set(days_of(country, year)) == expected, year


def test_days_by_the_moon_are_marked_and_eid_may_come_twice():
    estimated = {each.known.key for each in known_days("IN", 2027) if each.is_estimated}
    assert estimated == {"eid-al-fitr", "eid-al-adha"}
    assert len(days_of("IN", 2033)["eid-al-fitr"]) == 2


@given(st.sampled_from(["IN", "BD", "DE"]), st.integers(1990, 2099))
def test_any_year_has_the_fixed_days_in_order(country, year):
    found = known_days(country, year)
    assert [each.day for each in found] == sorted(each.day for each in found)
    assert {each.day.year for each in found} == {year}
    assert {"new-year", "christmas"} <= {each.known.key for each in found}


def named(*between):
    first, last = (dt.date.fromisoformat(each) for each in between)
    return [(each.name, each.day.isoformat()) for each in festivals_between(first, last)]


def test_a_chain_adds_moves_and_leaves_out(chain):
    owner = chain.actor(chain.owner)
    november = ("2026-11-01", "2026-11-30")
    assert ("Diwali", "2026-11-08") in named(*november)
    sale = add_festival(
        actor=owner, name=" Our sale ", name_hi="हमारी सेल", day=dt.date(2026, 11, 20)
    )
    assert ("Our sale", "2026-11-20") in named(*november)
    with translation.override("hi"):
        assert ("हमारी सेल", "2026-11-20") in named(*november)
    assert festivals_of_year(2027)[0].name == "New Year"
    assert sale.pk not in {each.own_id for each in festivals_of_year(2027)}

    move_festival(actor=owner, known="diwali", day=dt.date(2026, 11, 9))
    move_festival(actor=owner, known="diwali", day=dt.date(2026, 11, 10))
    assert ("Diwali", "2026-11-10") in named(*november)
    assert ("Diwali", "2027-10-29") in named("2027-10-29", "2027-10-29")
    move_festival(actor=owner, known="diwali", day=dt.date(2026, 11, 8))
    assert ("Diwali", "2026-11-08") in named(*november)
    assert Festival.objects.filter(known="diwali").count() == 0

    for _again in range(2):
        keep_festival(actor=owner, known="diwali", is_kept=False)
    assert "Diwali" not in dict(named(*november))
    assert [each.is_hidden for each in festivals_of_year(2030) if each.known == "diwali"] == [True]
    keep_festival(actor=owner, known="diwali", is_kept=True)
    assert "Diwali" in dict(named(*november))
    remove_festival(actor=owner, festival=sale)
    assert "Our sale" not in dict(named(*november))
    acts = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"festival.add", "festival.move", "festival.leave_out", "festival.keep"} <= acts
    assert "festival.remove" in acts


def test_of_two_eids_in_a_year_the_nearer_is_moved(chain):
    owner = chain.actor(chain.owner)
    first, second = (each for each in festivals_of_year(2033) if each.known == "eid-al-fitr")
    move_festival(actor=owner, known="eid-al-fitr", day=second.day + dt.timedelta(days=1))
    now = [each for each in festivals_of_year(2033) if each.known == "eid-al-fitr"]
    assert [each.day for each in now] == [first.day, second.day + dt.timedelta(days=1)]
    assert [(each.is_moved, each.is_estimated) for each in now] == [(False, True), (True, False)]


def test_a_yearly_day_of_29_february_is_kept_every_year_from_its_first(chain):
    FestivalFactory(name="Leap", day=dt.date(2028, 2, 29), is_yearly=True)
    assert ("Leap", "2029-02-28") in named("2029-02-01", "2029-03-31")
    assert ("Leap", "2032-02-29") in named("2032-02-01", "2032-03-31")
    assert "Leap" not in dict(named("2027-01-01", "2027-12-31"))


def test_what_cannot_be_is_refused(chain):
    owner = chain.actor(chain.owner)
    with pytest.raises(ValidationFailed):
        add_festival(actor=owner, name="  ", day=dt.date(2026, 1, 1))
    for known in ("nonsense", "victory-day"):
        with pytest.raises(NotFound):
            move_festival(actor=owner, known=known, day=dt.date(2026, 12, 1))
    with pytest.raises(NotFound):
        keep_festival(actor=owner, known="", is_kept=False)
    assert not Festival.objects.exists()
    for wrong in ({}, {"known": "holi", "year": 2026}, {"known": "holi", "day": "2026-01-01"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Festival.objects.create(**wrong)


def test_managers_look_and_owners_change(chain, login):
    page, day = reverse("festival-list"), {"name": "Sale", "day": "2026-12-05"}
    change = reverse("festival-change", args=["diwali"])
    own = FestivalFactory(day=dt.date(2027, 12, 5))
    remove = reverse("festival-remove", args=[own.pk])
    for who in ("receptionist", "manager", "regional"):
        client = login(who)
        shown = text_of(client.get(page, {"year": "2027"}))
        assert "Diwali" in shown
        assert "Leave out" not in shown
        for url, data in ((page, day), (change, {"act": "hide"}), (remove, {})):
            assert client.post(url, data).status_code == 403
        with pytest.raises(Forbidden):
            keep_festival(actor=chain.actor(getattr(chain, who)), known="holi", is_kept=False)
    assert Festival.objects.count() == 1

    client = login("owner")
    assert "Leave out" in text_of(client.get(page))
    assert client.post(page, day).url.endswith("?year=2026")
    assert client.post(page, {"name": "", "day": "x"}).status_code == 422
    assert client.post(page, day | {"day": "0001-01-01"}).status_code == 422
    client.post(change, {"act": "hide", "year": "2027"})
    assert "Not in your calendar" in text_of(client.get(page, {"year": "2027"}))
    client.post(change, {"act": "show"})
    assert client.post(change, {"act": "move", "day": "2027-10-30"}).url.endswith("?year=2027")
    assert "Changed by you" in text_of(client.get(page, {"year": "2027"}))
    shown = client.post(change, {"act": "move", "day": "soon"}, follow=True)
    assert "Give the day as a date" in text_of(shown)
    assert (
        client.post(reverse("festival-change", args=["nonsense"]), {"act": "hide"}).status_code
        == 404
    )
    assert client.post(remove).status_code == 302
    assert client.post(remove).status_code == 404
    assert client.get(page, {"year": "1066"}).status_code == 200
    assert client.get(page, {"year": "2099"}).status_code == 200


def test_another_chains_days_are_its_own(chain, other_chain, login):
    with tenant_scope(other_chain.tenant.pk):
        theirs = FestivalFactory(name="Their sale", day=dt.date(2026, 11, 20))
        keep_festival(actor=other_chain.actor(other_chain.owner), known="diwali", is_kept=False)
    assert named("2026-11-08", "2026-11-20")[0][0] == "Diwali"
    assert "Their sale" not in dict(named("2026-11-01", "2026-11-30"))
    assert login("owner").post(reverse("festival-remove", args=[theirs.pk])).status_code == 404


def test_by_the_chains_country(db, scope):
    chain = make_chain(country="BD", time_zone="Asia/Dhaka", currency="BDT")
    scope(chain.tenant.pk)
    assert ("Pohela Boishakh", "2027-04-14") in named("2027-04-01", "2027-04-30")
    assert "Victory Day" in dict(named("2026-12-01", "2026-12-31"))
