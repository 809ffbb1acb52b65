"""Who stayed away from a staff member: by the last visit with them, whoever else served her."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, Purchase
from marketing.core.models import Role
from marketing.core.tenancy import tenant_scope
from marketing.followups import selectors, views
from tests.factories.core import make_staff
from tests.factories.customers import (
    CustomerFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    ServiceFactory,
    VisitFactory,
)
from tests.factories.followups import FollowupFactory
from tests.page_queries import questions

URL = "/api/v1/staff/inactive-customers"
ZONE = "Asia/Kolkata"


def ago(days, hours=0):
    return timezone.now() - dt.timedelta(days=days, hours=hours)


@pytest.fixture
def came(chain):
    """`came(customer, 90, 61)` with the receptionist, or with `staff`, so many days ago."""

    def visits(customer, *days, staff=chain.receptionist):
        return [
            VisitFactory(customer=customer, branch=chain.north, staff=staff, visited_at=ago(day))
            for day in days
        ]

    return visits


def names(answer):
    assert answer.status_code == 200, answer.content
    return [each["customerName"] for each in answer.json()["data"]]


def person(name, chain, **values):
    return CustomerFactory(first_name=name, last_name="", home_branch=chain.north, **values)


def test_the_last_visit_with_that_staff_member_counts(chain, came, api):
    came(person("long gone", chain), 300, 200)
    came(person("lately", chain), 300, 10)
    elsewhere = person("with a colleague since", chain)
    came(elsewhere, 90)
    came(elsewhere, 5, staff=chain.manager)
    came(person("of a colleague", chain), 90, staff=chain.manager)
    assert names(api("receptionist", "get", URL)) == ["with a colleague since", "long gone"]
    longest_first = api("receptionist", "get", URL, {"ordering": "lastVisitAt"})
    assert names(longest_first) == ["long gone", "with a colleague since"]


def test_sixty_days_are_not_longer_ago_and_days_are_whole(chain, came, api):
    came(person("sixty", chain), 60)
    VisitFactory(  # noon in India: 11 hours and 59 minutes before it that day began
        customer=person("sixty, in the morning", chain),
        branch=chain.north,
        staff=chain.receptionist,
        visited_at=ago(60, 11),
    )
    came(person("sixty-one", chain), 61)
    assert names(api("receptionist", "get", URL)) == ["sixty-one"]
    assert names(api("receptionist", "get", URL, {"days": 61})) == []
    assert len(names(api("receptionist", "get", URL, {"days": 59}))) == 3


def test_two_visits_at_one_moment_are_one_customer(chain, came, api):
    came(person("twice", chain), 90, 90)
    assert names(api("receptionist", "get", URL)) == ["twice"]


def test_erased_and_merged_people_are_left_out(chain, came, api):
    for status in ("erased", "merged"):
        gone = person(status, chain)
        came(gone, 90)
        Customer.objects.filter(pk=gone.pk).update(status=status)
    assert names(api("receptionist", "get", URL)) == []


@pytest.mark.parametrize("bad", [{"days": "0"}, {"days": "x"}, {"days": "4000"}, {"staffId": "x"}])
def test_a_bad_question_is_refused_at_its_name(chain, api, bad):
    answer = api("receptionist", "get", URL, bad)
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == set(bad)


def test_what_is_told_of_her(chain, came, api):
    asha = person("Asha", chain, phone="+919876543210", language="hi")
    (visit,) = came(asha, 90)
    came(asha, 200)
    cut, colour = ServiceFactory(name="Cut"), ServiceFactory(name="Colour")
    bill = PurchaseFactory(customer=asha, branch=chain.north, purchased_at=ago(90), visit=visit)
    bill.lines.all().delete()
    mine, manager = chain.receptionist, chain.manager
    PurchaseLineFactory(purchase=bill, service=cut, staff=mine, unit_price=Decimal(400))
    PurchaseLineFactory(purchase=bill, service=colour, staff=None, unit_price=Decimal(900))
    PurchaseLineFactory(purchase=bill, staff=manager, unit_price=Decimal(5_000))
    void = PurchaseFactory(
        customer=asha, branch=chain.north, status=Purchase.Status.VOID, lines__staff=mine
    )
    assert void.lines.exists()
    reminder = FollowupFactory(staff=mine, customer=asha, branch=chain.north, in_days=2)
    (told,) = api("receptionist", "get", URL).json()["data"]
    assert told == {
        "customerId": str(asha.pk),
        "customerName": "Asha",
        "customerPhone": "+919876543210",
        "language": "hi",
        "marketingOptedOut": False,
        "lastVisitAt": "2026-03-17T06:30:00.000000Z",
        "daysSinceLastVisit": 90,
        "branchId": str(chain.north.pk),
        "lastService": "Colour",
        "visitCount": 2,
        "totalSpend": "1300.00",
        "currency": "INR",
        "followupId": str(reminder.pk),
    }


def test_pages_follow_each_other(chain, came, api):
    for day in range(70, 77):
        came(person(str(day), chain), day)
    seen, cursor = [], None
    while True:
        answer = api(
            "receptionist", "get", URL, {"limit": 3} | ({"cursor": cursor} if cursor else {})
        )
        seen += names(answer)
        if not (cursor := answer.json()["page"]["next"]):
            break
    assert seen == [str(day) for day in range(70, 77)]


def test_managers_look_after_their_branches_people(chain, came, api, other_chain):
    came(person("of the desk", chain), 90)
    asked = {"staffId": str(chain.receptionist.pk)}
    for staff in ("manager", "regional", "owner"):
        assert names(api(staff, "get", URL)) == []
        assert names(api(staff, "get", URL, asked)) == ["of the desk"]
    colleague = make_staff(Role.RECEPTIONIST, chain.north)
    elsewhere = make_staff(Role.RECEPTIONIST, chain.west)
    for staff, whose in (
        ("receptionist", colleague),
        ("manager", elsewhere),
        ("owner", other_chain.receptionist),
    ):
        answer = api(staff, "get", URL, {"staffId": str(whose.pk)})
        assert answer.status_code == 404
        page = api(staff, "get", reverse("followup-inactive"), {"staff": str(whose.pk)})
        assert page.status_code == 404


@pytest.mark.parametrize("count", [1, 8])
def test_the_page_takes_the_same_queries_however_many_stayed_away(chain, came, login, count):
    for number in range(count):
        asha = person(f"Asha{number}", chain)
        came(asha, 90, 120)
        PurchaseFactory(customer=asha, branch=chain.north, lines__staff=chain.receptionist)
    url = reverse("followup-inactive") + f"?staff={chain.receptionist.pk}"
    asked, fragments = questions(login("manager"), url)
    assert fragments == 0
    assert len(asked) == 11, "\n".join(asked)


def test_the_page_offers_a_call_a_chat_and_a_reminder(chain, came, login):
    gone = person("Gone", chain, phone="+919876543210")
    came(gone, 90)
    nameless = person("No phone", chain, phone="")
    came(nameless, 91)
    out = person("Left alone", chain, consent={"marketing_opted_out": True})
    came(out, 92)
    text = login("receptionist").get(reverse("followup-inactive")).text
    assert 'href="tel:+919876543210"' in text
    assert "https://wa.me/919876543210?text=Hello%20Gone%2C%20this%20is%20Receptionist" in text
    assert text.count("tel:") == 2
    assert text.count("Call about visits, not about offers") == 1
    assert reverse("followup-new", args=[gone.pk]) in text


def test_the_zone_is_that_of_where_she_works(chain):
    assert selectors.zone_of_staff(chain.owner) == "Asia/Kolkata"
    chain.north.time_zone = "Asia/Dubai"
    chain.north.save()
    assert selectors.zone_of_staff(chain.receptionist) == "Asia/Dubai"


def test_another_chain_sees_none_of_it(chain, came, other_chain):
    came(person("Asha", chain), 90)
    with tenant_scope(other_chain.tenant.pk):
        assert not selectors.last_visits_before(chain.receptionist, 60, ZONE).exists()


def test_pages_of_the_page(chain, came, login, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    for day in range(70, 75):
        came(person(f"Day{day}", chain), day)
    desk, url = login("receptionist"), reverse("followup-inactive")
    for page, expected in (("1", ["Day70", "Day71"]), ("3", ["Day74"]), ("x", ["Day70", "Day71"])):
        people = desk.get(url, {"page": page}).context["people"]
        assert [each.customer.first_name for each in people] == expected
    assert "page=2" in desk.get(url).text
    assert "page=4" not in desk.get(url, {"page": "3"}).text
    assert desk.get(url, {"days": "x"}).status_code == 400
