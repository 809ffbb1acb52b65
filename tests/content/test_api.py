"""Templates over HTTP, in Module 11's names."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import MessageTopic
from marketing.content import usage
from marketing.content.models import MessageTemplate
from marketing.core.tenancy import tenant_scope
from tests.content.conftest import BODY
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory

SMS = {
    "name": "Diwali",
    "channel": "sms",
    "templateType": "promotional",
    "contentEn": "Hi {{ customer_name }}",
    "contentHi": "नमस्ते {{ customer_name }}",
}


def errors(answer):
    assert answer.status_code == 400, answer.content
    return set(answer.json()["error"]["fields"])


def test_creates_by_module_11s_names(api):
    answer = api("manager", "post", "templates", SMS)
    assert answer.status_code == 201
    template = answer.json()["data"]["template"]
    assert template["contentHi"] == "नमस्ते {{ customer_name }}"
    assert template["contents"]["en"] == {"body": "Hi {{ customer_name }}"}
    assert template["placeholders"] == ["customer_name"]
    assert (template["version"], template["isSystem"], template["isActive"]) == (1, False, True)
    assert template["whatsappTemplateStatus"] is None


def test_creates_by_contents_in_any_language_of_the_chain(api):
    body = {
        "name": "Diwali",
        "channel": "email",
        "templateType": "promotional",
        "contents": {"en": {"subject": "Hi", "body": "Hello", "html": "<p>Hello</p>"}},
        "emailSubjectHi": "नमस्ते",
        "contentHi": "आइए",
    }
    template = api("manager", "post", "templates", body).json()["data"]["template"]
    assert template["contents"]["hi"] == {"body": "आइए", "subject": "नमस्ते"}
    assert template["emailSubjectEn"] == "Hi"
    assert template["emailHtmlContent"] == "<p>Hello</p>"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contentEn": "{{ nope }}"}, "contentEn"),
        ({"contentEn": ""}, "contentEn"),
        ({"contents": {"en": {"body": "{{ nope }}"}}, "contentEn": None}, "contentEn"),
        ({"contents": {"bn": {"body": "x"}}}, "contents.bn"),
        ({"contents": {"hi": 5}}, "contents.hi"),
        ({"contents": []}, "contents"),
        ({"channel": "fax"}, "channel"),
        ({"templateType": ""}, "templateType"),
        ({"name": ""}, "name"),
        ({"colour": "red"}, "colour"),
        ({"smsIds": {"en": {"nope": "1"}}}, "smsIds.en.nope"),
    ],
)
def test_names_the_field_at_fault(api, change, field):
    body = {**SMS, **change}
    if "contents" in change and "contentEn" not in change:
        del body["contentHi"]
    assert errors(api("manager", "post", "templates", body)) == {field}
    assert not MessageTemplate.objects.exists()


def test_creates_once_per_idempotency_key(api):
    answers = [
        api("manager", "post", "templates", SMS, **{"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert MessageTemplate.objects.count() == 1


def test_patches_only_what_is_named(api, create):
    template = create(channel="sms", contents={"en": {"body": BODY}, "hi": {"body": "नमस्ते"}})
    path = f"templates/{template.pk}"
    answer = api("manager", "patch", path, {"contentEn": "Hello"}).json()["data"]["template"]
    assert answer["contents"] == {"en": {"body": "Hello"}, "hi": {"body": "नमस्ते"}}
    assert answer["version"] == 2
    answer = api("manager", "patch", path, {"contentHi": ""}).json()["data"]["template"]
    assert (answer["contents"], answer["version"]) == ({"en": {"body": "Hello"}}, 3)
    answer = api("manager", "patch", path, {"name": "New"}).json()["data"]["template"]
    assert (answer["name"], answer["version"]) == ("New", 3)


@pytest.mark.parametrize("way", ["header", "body"])
def test_a_stale_edit_answers_409(api, way):
    template = TemplateFactory(sms=True, version=3)
    body = {"contentEn": "Hello"} | ({"version": 2} if way == "body" else {})
    headers = {"If-Match": '"2"'} if way == "header" else {}
    answer = api("manager", "patch", f"templates/{template.pk}", body, **headers)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"current": 3}


def test_deletes_by_taking_out_of_use(api, monkeypatch):
    template = TemplateFactory()
    path = f"templates/{template.pk}"
    monkeypatch.setattr(usage, "_registered", [lambda _: [usage.Use("Campaign", "Diwali", "/c")]])
    answer = api("manager", "delete", path)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["usedBy"][0]["name"] == "Diwali"
    monkeypatch.setattr(usage, "_registered", [])
    assert api("manager", "delete", path).status_code == 204
    assert api("manager", "get", path).json()["data"]["template"]["isActive"] is False


def test_a_list_takes_as_many_queries_however_long(login, django_assert_num_queries):
    client = login("manager")
    TemplateFactory()
    with CaptureQueriesContext(connection) as one:
        client.get("/api/v1/templates")
    TemplateFactory.create_batch(5)
    with django_assert_num_queries(len(one)):
        answer = client.get("/api/v1/templates")
    assert len(answer.json()["data"]) == 6
    assert answer.json()["page"]["next"] is None


def test_filters_the_list(api):
    TemplateFactory.create_batch(2)
    TemplateFactory(sms=True, name="Diwali sale")

    def names(**query):
        return [each["name"] for each in api("manager", "get", "templates", query).json()["data"]]

    assert names(channel="sms") == ["Diwali sale"]
    assert names(q="diwali") == ["Diwali sale"]
    assert names(templateType="trigger") == []
    assert errors(api("manager", "get", "templates", {"channel": "fax"})) == {"channel"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "templates"),
        ("post", "templates"),
        ("get", "templates/{pk}"),
        ("patch", "templates/{pk}"),
        ("delete", "templates/{pk}"),
        ("post", "templates/{pk}/preview"),
        ("post", "templates/whatsapp/submit"),
    ],
)
def test_is_for_managers(api, method, path):
    template = TemplateFactory()
    answer = api("receptionist", method, path.format(pk=template.pk), {"name": "x"})
    assert answer.status_code == 403
    template.refresh_from_db()
    assert template.is_active
    assert template.name != "x"


def test_anothers_template_is_not_found(api, other_chain, scope):
    scope(other_chain.tenant.pk)
    foreign = TemplateFactory()
    for method, path in (
        ("get", f"templates/{foreign.pk}"),
        ("patch", f"templates/{foreign.pk}"),
        ("delete", f"templates/{foreign.pk}"),
        ("post", f"templates/{foreign.pk}/preview"),
        ("get", f"templates/{uuid.uuid4()}"),
    ):
        assert api("manager", method, path).status_code == 404
    answer = api("manager", "post", "templates/whatsapp/submit", {"templateId": str(foreign.pk)})
    assert answer.status_code == 404


def preview(api, template, **body):
    answer = api("manager", "post", f"templates/{template.pk}/preview", body)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_previews_for_a_customer(api, chain):
    template = TemplateFactory(sms=True)
    asha = CustomerFactory(first_name="आशा")
    seen = preview(api, template, customerId=str(asha.pk), language="hi")
    assert seen["preview"] == f"नमस्ते आशा, {chain.tenant.name} में आपकी याद आई।"
    assert seen["placeholdersUsed"] == ["customer_name", "salon_name"]
    assert seen["characterCount"] == len(seen["preview"])
    assert (seen["smsSegments"], seen["smsEncoding"]) == (1, "UCS-2")


def test_previews_with_sample_data(api):
    seen = preview(api, TemplateFactory(), sampleData={"customer_name": "Ravi", "other": "x"})
    assert seen["preview"].startswith("Hi Ravi,")
    assert (seen["smsSegments"], seen["missing"]) == (None, [])


def test_a_preview_names_what_is_missing(api, chain):
    template = TemplateFactory(contents={"en": {"body": "See you at {{ branch_name }}."}})
    seen = preview(api, template, customerId=str(CustomerFactory().pk))
    assert seen["missing"] == ["branch_name"]
    assert "{" not in seen["preview"]


def test_a_preview_for_another_chains_customer_is_not_found(api, other_chain, chain, scope):
    template = TemplateFactory()
    scope(other_chain.tenant.pk)
    foreign = CustomerFactory()
    scope(chain.tenant.pk)
    answer = api(
        "manager", "post", f"templates/{template.pk}/preview", {"customerId": str(foreign.pk)}
    )
    assert answer.status_code == 404


def test_submits_to_whatsapp(api, create):
    template = create()
    body = {"templateId": str(template.pk)}
    answer = api("manager", "post", "templates/whatsapp/submit", body)
    assert answer.status_code == 202
    shown = answer.json()["data"]["template"]
    assert shown["whatsappTemplateStatus"] == "pending"
    assert shown["whatsapp"]["en"]["status"] == "pending"
    assert api("manager", "post", "templates/whatsapp/submit", body).status_code == 409


def test_an_approved_template_shows_its_id_at_whatsapp(api):
    shown = api("manager", "get", f"templates/{TemplateFactory().pk}").json()["data"]["template"]
    assert shown["whatsappTemplateStatus"] == "approved"
    assert shown["whatsappTemplateId"].endswith("_en")


class TestTopic:
    """What a message is about, by which people choose what they want to hear of."""

    @pytest.fixture
    def offers(self, chain):
        return MessageTopic.objects.create(name="Offers")

    def test_it_is_chosen_changed_and_taken_away(self, api, offers):
        made = api("manager", "post", "templates", SMS | {"topicId": str(offers.pk)})
        template = made.json()["data"]["template"]
        assert template["topicId"] == str(offers.pk)
        url = f"templates/{template['id']}"
        answer = api("manager", "patch", url, {"name": "Holi"})
        assert answer.json()["data"]["template"]["topicId"] == str(offers.pk)
        answer = api("manager", "patch", url, {"topicId": None})
        assert answer.json()["data"]["template"]["topicId"] is None

    def test_only_one_of_the_chains_that_is_in_use(self, api, offers, other_chain):
        with tenant_scope(other_chain.tenant.pk):
            theirs = MessageTopic.objects.create(name="Offers")
        MessageTopic.objects.filter(pk=offers.pk).update(is_active=False)
        for topic in (theirs.pk, offers.pk, uuid.uuid4()):
            answer = api("manager", "post", "templates", SMS | {"topicId": str(topic)})
            assert errors(answer) == {"topicId"}
        assert not MessageTemplate.objects.exists()

    def test_one_that_went_out_of_use_stays_where_it_was(self, api, offers):
        template = TemplateFactory(channel="sms", topic=offers)
        MessageTopic.objects.filter(pk=offers.pk).update(is_active=False)
        body = {"name": "Holi", "topicId": str(offers.pk)}
        assert api("manager", "patch", f"templates/{template.pk}", body).status_code == 200
