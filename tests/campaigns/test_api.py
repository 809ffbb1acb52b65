"""Campaigns over HTTP: shapes, every refusal, who may do what, and nothing half done."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.content.models import TemplateVersion
from marketing.delivery.models import Message, SendRun
from marketing.segments.models import Segment
from tests.factories.campaigns import approved, everybody, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.segments import SegmentFactory, where

LIST = "/api/v1/campaigns"
NOBODYS = "0199aaaa-0000-7000-8000-000000000000"
MODULE_11 = {
    "id", "tenantId", "name", "description", "campaignType", "channel", "templateId", "segmentId",
    "targetAllCustomers", "branchIds", "scheduledAt", "recurrencePattern", "recurrenceDay",
    "recurrenceTime", "nextRunAt", "status", "requiresApproval", "approvedBy", "approvedAt",
    "rejectedBy", "rejectedAt", "rejectionReason", "totalRecipients", "sentCount",
    "deliveredCount", "readCount", "failedCount", "estimatedCost", "actualCost", "startedAt",
    "completedAt", "createdAt", "updatedAt", "createdBy",
}  # fmt: skip


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


def url(campaign, act=""):
    return f"{LIST}/{campaign.pk}" + (f"/{act}" if act else "")


def body(**values):
    return {
        "name": "Diwali glow",
        "campaignType": "one_time",
        "channel": "whatsapp",
        "templateId": str(TemplateFactory().pk),
        "segmentId": str(everybody().pk),
    } | values


def failed(answer, status, code, field="", says=""):
    """The refusal, which `says` so about the field, or on the whole."""
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    assert error["code"] == code
    assert not field or field in error["fields"], error
    said = error["fields"][field][0] if field else error["message"]
    assert says in said, error
    return error


def test_it_works(chain, api):
    answer = api("manager", "post", LIST, body())
    assert answer.status_code == 201
    data = answer.json()["data"]
    campaign = data["campaign"]
    assert set(campaign) >= MODULE_11
    assert (data["estimatedRecipients"], data["requiresApproval"]) == (3, True)
    assert data["estimatedCost"] == campaign["estimatedCost"]
    assert Decimal(data["estimatedCost"]) > 0
    assert data["warnings"] == []
    assert campaign["branchIds"] == [str(chain.north.pk)]
    assert sum(campaign["states"].values()) == 0
    here = f"{LIST}/{campaign['id']}"

    def status(answer):
        assert answer.status_code < 300, answer.content
        return answer.json()["data"]["campaign"]["status"]

    assert status(api("manager", "post", f"{here}/submit")) == "pending_approval"
    assert status(api("regional", "post", f"{here}/approve")) == "approved"
    answer = api("manager", "post", f"{here}/send", {"sendNow": True})
    assert answer.status_code == 202
    data = answer.json()["data"]
    assert (data["campaign"]["status"], data["recipientsQueued"]) == ("sending", 3)
    assert data["estimatedCompletionTime"].endswith("Z")
    run = CampaignRun.objects.get(pk=data["runId"])
    runs.start_run(campaign_run_id=run.pk)
    Message.objects.filter(run_id=run.send_run_id).update(address="+919820012345")

    people = api("manager", "get", f"{here}/recipients?state=queued").json()["data"]
    assert len(people) == 3
    assert {person["status"] for person in people} == {"pending"}
    assert people[0]["phone"] == "+919820012345"
    masked = api("receptionist", "get", f"{here}/recipients").json()["data"][0]["phone"]
    assert masked == "+919****45"

    found = api("manager", "get", f"{here}/analytics").json()["data"]
    assert found["metrics"]["totalRecipients"] == 3
    assert found["metrics"]["deliveryRate"] is None
    assert found["cost"] | {"totalCost": "0"} == {
        "totalCost": "0",
        "costPerMessage": None,
        "currency": "INR",
    }
    assert status(api("manager", "post", f"{here}/pause")) == "paused"
    assert status(api("manager", "post", f"{here}/resume")) == "sending"
    assert status(api("manager", "post", f"{here}/cancel")) == "cancelled"


@pytest.mark.parametrize(
    ("change", "status", "code", "field", "says"),
    [
        ({"name": ""}, 400, "MARKETING_400", "name", "This field may not be blank."),
        ({"name": "x" * 101}, 400, "MARKETING_400", "name", "no more than 100 characters"),
        (
            {"campaignType": "trigger"},
            400,
            "MARKETING_400",
            "campaignType",
            "One of one_time, recurring.",
        ),
        ({"channel": "pigeon"}, 400, "MARKETING_400", "channel", '"pigeon" is not a valid choice.'),
        ({"channel": "sms"}, 409, "MARKETING_021", "templateId", "is for WhatsApp."),
        (
            {"segmentId": None},
            400,
            "MARKETING_400",
            "segmentId",
            "Choose a segment or all customers.",
        ),
        (
            {"targetAllCustomers": True},
            400,
            "MARKETING_400",
            "segmentId",
            "Choose a segment or all customers, not both.",
        ),
        (
            {"templateId": "0199aaaa-0000-7000-8000-000000000000"},
            400,
            "MARKETING_400",
            "templateId",
            "There is none, or it is not yours.",
        ),
        (
            {"scheduledAt": "2020-01-01T00:00:00Z"},
            400,
            "MARKETING_400",
            "scheduledAt",
            "This time is past; choose a later one.",
        ),
        (
            {"campaignType": "recurring"},
            400,
            "MARKETING_400",
            "recurrencePattern",
            "Say how often it repeats.",
        ),
        ({"recurrenceDay": 40}, 400, "MARKETING_400", "recurrenceDay", "less than or equal to 31"),
        ({"couponId": "x"}, 400, "MARKETING_400", "couponId", "valid UUID"),
        ({"couponCode": "x"}, 400, "MARKETING_400", "couponCode", "There is no such field."),
        (
            {"branchIds": []},
            400,
            "MARKETING_400",
            "branchIds",
            "Give at least one branch, or none at all.",
        ),
    ],
)
def test_create_refuses(api, change, status, code, field, says):
    failed(api("manager", "post", LIST, body(**change)), status, code, field, says)
    assert not Campaign.objects.exists()


def test_create_refuses_an_unapproved_whatsapp_template(api):
    template = TemplateFactory(whatsapp_status="pending")
    answer = api("manager", "post", LIST, body(templateId=str(template.pk)))
    failed(answer, 409, "MARKETING_022", "templateId", "WhatsApp has not approved")
    assert not Campaign.objects.exists()


def test_submit_refuses_an_empty_audience_and_a_broken_rule(chain, api):
    nobody = SegmentFactory(rules=where("visit_count", "gt", 900))
    campaign = make_campaign(chain.manager, segment_id=nobody.pk)
    says = "Nobody is in this audience now. Choose a wider one."
    failed(api("manager", "post", url(campaign, "submit")), 400, "MARKETING_400", "segmentId", says)
    Segment.objects.filter(pk=nobody.pk).update(rules=where("nonsense", "eq", 1))
    says = "rules.conditions.0.field: There is no such field."
    answer = api("manager", "post", url(campaign, "submit"))
    error = failed(answer, 400, "MARKETING_400", "segmentId", says)
    assert error["message"] == "The segment's rule is broken; mend it first."
    assert Campaign.objects.get().status == "draft"


def test_submit_refuses_an_unknown_placeholder(chain, api):
    campaign = make_campaign(chain.manager)
    TemplateVersion.objects.update(contents={"en": {"body": "Hi {{ shoe_size }}"}})
    error = failed(
        api("manager", "post", url(campaign, "submit")), 400, "MARKETING_400", "templateId"
    )
    assert "shoe_size" in error["message"]


def test_approving_ones_own_is_refused(chain, api):
    campaign = submitted(chain.regional)
    for act, values in (("approve", {}), ("reject", {"reason": "No"})):
        answer = api("regional", "post", url(campaign, act), values)
        failed(answer, 403, "MARKETING_403", says="somebody else must decide on it")
    assert Campaign.objects.get().status == "pending_approval"


def test_editing_after_approval_voids_it(chain, api):
    campaign = approved(chain.manager, chain.regional)
    answer = api("manager", "patch", url(campaign), {"description": "More"})
    assert answer.json()["data"]["campaign"]["status"] == "draft"
    assert answer.json()["data"]["campaign"]["approvedBy"] is None
    says = "This is not possible while the campaign is: Draft."
    failed(api("manager", "post", url(campaign, "send")), 409, "MARKETING_020", says=says)


def test_a_stale_version_is_a_conflict(chain, api):
    campaign = make_campaign(chain.manager)
    changed = api("manager", "patch", url(campaign), {"name": "One", "version": campaign.version})
    assert changed.json()["data"]["campaign"]["version"] == campaign.version + 1
    error = failed(
        api("manager", "patch", url(campaign), {"name": "Two", "version": campaign.version}),
        409,
        "MARKETING_409",
    )
    assert error["details"]["current"] == campaign.version + 1
    header = {"If-Match": f'"{campaign.version}"'}
    failed(api("manager", "patch", url(campaign), {"name": "Two"}, **header), 409, "MARKETING_409")
    failed(api("manager", "post", url(campaign, "submit"), **header), 409, "MARKETING_409")
    assert Campaign.objects.get().name == "One"


def test_reject_needs_a_reason(chain, api):
    campaign = submitted(chain.manager)
    failed(api("regional", "post", url(campaign, "reject"), {}), 400, "MARKETING_400", "reason")
    failed(
        api("regional", "post", url(campaign, "reject"), {"reason": " "}),
        400,
        "MARKETING_400",
        "reason",
    )
    data = api("regional", "post", url(campaign, "reject"), {"reason": "Too dear"}).json()["data"]
    assert (data["campaign"]["status"], data["campaign"]["rejectionReason"]) == (
        "draft",
        "Too dear",
    )


def test_schedule(chain, api):
    campaign = approved(chain.manager, chain.regional)
    past = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat()
    failed(
        api("manager", "post", url(campaign, "schedule"), {"scheduledAt": past}),
        400,
        "MARKETING_400",
        "scheduledAt",
    )
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    answer = api("manager", "post", url(campaign, "schedule"), {"scheduledAt": later.isoformat()})
    shown = answer.json()["data"]["campaign"]
    assert (shown["status"], shown["nextRunAt"]) == ("scheduled", shown["scheduledAt"])


def test_one_key_sends_once_and_another_is_refused(chain, api):
    campaign = approved(chain.manager, chain.regional)
    key = {"Idempotency-Key": "press-1"}
    first = api("manager", "post", url(campaign, "send"), {}, **key)
    again = api("manager", "post", url(campaign, "send"), {}, **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["data"]["runId"] == again.json()["data"]["runId"]
    failed(api("manager", "post", url(campaign, "send"), {}), 409, "MARKETING_020")
    assert SendRun.objects.count() == 1


def test_create_is_idempotent(api):
    wanted = body()
    answers = [api("manager", "post", LIST, wanted, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Campaign.objects.count() == 1


def test_recurrence_travels_both_ways(api):
    wanted = body(
        campaignType="recurring",
        recurrencePattern="weekly",
        recurrenceDay=1,
        recurrenceTime="10:30",
    )
    shown = api("manager", "post", LIST, wanted).json()["data"]["campaign"]
    assert shown["recurrenceRule"] == "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=30;BYSECOND=0"
    assert (shown["recurrencePattern"], shown["recurrenceDay"], shown["recurrenceTime"]) == (
        "weekly",
        1,
        "10:30",
    )


def test_only_drafts_are_deleted(chain, api):
    draft, waiting = make_campaign(chain.manager), submitted(chain.manager)
    assert api("manager", "delete", url(draft)).status_code == 204
    failed(api("manager", "delete", url(waiting)), 409, "MARKETING_020")
    assert list(Campaign.objects.all()) == [waiting]


def test_a_test_send_needs_an_address_that_is_one(chain, api, colleague):
    campaign = make_campaign(chain.manager)
    failed(api("manager", "post", url(campaign, "test"), {}), 400, "MARKETING_400", "phone")
    failed(
        api("manager", "post", url(campaign, "test"), {"phone": "12"}),
        400,
        "MARKETING_400",
        "phone",
    )
    assert not Message.objects.exists()
    answer = api("manager", "post", url(campaign, "test"), {"phone": "98200 99999"})
    failed(answer, 400, "MARKETING_400", "phone")
    body = {"phone": "98200 12345", "language": "hi", "withSamples": True}
    answer = api("manager", "post", url(campaign, "test"), body)
    assert answer.status_code == 202
    sent = answer.json()["data"]
    assert (sent["state"], sent["language"], sent["segments"]) == ("queued", "hi", 1)
    assert float(sent["cost"]) > 0


def queries_of(client, path):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_list_filters_and_takes_the_same_queries_for_one_as_for_many(chain, api, login):
    client = login("manager")
    first = make_campaign(chain.manager, name="First of all")
    one = queries_of(client, LIST)
    for _ in range(5):
        submitted(chain.manager)
    assert queries_of(client, LIST) == one <= 20
    found = api("manager", "get", f"{LIST}?status=draft").json()
    assert [campaign["id"] for campaign in found["data"]] == [str(first.pk)]
    assert len(api("manager", "get", f"{LIST}?q=first").json()["data"]) == 1
    assert len(api("manager", "get", f"{LIST}?limit=2").json()["data"]) == 2
    failed(api("manager", "get", f"{LIST}?status=nonsense"), 400, "MARKETING_400", "status")


def test_recipients_take_the_same_queries_for_one_as_for_many(chain, login):
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    client = login("manager")
    people = url(campaign, "recipients")
    assert queries_of(client, f"{people}?limit=1") == queries_of(client, people) <= 20
