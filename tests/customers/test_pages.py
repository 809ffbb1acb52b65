"""The customers' pages as staff use them."""

import datetime as dt
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import services
from customers.models import (
    AttributeDefinition,
    CategoryRhythm,
    Customer,
    CustomerNote,
)
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services as coupons
from marketing.coupons.models import CouponCode
from tests.factories.coupons import make_offer, system
from tests.factories.customers import (
    CustomerFactory,
    MembershipFactory,
    PackageFactory,
    ServiceCategoryFactory,
    VisitFactory,
)
from tests.factories.loyalty import earn, make_programme
from tests.page_queries import questions


@pytest.fixture
def theirs(other_chain):
    with tenant_scope(other_chain.tenant.pk):
        return CustomerFactory(first_name="Theirs")


def page(name, customer):
    return reverse(f"customer-{name}", args=[customer.pk])


LIST, NEW = reverse("customer-list"), reverse("customer-new")


def test_the_list_shows_the_branchs_people(asha, login, chain, theirs):
    CustomerFactory(first_name="Elsewhere", home_branch=chain.south)
    text = login("receptionist").get(LIST).text
    assert "Asha" in text
    assert "+91 98765 43210" in text
    assert "₹1.5 L" in text
    assert "Elsewhere" not in text
    assert "Theirs" not in text


def test_the_look_up_is_chain_wide_with_and_without_scripts(asha, login, chain, theirs):
    CustomerFactory(first_name="Elsewhere", home_branch=chain.south)
    client = login("receptionist")
    for headers in ({}, {"HX-Request": "true"}):
        text = client.get(LIST, {"q": "else"}, headers=headers).text
        assert "Elsewhere" in text
        assert "Asha" not in text
    assert "Nobody found" in client.get(LIST, {"q": "theirs"}).text
    assert "Elsewhere" in client.get(LIST, {"q": "else\0where"}).text


def test_the_list_comes_in_pages_both_ways(login, chain):
    for number in range(52):
        CustomerFactory(first_name=f"P{number}.", home_branch=chain.north)
    client = login("manager")
    first = client.get(LIST)
    assert "P51." in first.text
    assert "P1." not in first.text
    older = client.get(LIST, {"before": first.context["older"]})
    assert "P1." in older.text
    assert "P2." not in older.text
    assert older.context["older"] is None
    newer = client.get(LIST, {"after": older.context["newer"]})
    assert newer.context["customers"] == first.context["customers"]
    assert newer.context["newer"] is None


def test_a_strange_page_of_the_list_is_refused(login, chain):
    assert login("manager").get(LIST, {"before": "x"}).status_code == 400


@pytest.mark.parametrize("count", [1, 6])
def test_the_list_takes_the_same_queries_however_long(
    login, chain, count, django_assert_max_num_queries
):
    make_programme()
    offer = make_offer(automatic=False)
    for _ in range(count):
        asha = CustomerFactory(home_branch=chain.north)
        MembershipFactory(customer=asha)
        earn(asha, 1_250)
    coupons.issue_codes(actor=system(), offer=offer, customers=Customer.objects.all())
    client = login("receptionist")
    with django_assert_max_num_queries(14):
        shown = client.get(LIST)
    assert [column.label for column in shown.context["columns"]] == ["Codes", "Points"]
    assert "1,250" in shown.text


def test_the_list_tells_what_she_may_use_now(login, chain):
    """Codes used, over, revoked or of an offer that is off are none, nor points that expired."""
    asha, bina = CustomerFactory.create_batch(2, home_branch=chain.north)
    client = login("receptionist")
    assert [column.label for column in client.get(LIST).context["columns"]] == ["Codes"]
    make_programme(expiry_months=1)
    earn(asha, 7)
    earn(asha, 100, at=timezone.now() - dt.timedelta(days=90))
    offer, off = make_offer(automatic=False), make_offer(automatic=False)
    for each in (offer, offer, offer, offer, off):
        coupons.issue_codes(
            actor=system(), offer=each, customers=Customer.objects.filter(pk=asha.pk)
        )
    used, over, revoked, *_good = CouponCode.objects.order_by("pk").values_list("pk", flat=True)
    for pk, values in (
        (used, {"used": 1}),
        (over, {"expires_at": timezone.now()}),
        (revoked, {"revoked_at": timezone.now()}),
    ):
        CouponCode.objects.filter(pk=pk).update(**values)
    coupons.deactivate_offer(actor=system(), offer=off)
    shown = {
        customer.pk: [number for _label, number in numbers]
        for customer, numbers in client.get(LIST).context["rows"]
    }
    assert shown == {asha.pk: [1, 7], bina.pk: [0, 0]}


def test_the_page_tells_her_value_and_rhythm(login, chain):
    asha = CustomerFactory(
        home_branch=chain.north,
        facts={
            "stage": "active",
            "rfm_group": "loyal",
            "rfm_recency": 4,
            "rfm_frequency": 5,
            "rfm_monetary": 3,
        },
    )
    today = timezone.now().date()
    for name, due in (("Hair", -9), ("Nails", 9)):
        CategoryRhythm.objects.create(
            customer=asha,
            category=ServiceCategoryFactory(name=name),
            visits=3,
            last_at=timezone.now(),
            interval_days=30,
            due_on=today + dt.timedelta(days=due),
        )
    text = login("receptionist").get(page("detail", asha)).text
    assert "Loyal customers" in text
    assert "Recency 4, frequency 5, spend 3 of 5" in text
    assert "about every 30 days, last" in text
    assert text.count("Overdue") == 1
    assert "Nails" in text


@pytest.mark.parametrize("count", [1, 6])
def test_the_page_takes_the_same_queries_however_much_happened(asha, login, chain, manager, count):
    for number in range(count):
        VisitFactory(customer=asha, branch=chain.north, staff=chain.manager)
        services.add_note(actor=manager, customer=asha, text="chai")
        services.record_consent(
            actor=manager, customer=asha, changes={"is_dnd": not number % 2}, source="staff"
        )
    asked, fragments = questions(login("manager"), page("detail", asha))
    assert fragments == 0
    assert len(asked) == 20, "\n".join(asked)


def test_the_page_shows_who_she_is(asha, login, chain, manager):
    AttributeDefinition.objects.create(key="skin", label="Skin type", type="text")
    services.update_customer(
        actor=manager, customer=asha, values={"attributes": {"skin": "dry"}, "tags": ["VIP"]}
    )
    services.add_note(actor=manager, customer=asha, text="likes chai <b>")
    MembershipFactory(customer=asha, plan="Gold")
    PackageFactory(customer=asha, name="Six facials")
    VisitFactory(customer=asha, branch=chain.south)
    text = login("receptionist").get(page("detail", asha)).text
    for shown in (
        "+91 98765 43210",
        "Skin type",
        "VIP",
        "likes chai &lt;b&gt;",
        "Gold",
        "Six facials",
    ):
        assert shown in text
    for way in (page("timeline", asha), f"{page('detail', asha)}?history=all"):
        assert "Visit at South" in login("receptionist").get(way).text


def test_an_attribute_that_is_yes_or_no_is_told_in_words(asha, login, manager):
    for key in ("female_stylist", "bridal"):
        AttributeDefinition.objects.create(key=key, label=key.title(), type="boolean")
    values = {"attributes": {"female_stylist": True, "bridal": False}}
    services.update_customer(actor=manager, customer=asha, values=values)
    shown = login("receptionist").get(page("detail", asha)).context["attributes"]
    assert dict(shown) == {"Female_Stylist": "Yes", "Bridal": "No"}


def test_a_customer_of_another_branch_can_be_opened(login, chain):
    there = CustomerFactory(home_branch=chain.west)
    assert login("receptionist").get(page("detail", there)).status_code == 200


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("detail", "get"),
        ("edit", "get"),
        ("edit", "post"),
        ("timeline", "get"),
        ("consent", "post"),
        ("note", "post"),
        ("export", "post"),
        ("erase", "post"),
    ],
)
def test_another_tenants_customer_is_not_found(login, chain, theirs, name, method):
    answer = getattr(login("owner"), method)(page(name, theirs))
    assert answer.status_code == 404
    assert "Theirs" not in answer.text


def test_strangers_are_sent_to_log_in(asha):
    for url in (LIST, NEW, page("detail", asha)):
        answer = Client().get(url)
        assert (answer.status_code, answer.url) == (302, f"/login?next={url}")


def test_a_receptionist_enters_a_customer(login, chain):
    AttributeDefinition.objects.create(
        key="skin", label="Skin type", type="choice", choices=["dry", "oily"]
    )
    client = login("receptionist")
    assert "Skin type" in client.get(NEW).text
    answer = client.post(
        NEW,
        {
            "first_name": "आशा 💇",
            "phone": "98765 43210",
            "language": "hi",
            "preferred_channel": "sms",
            "home_branch": chain.north.pk,
            "tags": "VIP, bridal",
            "attribute_skin": "dry",
            "birth_date": "1990-05-01",
        },
    )
    customer = Customer.objects.get()
    assert (answer.status_code, answer.url) == (302, page("detail", customer))
    assert (customer.first_name, customer.phone) == ("आशा 💇", "+919876543210")
    assert (customer.tags, customer.attributes) == (["VIP", "bridal"], {"skin": "dry"})
    assert (customer.source, customer.language) == ("staff", "hi")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phone": "98765"}, "No such phone number can exist"),
        ({"phone": "call me"}, "This is not a phone number"),
        ({"email": "asha@"}, "This is not an e-mail address"),
        ({"first_name": ""}, "Please fill this in."),
        ({"birth_date": "soon"}, "A date, please."),
        ({"language": "fr"}, "Choose one of the list."),
        ({"attribute_visits": "many"}, "A number, please."),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_nothing_is_lost(login, chain, changes, words):
    AttributeDefinition.objects.create(key="visits", label="Visits", type="number")
    body = {
        "first_name": "Asha",
        "last_name": "Sharma",
        "language": "en",
        "preferred_channel": "sms",
    }
    answer = login("receptionist").post(NEW, body | changes)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Sharma"' in answer.text
    assert not Customer.objects.exists()


def test_another_branchs_customer_keeps_her_branch_in_the_form(login, chain):
    there = CustomerFactory(home_branch=chain.west)
    client = login("receptionist")
    form = client.get(page("edit", there)).context["form"]
    assert form.initial["home_branch"] == chain.west
    body = {
        name: form[name].value() or ""
        for name in form.fields
        if name not in ("tags", "home_branch")
    }
    answer = client.post(
        page("edit", there), body | {"home_branch": chain.west.pk, "last_name": "Rao"}
    )
    assert answer.status_code == 302
    there.refresh_from_db()
    assert (there.last_name, there.home_branch) == ("Rao", chain.west)


def test_two_people_editing_do_not_overwrite_each_other(asha, login, manager):
    client = login("manager")
    form = client.get(page("edit", asha)).context["form"]
    services.update_customer(actor=manager, customer=asha, values={"last_name": "Rao"})
    body = {
        "first_name": "Asha",
        "last_name": "Khan",
        "language": "en",
        "preferred_channel": "sms",
        "version": form["version"].value(),
    }
    answer = client.post(page("edit", asha), body)
    assert answer.status_code == 422
    assert "Somebody changed this customer" in answer.text
    asha.refresh_from_db()
    assert asha.last_name == "Rao"


def test_notes(asha, login):
    client = login("receptionist")
    assert client.post(page("note", asha), {"text": "likes chai"}).status_code == 302
    assert CustomerNote.objects.get().text == "likes chai"
    assert client.post(page("note", asha), {"text": " "}).status_code == 422
    assert CustomerNote.objects.count() == 1


def test_the_history_goes_on_below(asha, login, chain):
    for _ in range(20):
        VisitFactory(customer=asha, branch=chain.north)
    client = login("receptionist")
    first = client.get(page("timeline", asha))
    cursor = first.context["timeline"].next
    assert f"cursor={cursor}" in first.text
    rest = client.get(page("timeline", asha), {"cursor": cursor})
    assert rest.text.count("timeline-entry") == 5
    assert "<html" not in rest.text


def test_only_managers_export_and_only_owners_erase(asha, login):
    assert login("receptionist").post(page("export", asha)).status_code == 403
    exported = login("manager").post(page("export", asha))
    assert json.loads(exported.text)["customer"]["phone"] == "+919876543210"
    assert "attachment" in exported.headers["Content-Disposition"]
    assert login("regional").post(page("erase", asha)).status_code == 403
    asha.refresh_from_db()
    assert asha.status == Customer.Status.ACTIVE
    assert login("owner").post(page("erase", asha)).status_code == 302
    asha.refresh_from_db()
    assert asha.status == Customer.Status.ERASED


def test_the_page_stands_in_hindi(asha, login):
    client = login("manager")
    client.cookies["django_language"] = "hi"
    answer = client.get(page("detail", asha))
    assert 'lang="hi"' in answer.text
