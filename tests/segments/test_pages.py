"""The pages, by plain form posts; HTMX gets fragments of the same."""

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.models import Customer
from marketing.core.tenancy import tenant_scope
from marketing.segments import services
from marketing.segments.models import Segment
from tests.factories.customers import CustomerFactory
from tests.factories.segments import (
    SegmentFactory,
    StaticSegmentFactory,
    group,
    where,
)
from tests.page_queries import questions

COMERS = where("visit_count", "gte", 1)


def form_of(rules: dict[str, Any], path: str = "rules") -> dict[str, Any]:
    """What a browser posts for rules."""
    if "conditions" in rules:
        found: dict[str, Any] = {f"{path}.operator": rules["operator"]}
        for index, child in enumerate(rules["conditions"]):
            found |= form_of(child, f"{path}.conditions.{index}")
        return found
    if "segment" in rules:
        return {
            f"{path}.field": "segment",
            f"{path}.segment": rules["segment"],
            f"{path}.op": rules["op"],
        }
    found = {f"{path}.field": rules["field"], f"{path}.was": rules["field"]}
    found[f"{path}.op"] = rules["op"]
    value: Any = rules.get("value")
    if rules["op"] == "between":
        return found | {f"{path}.value.0": value[0], f"{path}.value.1": value[1]}
    if isinstance(value, bool):
        value = str(value).lower()
    return found if value is None else found | {f"{path}.value": value}


def post(
    client: Client, path: str, rules: dict[str, Any], action: str = "save", **more: Any
) -> Any:
    return client.post(path, form_of(rules) | {"action": action} | more)


def paths(response: Any) -> list[str]:
    """The fields of the drawn conditions, in order."""
    found = r'name="(rules[.\w]*)\.was" value="([\w.]+)"'
    return [f"{path} {field}" for path, field in re.findall(found, response.content.decode())]


def test_the_list(people, login, django_assert_max_num_queries):
    services.ensure_system_segments()
    reference = SegmentFactory(name="Mine <b>")
    SegmentFactory(rules=group("AND", {"segment": str(reference.pk), "op": "in"}))
    SegmentFactory(name="South only", branch_ids=[people.south.pk])
    services.refresh_all()
    client = login("manager")
    # Session, user, scope, staff, branches; then count, rows, segments named in rules, currency.
    with django_assert_max_num_queries(16):
        page = client.get("/segments").content.decode()
    assert "Repeat Customers" in page
    assert "Mine &lt;b&gt;" in page
    assert "Everybody who is in “Mine &lt;b&gt;”." in page
    assert "South only" not in page
    assert "Repeat" not in client.get("/segments?q=mine").content.decode()
    assert client.get("/segments?page=99&q=zzz").status_code == 200


def test_from_a_list(people, login):
    north, never = (Customer.objects.get(first_name=name) for name in ("north", "never"))
    text = f"phone,name\n{never.phone},Never\n,\n12345,Nobody\n".encode()
    client = login("manager")
    response = client.post(
        "/segments/new/list",
        {"name": "Listed", "phones": f"{north.phone}\n", "file": SimpleUploadedFile("a.csv", text)},
        follow=True,
    )
    assert Segment.objects.get().customer_count == 2
    assert "Saved. 1 line is no phone number: “12345”." in response.content.decode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "x"}, "Choose at least one customer."),
        (
            {"name": "x", "file": SimpleUploadedFile("a.csv", b"phone,name\n,A\n")},
            "No phone number",
        ),
        ({"name": "x", "phones": "1\n" * 10_001}, "At most 10000 numbers."),
        ({"name": "x", "file": SimpleUploadedFile("a.csv", b"\xff\xfe\x00")}, "UTF-8"),
        ({"name": "x", "file": SimpleUploadedFile("a.csv", b"1" * 1_000_001)}, "larger than 1 MB"),
        ({"name": "", "phones": "1"}, "Please fill this in."),
    ],
)
def test_bad_lists(people, login, data, message):
    response = login("manager").post("/segments/new/list", data)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Segment.objects.exists()


def test_lines_of_nobody_are_named_at_their_field_and_everything_typed_stays(people, login):
    far = CustomerFactory(home_branch=people.south)
    typed = "\n".join(["98765 43210", "call her", *(str(number) for number in range(6)), far.phone])
    response = login("manager").post(
        "/segments/new/list",
        {
            "name": "Listed",
            "description": "By hand",
            "phones": typed,
            "file": SimpleUploadedFile("a.csv", f"phone\n{'x' * 60}\n".encode()),
        },
    )
    assert response.status_code == 422
    form = response.context["form"]
    assert form.errors == {
        "phones": [
            "7 lines are no phone numbers: “call her”, “0”, “1”, “2”, “3” …",
            f"2 numbers are of nobody among your customers: “98765 43210”, “{far.phone}”.",
        ],
        "file": [f"1 line is no phone number: “{'x' * 39}…”."],
    }
    page = response.content.decode()
    assert 'id="id_phones_error"' in page
    assert 'value="Listed"' in page
    assert f">\n{typed}</textarea>" in html.unescape(page)
    assert not Segment.objects.exists()


def test_a_list_of_nobody_leaves_the_one_there_is(people, login):
    segment = StaticSegmentFactory(members=Customer.objects.filter(first_name="north"))
    answer = login("owner").post(
        f"/segments/{segment.pk}/edit", {"name": "Renamed", "version": 1, "phones": "12"}
    )
    assert answer.context["form"].errors == {"phones": ["1 line is no phone number: “12”."]}
    segment.refresh_from_db()
    assert (segment.version, segment.members.count()) == (1, 1)


def test_changing_a_list(people, login):
    segment = StaticSegmentFactory(members=Customer.objects.filter(first_name="north"))
    client, edit = login("owner"), f"/segments/{segment.pk}/edit"
    assert "replace the people" in client.get(edit).content.decode()
    assert client.post(edit, {"name": "Renamed", "version": 1}).status_code == 302
    assert segment.members.count() == 1
    phone = Customer.objects.get(first_name="south").phone
    client.post(edit, {"name": "Renamed", "version": 2, "phones": phone})
    assert segment.members.get().customer.first_name == "south"


def test_one_segment(people, login, django_assert_max_num_queries):
    segment = SegmentFactory(name="Comers", rules=COMERS)
    SegmentFactory(name="User", rules=group("AND", {"segment": str(segment.pk), "op": "in"}))
    CustomerFactory.create_batch(60, home_branch=people.north, facts={"visit_count": 1})
    client = login("manager")
    with django_assert_max_num_queries(18):
        page = client.get(f"/segments/{segment.pk}").content.decode()
    assert "Everybody whose number of visits is at least 1." in page
    assert ">User</a>" in page
    assert page.count("data-row-link") == 50
    following = re.search(r'href="(\?after=[^"]+)"', page)
    assert following
    rest = client.get(f"/segments/{segment.pk}{following[1]}").content.decode()
    assert rest.count("data-row-link") == 11
    assert "south Sharma" not in page + rest
    assert client.get(f"/segments/{segment.pk}?after=x&customer=y").status_code == 200


def test_why_she_is_in_it_or_not(people, login):
    segment = SegmentFactory(rules=COMERS)
    client = login("manager")
    found = client.get(f"/segments/{segment.pk}?person=never").content.decode()
    never = Customer.objects.get(first_name="never")
    assert f"customer={never.pk}" in found
    page = client.get(f"/segments/{segment.pk}?customer={never.pk}").content.decode()
    assert "never Sharma is not in it." in page
    assert "Number of visits is at least 1" in page
    assert client.get(f"/segments/{segment.pk}?customer={segment.pk}").status_code == 404


def test_rules_that_broke_are_told(people, login):
    segment = SegmentFactory(rules=where("attribute.gone", "eq", "x"))
    page = login("owner").get(f"/segments/{segment.pk}").content.decode()
    assert "These rules can no longer be used" in page
    refreshed = login("owner").post(f"/segments/{segment.pk}/refresh", follow=True)
    assert "cannot be used as they are" in refreshed.content.decode()


def test_refresh_copy_delete(people, login):
    segment = SegmentFactory(name="First")
    client = login("owner")
    client.post(f"/segments/{segment.pk}/refresh")
    segment.refresh_from_db()
    assert segment.customer_count == 2
    client.post(f"/segments/{segment.pk}/copy")
    copy = Segment.objects.get(name="First (copy)")
    user = SegmentFactory(rules=group("AND", {"segment": str(copy.pk), "op": "in"}))
    page = client.post(f"/segments/{copy.pk}/delete", follow=True).content.decode()
    assert "This segment is in use" in page
    client.post(f"/segments/{user.pk}/delete")
    client.post(f"/segments/{copy.pk}/delete")
    assert set(Segment.objects.filter(is_active=True)) == {segment}


def test_the_card_on_a_customer_s_page(people, login):
    services.ensure_system_segments()
    SegmentFactory(rules=where("attribute.gone", "eq", "x"), name="Broken")
    north = Customer.objects.get(first_name="north")
    client = login("receptionist")
    page = client.get(f"/customers/{north.pk}").content.decode()
    assert "Repeat Customers" in page
    assert "New Customers" not in page
    assert "Broken" not in page
    asked, _fragments = questions(client, f"/customers/{north.pk}")
    assert len(asked) == 23, "\n".join(asked)


PAGES = [
    ("get", "/segments/new"),
    ("post", "/segments/new"),
    ("get", "/segments/new/list"),
    ("post", "/segments/preview"),
    ("get", "/segments/{pk}/edit"),
    ("post", "/segments/{pk}/refresh"),
    ("post", "/segments/{pk}/copy"),
    ("post", "/segments/{pk}/delete"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_receptionists_only_look(people, login, method, path):
    segment = SegmentFactory(branch_ids=[people.north.pk])
    client = login("receptionist")
    assert getattr(client, method)(path.format(pk=segment.pk)).status_code == 403
    page = client.get(f"/segments/{segment.pk}").content.decode()
    assert "north Sharma" not in page
    assert "/edit" not in page
    assert Segment.objects.get().is_active


@pytest.mark.parametrize(("method", "path"), [("get", "/segments/{pk}"), *PAGES[4:]])
def test_others_segments_do_not_exist(people, other_chain, login, method, path):
    with tenant_scope(other_chain.tenant.pk):
        foreign = SegmentFactory()
    of_south = SegmentFactory(branch_ids=[people.south.pk])
    for segment, staff in ((foreign, "owner"), (of_south, "manager")):
        assert getattr(login(staff), method)(path.format(pk=segment.pk)).status_code == 404
    assert Segment.objects.get().is_active


def test_a_manager_copies_what_reaches_further(people, login):
    segment = SegmentFactory(name="Chain")
    client = login("manager")
    assert client.get(f"/segments/{segment.pk}/edit").status_code == 403
    assert client.post(f"/segments/{segment.pk}/delete").status_code == 403
    client.post(f"/segments/{segment.pk}/copy")
    assert Segment.objects.get(name="Chain (copy)").branch_ids == [people.north.pk]


def test_pages_ask_for_a_login(people, client):
    assert client.get("/segments").headers["Location"].startswith("/login")
