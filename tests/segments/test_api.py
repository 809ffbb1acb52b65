"""Segments over HTTP: Module 11's shapes, and every refusal."""

import json
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Customer
from marketing.core.tenancy import tenant_scope
from marketing.segments import services
from marketing.segments.models import Segment, SegmentVersion
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, StaticSegmentFactory, group, where

COMERS = where("visit_count", "gte", 1)
BODY = {"name": "Comers", "rules": COMERS}


def error(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["error"]
    return found


def test_create(people, api):
    response = api("owner", "post", "segments", BODY | {"description": "Who comes"})
    assert response.status_code == 201
    data = response.json()["data"]
    assert data["customerCount"] == 2
    segment = data["segment"]
    for moment in ("lastRefreshedAt", "createdAt", "updatedAt"):
        assert segment.pop(moment)
    assert segment == {
        "id": str(Segment.objects.get().pk),
        "tenantId": str(people.tenant.pk),
        "name": "Comers",
        "description": "Who comes",
        "segmentType": "custom",
        "isDynamic": True,
        "rules": COMERS,
        "customerCount": 2,
        "branchIds": None,
        "isActive": True,
        "version": 1,
        "createdBy": str(people.owner.user.pk),
    }


def test_create_twice_with_one_key_makes_one(people, api):
    headers = {"Idempotency-Key": "abc"}
    first, second = (api("owner", "post", "segments", BODY, **headers) for _ in range(2))
    assert first.json()["data"] == second.json()["data"]
    assert Segment.objects.count() == 1


def test_create_static(people, api):
    north = Customer.objects.get(first_name="north")
    body = {"name": "Listed", "isDynamic": False}
    response = api("manager", "post", "segments", body | {"customerIds": [str(north.pk)]})
    assert response.json()["data"]["customerCount"] == 1
    phones = [north.phone, "12", "+919800000000"]
    response = api("manager", "post", "segments", body | {"phones": phones})
    data = response.json()["data"]
    assert (data["customerCount"], data["unmatched"]) == (1, ["12", "+919800000000"])
    assert data["segment"]["isDynamic"] is False


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"rules": COMERS}, "name"),
        ({"name": "x"}, "rules"),
        ({"name": "x", "rules": None}, "rules"),
        ({"name": "x", "rules": []}, "rules"),
        ({"name": "x", "rules": where("visit_count", "gt", "9")}, "rules.conditions.0.value"),
        ({"name": "x", "rules": COMERS, "branchIds": ["x"]}, "branchIds.0"),
        ({"name": "x", "rules": COMERS, "colour": 1}, "colour"),
        ({"name": "x", "rules": COMERS, "isDynamic": False}, "isDynamic"),
        ({"name": "x", "rules": COMERS, "customerIds": []}, "isDynamic"),
        ({"name": "x", "isDynamic": False, "customerIds": []}, "customerIds"),
        ({"name": "x", "isDynamic": False, "phones": ["nobody"]}, "customerIds"),
        ({"name": "a\x00b", "rules": COMERS}, "name"),
    ],
)
def test_bad_bodies(people, api, body, path):
    response = api("owner", "post", "segments", body)
    assert (response.status_code, error(response)["code"]) == (400, "MARKETING_400")
    assert path in error(response)["fields"]
    assert not Segment.objects.exists()


def test_list_follows_the_actor_s_branches(
    people, api, login, other_chain, django_assert_max_num_queries
):
    services.ensure_system_segments()
    services.refresh_all()
    SegmentFactory(branch_ids=[people.south.pk])
    with tenant_scope(other_chain.tenant.pk):
        SegmentFactory()
    client = login("manager")
    # Session, user, scope, staff and branches; then one for the list.
    with django_assert_max_num_queries(12):
        response = client.get("/api/v1/segments", {"limit": 100})
    names = {row["name"]: row["customerCount"] for row in response.json()["data"]}
    assert len(names) == 54
    assert names["Repeat Customers"] == 1
    assert len(api("owner", "get", "segments", {"limit": 100}).json()["data"]) == 55
    found = api("owner", "get", "segments", {"q": "repeat", "segmentType": "system"})
    assert [row["name"] for row in found.json()["data"]] == ["Repeat Customers"]
    assert "segmentType" in error(api("owner", "get", "segments", {"segmentType": "x"}))["fields"]


def test_get_patch_delete(people, api):
    pk = api("owner", "post", "segments", BODY).json()["data"]["segment"]["id"]
    assert api("receptionist", "get", f"segments/{pk}").json()["data"]["customerCount"] == 1
    changed = api("owner", "patch", f"segments/{pk}", {"name": "New", "version": 1}).json()["data"]
    assert (changed["segment"]["name"], changed["segment"]["version"]) == ("New", 2)
    stale = api("owner", "patch", f"segments/{pk}", {"name": "Old"}, **{"If-Match": '"1"'})
    assert stale.status_code == 409
    assert error(stale)["details"] == {"current": 2}
    unknown = api("owner", "patch", f"segments/{pk}", {"isDynamic": False})
    assert (unknown.status_code, list(error(unknown)["fields"])) == (400, ["isDynamic"])
    assert api("owner", "delete", f"segments/{pk}").status_code == 204
    assert api("owner", "get", f"segments/{pk}").status_code == 404


def test_delete_in_use(people, api):
    used = SegmentFactory()
    SegmentFactory(name="User", rules=group("AND", {"segment": str(used.pk), "op": "in"}))
    response = api("owner", "delete", f"segments/{used.pk}")
    assert (response.status_code, error(response)["code"]) == (409, "MARKETING_409")
    assert [use["name"] for use in error(response)["details"]["usedBy"]] == ["User"]


def test_members(people, login, django_assert_max_num_queries):
    segment = SegmentFactory()
    CustomerFactory.create_batch(10, home_branch=people.north, facts={"visit_count": 1})
    Customer.objects.filter(first_name="north").first().facts.__class__.objects.filter(
        customer__first_name="north"
    ).update(total_spend="1234.5", last_visit_at=timezone.now())
    client = login("manager")
    # As above; then the segment, the chain and the members.
    with django_assert_max_num_queries(14):
        response = client.get(f"/api/v1/segments/{segment.pk}/customers")
    rows = {row["firstName"]: row for row in response.json()["data"]}
    assert len(rows) == 11
    assert (rows["north"]["totalSpend"], rows["north"]["visitCount"]) == ("1234.50", 3)


def test_refresh(people, api):
    segment = SegmentFactory()
    assert (
        api("regional", "post", f"segments/{segment.pk}/refresh").json()["data"]["customerCount"]
        == 2
    )
    segment.refresh_from_db()
    assert segment.last_refreshed_at is not None


def test_preview(people, api):
    response = api("owner", "post", "segments/preview", {"rules": COMERS})
    data = response.json()["data"]
    assert data["customerCount"] == 2
    assert {row["firstName"] for row in data["sample"]} == {"north", "south"}
    assert data["sentence"] == "Everybody whose number of visits is at least 1."
    by_query = {"rules": json.dumps(COMERS), "branchIds": str(people.south.pk)}
    assert api("owner", "get", "segments/preview", by_query).json()["data"]["customerCount"] == 1


@pytest.mark.parametrize("rules", ["", "{", "[" * 100_000, "null", '{"operator": "AND"}'])
def test_preview_of_rubbish(people, api, rules):
    response = api("owner", "get", "segments/preview", {"rules": rules})
    assert response.status_code == 400
    assert any(path.startswith("rules") for path in error(response)["fields"])


def test_preview_tells_each_fault_at_its_path(people, api):
    rules = group("AND", *COMERS["conditions"], {"field": "tags", "op": "contains", "value": 5})
    response = api("owner", "post", "segments/preview", {"rules": rules})
    assert list(error(response)["fields"]) == ["rules.conditions.1.value"]


def test_preview_of_another_s_branch(people, api):
    body = {"rules": COMERS, "branchIds": [str(people.south.pk)]}
    response = api("manager", "post", "segments/preview", body)
    assert list(error(response)["fields"]) == ["branchIds"]


WRITES = [
    ("post", "segments", BODY),
    ("patch", "segments/{pk}", {"name": "x"}),
    ("delete", "segments/{pk}", None),
    ("post", "segments/{pk}/refresh", None),
    ("get", "segments/{pk}/customers", None),
    ("post", "segments/preview", {"rules": COMERS}),
    ("get", "segments/preview", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_receptionists_only_look(people, api, method, path, body):
    segment = SegmentFactory(branch_ids=[people.north.pk])
    response = api("receptionist", method, path.format(pk=segment.pk), body)
    assert (response.status_code, error(response)["code"]) == (403, "MARKETING_403")
    assert Segment.objects.get().name == segment.name


@pytest.mark.parametrize(("method", "path", "body"), [w for w in WRITES if "{pk}" in w[1]])
def test_others_segments_do_not_exist(people, other_chain, api, method, path, body):
    with tenant_scope(other_chain.tenant.pk):
        foreign = SegmentFactory(name="Foreign")
    of_south = SegmentFactory(name="South", branch_ids=[people.south.pk])
    for segment, staff in ((foreign, "owner"), (of_south, "manager")):
        response = api(staff, method, path.format(pk=segment.pk), body)
        assert (response.status_code, error(response)["code"]) == (404, "MARKETING_404")
    assert Segment.objects.get().name == "South"


def test_a_manager_cannot_change_what_reaches_further(people, api):
    both = SegmentFactory(branch_ids=[people.north.pk, people.south.pk])
    assert api("manager", "patch", f"segments/{both.pk}", {"name": "x"}).status_code == 403
    assert api("regional", "patch", f"segments/{both.pk}", {"name": "x"}).status_code == 200


def test_nobody_is_sent_away(people, client):
    assert client.get("/api/v1/segments").status_code == 401


def test_a_list_of_another_chain_s_people_is_refused(people, other_chain, api):
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
    body = {"name": "x", "isDynamic": False, "customerIds": [str(theirs.pk)]}
    assert list(error(api("owner", "post", "segments", body))["fields"]) == ["customerIds.0"]


def test_members_of_a_list(people, api):
    segment = StaticSegmentFactory(members=Customer.objects.all())
    rows = api("manager", "get", f"segments/{segment.pk}/customers", {"limit": 1}).json()
    assert len(rows["data"]) == 1
    assert rows["page"]["next"]


@pytest.mark.parametrize(
    ("opening", "closing", "refused"),
    [('{"operator":"NOT","conditions":[', "]}", (400, 413)), ("[", "]", (400, 400))],
)
def test_rules_nested_without_end_are_refused(people, login, opening, closing, refused):
    for levels, status in zip((400, 100_000), refused, strict=True):
        body = '{"rules":' + opening * levels + "1" + closing * levels + "}"
        response = login("owner").post(
            "/api/v1/segments/preview", body, content_type="application/json"
        )
        assert response.status_code == status
        assert response.json()["error"]["code"]


def test_saves_keep_what_the_rules_were(people, api, login):
    pk = api("owner", "post", "segments", BODY).json()["data"]["segment"]["id"]
    api("owner", "patch", f"segments/{pk}", {"rules": where("visit_count", "gte", 7)})
    kept = list(SegmentVersion.objects.order_by("version").values_list("version", "rules"))
    assert kept == [(1, BODY["rules"]), (2, where("visit_count", "gte", 7))]
    page = login("owner").get(f"/segments/{pk}").content.decode()
    assert "number of visits is at least 7" in page
    assert page.index("Version 2") < page.index("Version 1")
    assert str(people.owner.user) in page
