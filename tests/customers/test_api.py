"""Customers, consent, timeline and catalogue over HTTP."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import (
    AttributeDefinition,
    ConsentRecord,
    Customer,
    Service,
    ServiceCategory,
)
from marketing.core.api_keys import issue_api_key
from marketing.core.tenancy import tenant_scope
from tests.factories.customers import (
    CustomerFactory,
    ServiceCategoryFactory,
    ServiceFactory,
    VisitFactory,
)

CUSTOMERS = "/api/v1/customers"
SERVICES = "/api/v1/services"
CATEGORIES = "/api/v1/service-categories"


@pytest.fixture
def asha(chain):
    return CustomerFactory(
        first_name="Asha",
        phone="+919876543210",
        home_branch=chain.north,
        facts={"visit_count": 3, "total_spend": Decimal("1500")},
    )


@pytest.fixture
def theirs(other_chain):
    with tenant_scope(other_chain.tenant.pk):
        return CustomerFactory()


@pytest.fixture
def key(chain):
    """`key("events")` is a client whose API key has that scope."""

    def client_of(*scopes):
        _key, text = issue_api_key(
            tenant_id=chain.tenant.pk, name="Billing", scopes=scopes, branch_ids=None
        )
        return Client(headers={"Authorization": f"Api-Key {text}"})

    return client_of


def url_of(customer, part=""):
    return f"{CUSTOMERS}/{customer.pk}{part}"


def fault(answer):
    return answer.status_code, answer.json()["error"]["code"], set(answer.json()["error"]["fields"])


def test_a_customer_travels_in_camel_case_with_facts(asha, api):
    answer = api("receptionist", "get", url_of(asha))
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"1"'
    customer = answer.json()["data"]["customer"]
    assert customer["firstName"] == "Asha"
    assert customer["phone"] == "+919876543210"
    assert customer["homeBranchId"] == str(asha.home_branch_id)
    assert customer["facts"]["totalSpend"] == "1500.00"
    assert customer["currency"] == "INR"


def test_the_list_follows_branches_and_the_look_up_does_not(asha, api, chain, theirs):
    elsewhere = CustomerFactory(first_name="Asha", phone="+919811122233", home_branch=chain.south)

    def ids(query):
        return {row["id"] for row in api("manager", "get", CUSTOMERS + query).json()["data"]}

    assert ids("") == {str(asha.pk)}
    assert ids("?q=asha") == {str(asha.pk), str(elsewhere.pk)}
    assert ids("?phone=98111 22233") == {str(elsewhere.pk)}
    assert ids("?q=nobody") == set()


def test_the_list_comes_in_pages(api, chain):
    people = [CustomerFactory(home_branch=chain.north) for _ in range(3)]
    first = api("manager", "get", CUSTOMERS + "?limit=2").json()
    assert [row["id"] for row in first["data"]] == [str(people[2].pk), str(people[1].pk)]
    rest = api("manager", "get", f"{CUSTOMERS}?limit=2&cursor={first['page']['next']}").json()
    assert [row["id"] for row in rest["data"]] == [str(people[0].pk)]
    assert rest["page"]["next"] is None


def test_a_malformed_phone_is_refused_with_a_sentence(api, chain):
    answer = api("manager", "get", CUSTOMERS + "?phone=98")
    assert fault(answer) == (400, "MARKETING_400", {"phone"})
    assert "phone number" in answer.json()["error"]["fields"]["phone"][0]


@pytest.mark.parametrize("count", [1, 5])
def test_the_list_takes_the_same_queries_however_long(
    api, login, chain, count, django_assert_num_queries
):
    for _ in range(count):
        CustomerFactory(home_branch=chain.north)
    client = login("manager")
    # Session, user, the scope (4), staff with the chain and branches; then its customers.
    with django_assert_num_queries(8):
        assert len(client.get(CUSTOMERS).json()["data"]) == count


def test_a_key_enters_a_customer(key, chain):
    answer = key("counter").post(
        CUSTOMERS,
        {
            "firstName": "आशा 💇",
            "phone": "98765 43210",
            "homeBranchId": str(chain.south.pk),
            "tags": ["VIP"],
        },
        content_type="application/json",
    )
    assert answer.status_code == 201
    customer = Customer.objects.get()
    assert answer.json()["data"]["customer"]["id"] == str(customer.pk)
    assert (customer.first_name, customer.phone, customer.source) == (
        "आशा 💇",
        "+919876543210",
        "api",
    )
    assert customer.home_branch == chain.south


def test_entering_twice_under_one_idempotency_key_is_once(api, chain):
    body = {"firstName": "Asha", "phone": "98765 43210"}
    first, again = (
        api("receptionist", "post", CUSTOMERS, body, **{"Idempotency-Key": "k1"}) for _ in "12"
    )
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "firstName", "This field is required."),
        ({"firstName": "A", "phone": "12"}, "phone", "No such phone number can exist."),
        ({"firstName": "A", "email": "a@"}, "email", "This is not an e-mail address."),
        ({"firstName": "A", "birthDate": "31.12.1990"}, "birthDate", "YYYY-MM-DD"),
        ({"firstName": "A", "gender": "robot"}, "gender", "is not a valid choice."),
        ({"firstName": "A", "tags": "VIP"}, "tags", "Expected a list of items"),
        ({"firstName": "A", "latitude": 91}, "latitude", "less than or equal to 90"),
        (
            {"firstName": "A", "attributes": {"shoe": 38}},
            "attributes.shoe",
            "There is no such attribute.",
        ),
        (
            {"firstName": "A", "attributes": {"visits": "many"}},
            "attributes.visits",
            "Write a number.",
        ),
        (
            {"firstName": "A", "homeBranchId": "00000000-0000-0000-0000-000000000001"},
            "homeBranchId",
            "There is no such branch.",
        ),
        ({"firstName": "A", "loyalty": 5}, "loyalty", "There is no such field."),
        ({"firstName": "A\u0000"}, "firstName", "Null characters are not allowed."),
        ({"firstName": "A", "version": 1}, "version", "There is no such field."),
    ],
)
def test_bad_bodies_are_refused_by_field(api, chain, body, field, says):
    AttributeDefinition.objects.create(key="visits", label="Visits", type="number")
    answer = api("manager", "post", CUSTOMERS, body)
    assert fault(answer) == (400, "MARKETING_400", {field})
    assert says in answer.json()["error"]["fields"][field][0]
    assert not Customer.objects.exists()


def test_a_change_is_partial(asha, api):
    answer = api("receptionist", "patch", url_of(asha), {"lastName": "Rao"})
    assert answer.status_code == 200
    customer = answer.json()["data"]["customer"]
    assert (customer["firstName"], customer["lastName"], customer["version"]) == ("Asha", "Rao", 2)


@pytest.mark.parametrize("how", ["header", "body"])
def test_a_stale_change_is_a_conflict(asha, api, how):
    api("manager", "patch", url_of(asha), {"lastName": "Rao"})
    if how == "header":
        answer = api("manager", "patch", url_of(asha), {"lastName": "X"}, **{"If-Match": '"1"'})
    else:
        answer = api("manager", "patch", url_of(asha), {"lastName": "X", "version": 1})
    assert fault(answer) == (409, "MARKETING_409", set())
    assert answer.json()["error"]["details"] == {"current": {"version": 2}}
    asha.refresh_from_db()
    assert asha.last_name == "Rao"


@pytest.mark.parametrize(
    ("method", "part"),
    [("get", ""), ("patch", ""), ("get", "/consent"), ("patch", "/consent"), ("get", "/timeline")],
)
def test_another_tenants_customer_is_not_found(api, chain, theirs, method, part):
    answer = api("owner", method, url_of(theirs, part), {})
    assert fault(answer) == (404, "MARKETING_404", set())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", CUSTOMERS),
        ("post", CUSTOMERS),
        ("get", "consent"),
        ("patch", "consent"),
        ("get", "timeline"),
        ("put", SERVICES),
        ("put", CATEGORIES),
    ],
)
def test_strangers_are_refused(asha, method, path):
    url = path if path.startswith("/") else url_of(asha, f"/{path}")
    assert getattr(Client(), method)(url).status_code == 401


def test_a_reading_key_may_not_write(asha, key):
    reader = key("read")
    assert reader.get(url_of(asha)).status_code == 200
    answer = reader.patch(url_of(asha), {"lastName": "X"}, content_type="application/json")
    assert fault(answer)[:2] == (403, "MARKETING_403")


def test_consent_is_module_11s_view_with_basis_and_history(asha, api):
    answer = api(
        "manager",
        "patch",
        url_of(asha, "/consent"),
        {"smsConsent": False, "isDnd": True, "preferredLanguage": "hi", "reason": "on the phone"},
    )
    assert answer.status_code == 200
    data = api("receptionist", "get", url_of(asha, "/consent")).json()["data"]
    consent = data["consent"]
    assert consent["customerId"] == str(asha.pk)
    assert (consent["id"], consent["tenantId"]) == (str(asha.consent.pk), str(asha.tenant_id))
    assert consent["createdAt"] <= consent["updatedAt"]
    assert (consent["whatsappConsent"], consent["smsConsent"]) == (True, False)
    assert (consent["isDnd"], consent["preferredLanguage"]) == (True, "hi")
    assert (consent["marketingOptedOut"], consent["optedOutAt"]) == (False, None)
    assert consent["channels"]["sms"] == {"promotional": False, "service": False, "basis": ""}
    assert [(line["state"], line["channel"], line["reason"]) for line in data["history"]] == [
        ("withdrawn", "sms", "on the phone"),
        ("dnd_set", "", "on the phone"),
    ]
    assert {line["source"] for line in data["history"]} == {"staff"}


def test_a_receptionist_may_not_change_consent(asha, api):
    answer = api("receptionist", "patch", url_of(asha, "/consent"), {"smsConsent": False})
    assert fault(answer)[:2] == (403, "MARKETING_403")
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"smsConsent": "perhaps"}, "smsConsent"),
        ({"faxConsent": True}, "faxConsent"),
        ({"preferredChannel": "fax"}, "preferredChannel"),
        ({"ipAddress": "here"}, "ipAddress"),
    ],
)
def test_bad_consent_is_refused(asha, api, body, field):
    answer = api("manager", "patch", url_of(asha, "/consent"), body)
    assert fault(answer) == (400, "MARKETING_400", {field})
    assert not ConsentRecord.objects.exists()


def test_somebody_without_a_consent_row_has_agreed_to_nothing(api, chain):
    bare = Customer.objects.create(first_name="Asha")
    consent = api("manager", "get", url_of(bare, "/consent")).json()["data"]["consent"]
    assert (consent["whatsappConsent"], consent["preferredChannel"]) == (False, "whatsapp")


def test_the_timeline_is_paged(asha, api, chain):
    for _ in range(3):
        VisitFactory(customer=asha, branch=chain.north)
    first = api("receptionist", "get", url_of(asha, "/timeline?limit=2")).json()
    assert first["data"]["customerId"] == str(asha.pk)
    event = first["data"]["events"][0]
    assert (event["type"], event["branchName"], event["channel"]) == ("visit", "North", None)
    assert set(event) >= {"date", "campaignName", "triggerType", "status", "couponCode"}
    rest = api("receptionist", "get", url_of(asha, f"/timeline?cursor={first['page']['next']}"))
    assert len(rest.json()["data"]["events"]) == 1
    assert rest.json()["page"]["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x"])
def test_a_strange_page_of_the_timeline_is_refused(asha, api, query):
    assert api("manager", "get", url_of(asha, f"/timeline?{query}")).status_code == 400


def row(number, **changes):
    return {
        "externalId": f"S-{number}",
        "categoryExternalId": "hair",
        "name": f"Cut {number}",
        "price": "500.00",
    } | changes


def test_the_billing_system_puts_its_catalogue(key, chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        ServiceCategoryFactory(external_id="hair", name="Theirs")
    billing = key("events")
    answer = billing.put(
        CATEGORIES,
        {"categories": [{"externalId": "hair", "name": "Hair"}]},
        content_type="application/json",
    )
    assert answer.status_code == 200
    untouched = ServiceFactory(external_id="old")
    for name in ("Cut", "Haircut"):
        body = {"services": [row(1, name=name), row(2, isActive=False)]}
        answer = billing.put(SERVICES, body, content_type="application/json")
        assert answer.status_code == 200
    stored = {one.external_id: one for one in Service.objects.all()}
    assert set(stored) == {"old", "S-1", "S-2"}
    assert (stored["S-1"].name, stored["S-1"].duration_minutes) == ("Haircut", 30)
    assert not stored["S-2"].is_active
    assert stored["old"].name == untouched.name
    shown = answer.json()["data"]["services"][0]
    assert (shown["id"], shown["categoryExternalId"]) == (str(stored["S-1"].pk), "hair")
    assert ServiceCategory.objects.get(external_id="hair").name == "Hair"


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([row(1), row(1)], "services.0.externalId"),
        ([row(1), row(2, categoryExternalId="nails")], "services.1.categoryExternalId"),
        ([row(1, price="-1")], "services.0.price"),
        ([row(1, price="cheap")], "services.0.price"),
        ([], "services.nonFieldErrors"),
        ([row(1, colour="red")], "services.0.colour"),
    ],
)
def test_a_bad_catalogue_changes_nothing(key, chain, rows, field):
    ServiceCategoryFactory(external_id="hair")
    answer = key("events").put(SERVICES, {"services": rows}, content_type="application/json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not Service.objects.exists()


@pytest.mark.parametrize("url", [SERVICES, CATEGORIES])
def test_managers_may_not_change_the_catalogue(api, chain, url):
    assert api("regional", "put", url, {}).status_code == 403


def test_the_addresses_are_the_contracts():
    assert reverse("api-customers") == CUSTOMERS
    assert reverse("api-opt-out") == "/api/v1/marketing/opt-out"
