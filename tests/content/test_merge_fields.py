"""Values are taken from the rows of many customers at once."""

import datetime as dt

import pytest

from customers.models import Customer, Membership
from marketing.content import merge_fields
from tests.factories.customers import CustomerFactory, ServiceFactory

NAMES = [field.name for field in merge_fields.all_fields() if field.kind != merge_fields.SYSTEM]


@pytest.fixture
def asha(chain):
    chain.north.phone = "+912226400100"
    chain.north.time_zone = "Asia/Kolkata"
    chain.north.save()
    customer = CustomerFactory(
        first_name="Asha",
        last_name="Rao",
        home_branch=chain.north,
        birth_date=dt.date(1994, 12, 5),
        facts={
            "visit_count": 7,
            # 19:00 in London is already the next day in India.
            "last_visit_at": dt.datetime(2026, 10, 17, 19, tzinfo=dt.UTC),
            "favourite_service": ServiceFactory(name="Hair spa"),
            "membership_expires_on": dt.date(2026, 12, 31),
            "package_sessions_left": 3,
            "package_expires_on": dt.date(2026, 12, 15),
        },
    )
    for plan, year in (("Silver", 2025), ("Gold", 2026)):
        Membership.objects.create(
            customer=customer,
            plan=plan,
            starts_on=dt.date(year, 1, 1),
            expires_on=dt.date(year, 12, 31),
        )
    return customer


def test_every_field_as_text(chain, asha):
    assert merge_fields.values_of(asha, NAMES) == {
        "customer_name": "Asha",
        "last_name": "Rao",
        "full_name": "Asha Rao",
        "salon_name": chain.tenant.name,
        "branch_name": "North",
        "branch_phone": "+912226400100",
        "branch_city": "Mumbai",
        "last_visit_date": "2026-10-18",
        "visit_count": "7",
        "favourite_service": "Hair spa",
        "membership_plan": "Gold",
        "membership_expiry_date": "2026-12-31",
        "package_sessions_left": "3",
        "package_expiry_date": "2026-12-15",
        "birthday": "1994-12-05",
        "points_balance": "0",
        "loyalty_tier": "",
        "points_expiring": "",
        "points_expiry_date": "",
        "birthday_code": "",
        "birthday_code_until": "",
        "referral_code": "",
        "referral_link": "",
    }


def test_what_is_not_known_is_empty(chain):
    values = merge_fields.values_of(CustomerFactory(first_name="Ravi", last_name=""), NAMES)
    known = {"customer_name", "full_name", "salon_name", "visit_count", "points_balance"}
    assert {name for name, value in values.items() if value} == known
    assert (values["full_name"], values["visit_count"]) == ("Ravi", "0")


def test_no_sessions_left_is_no_value(chain):
    empty = CustomerFactory(facts={"package_sessions_left": 0})
    assert merge_fields.values_of(empty, ["package_sessions_left"]) == {"package_sessions_left": ""}


def test_any_number_of_people_takes_one_query(chain, asha, django_assert_num_queries):
    CustomerFactory.create_batch(5, home_branch=chain.north)
    with django_assert_num_queries(1):
        rows = list(merge_fields.resolve(Customer.objects.all(), NAMES))
    assert len(rows) == 6
    assert {row.merge_branch_name for row in rows} == {"North"}


def test_the_senders_own_values_are_not_looked_up(chain, asha):
    people = merge_fields.resolve(Customer.objects.all(), ["unsubscribe_url"])
    assert not hasattr(people.get(), "merge_unsubscribe_url")
    assert merge_fields.values_of(asha, ["unsubscribe_url"]) == {}


def test_an_unregistered_name_is_an_error(chain):
    with pytest.raises(KeyError):
        merge_fields.resolve(Customer.objects.all(), ["nope"])


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [("custmer_name", "customer_name"), ("BranchName", "branch_name"), ("zzzz", None)],
)
def test_suggests_the_nearest_name(typed, suggested):
    assert merge_fields.nearest(typed) == suggested


def test_a_name_is_registered_once():
    field = merge_fields.get("customer_name")
    with pytest.raises(ValueError, match="twice"):
        merge_fields.register(field)
