"""What the API says at once of a campaign that can be made and will not go as wished."""

from decimal import Decimal

import pytest

from marketing.campaigns.models import Campaign
from marketing.core.models import Branch
from marketing.delivery.models import SendRun
from tests.campaigns.test_api import LIST, body, failed, url
from tests.factories.campaigns import make_ground
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_branch_config


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


def test_the_budget_warns_at_create_and_refuses_at_approve_and_send(chain, api):
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.10"))
    data = api("manager", "post", LIST, body()).json()["data"]
    assert [warning["code"] for warning in data["warnings"]] == ["MARKETING_023"]
    campaign = Campaign.objects.get()
    api("manager", "post", url(campaign, "submit"))
    failed(api("regional", "post", url(campaign, "approve")), 409, "MARKETING_023")
    set_branch_config(chain.north, monthly_budget_limit=None)
    api("regional", "post", url(campaign, "approve"))
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.10"))
    failed(api("manager", "post", url(campaign, "send")), 409, "MARKETING_023")
    assert not SendRun.objects.exists()


def test_values_nobody_has_are_told_at_create_and_at_submit(chain, api):
    data = api("manager", "post", LIST, body()).json()["data"]
    assert data["warnings"] == []
    template = TemplateFactory(contents={"en": {"body": "Call us: {{ branch_phone }}"}})
    Branch.objects.update(phone="")
    data = api("manager", "post", LIST, body(templateId=str(template.pk))).json()["data"]
    (warning,) = data["warnings"]
    assert warning["code"] == "missing_value"
    assert warning["message"].startswith("3 people lack a value")
    assert warning["details"] == {"reason": "missing_value", "people": 3}
    campaign = Campaign.objects.get(pk=data["campaign"]["id"])
    submitted = api("manager", "post", url(campaign, "submit")).json()["data"]
    assert submitted["campaign"]["status"] == "pending_approval"
    assert submitted["warnings"] == [warning]
