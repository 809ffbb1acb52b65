"""Who is suggested as being in the base twice."""

import datetime as dt

import pytest

from customers import services
from customers.models import ContactPoint, DuplicatePair
from customers.services import duplicates
from customers.tasks import keep_duplicates
from marketing.core.tenancy import tenant_scope
from tests.factories.customers import CustomerFactory

BORN = dt.date(1990, 5, 1)


def person(name, **values):
    first, _, last = name.partition(" ")
    return CustomerFactory(first_name=first, last_name=last, **values)


def reasons():
    services.find_duplicates()
    return [pair.reasons for pair in DuplicatePair.objects.order_by("id")]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({"phone": "+919876543210"}, {"phone": "+919876543210"}, ["phone"]),
        ({"email": "a@b.example"}, {"email": "a@b.example"}, ["email"]),
        ({"birth_date": BORN}, {"birth_date": BORN}, ["birth_date"]),
        ({"birth_date": BORN}, {"birth_date": dt.date(1991, 5, 1)}, None),
        ({}, {}, None),
        (
            {"phone": "+919876543210", "birth_date": BORN},
            {"phone": "+919876543210", "birth_date": BORN},
            ["birth_date", "phone"],
        ),
    ],
)
def test_what_two_people_share(chain, one, other, found):
    person("Asha Sharma", **one)
    person("Aasha Sharma", **other)
    assert reasons() == ([found] if found else [])


def test_a_family_that_shares_a_phone_is_no_pair(chain):
    person("Asha Sharma", phone="+919876543210")
    person("Rohan Sharma", phone="+919876543210")
    assert reasons() == []


def test_an_address_beside_the_first_one_counts(chain, manager):
    asha, aasha = person("Asha Sharma"), person("Asha S")
    services.add_contact_point(
        actor=manager, customer=aasha, kind=ContactPoint.Kind.PHONE, value=asha.phone
    )
    assert reasons() == [["phone"]]


def test_the_same_branch_tells_only_where_one_has_no_phone(chain):
    for phone in ("+919876543210", "+919876543299"):
        person("Kavya Iyer", phone=phone, home_branch=chain.north)
    assert reasons() == []
    third = person("Kavya Iyar", phone="", home_branch=chain.north)
    assert reasons() == [["branch"], ["branch"]]
    third.home_branch = chain.south
    third.save()
    assert reasons() == []


def test_a_phone_of_many_is_a_placeholder(chain):
    for _ in range(7):
        person("Asha Sharma", phone="+919999999999")
    assert reasons() == []


def test_a_pair_that_is_none_any_more_goes_and_a_dismissed_one_stays(chain, manager):
    one, _other = (person("Asha Sharma", phone="+919876543210") for _ in range(2))
    services.find_duplicates()
    services.dismiss_duplicate(actor=manager, pair=DuplicatePair.objects.get())
    assert services.find_duplicates() == 0
    assert DuplicatePair.objects.count() == 1
    third = person("Asha Sharma", phone="+919876543210")
    assert services.find_duplicates() == 2
    services.merge_customers(actor=manager, keep=third, other=one, choices={})
    assert services.find_duplicates() == 0, "told apart from one, so from whom she became"


def test_it_is_looked_for_each_night_in_every_chain(chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        for _ in range(2):
            person("Asha Sharma", phone="+919876543210")
    keep_duplicates()
    assert not DuplicatePair.objects.exists()
    with tenant_scope(other_chain.tenant.pk):
        assert DuplicatePair.objects.count() == 1


def test_in_a_crowd_only_the_same_first_names_are_compared(chain, monkeypatch):
    monkeypatch.setattr(duplicates, "CROWD", 2)
    asha = person("Asha Sharma", home_branch=chain.north, phone="")
    person("Ashaa Sharma", home_branch=chain.north, phone="+919876543210")
    same = person("Asha Sharmaa", home_branch=chain.north, phone="+919876543221")
    assert reasons() == [["branch"]]
    pair = DuplicatePair.objects.get()
    assert {pair.first, pair.second} == {asha, same}
