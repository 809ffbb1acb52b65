"""Who may do what with a campaign over HTTP, and whose campaigns are not there."""

import pytest
from django.test import Client

from marketing.campaigns.models import Campaign
from marketing.core import api_keys
from marketing.core.models import Role
from marketing.core.tenancy import tenant_scope
from tests.campaigns.test_api import LIST, body, failed, url
from tests.factories.campaigns import everybody, make_campaign, make_ground, submitted
from tests.factories.core import make_staff

READS = [("get", ""), ("get", "recipients"), ("get", "analytics")]
DRAFTING = [("patch", ""), ("post", "submit"), ("delete", "")]
DECIDING = [("post", "approve"), ("post", "reject")]
SENDING = [("post", act) for act in ("schedule", "send", "pause", "resume", "cancel", "test")]
EVERYONE = {"receptionist", "manager", "regional", "owner"}


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


@pytest.mark.parametrize("role", sorted(EVERYONE))
@pytest.mark.parametrize(
    ("method", "act", "allowed"),
    [(*operation, EVERYONE) for operation in READS]
    + [(*operation, EVERYONE - {"receptionist"}) for operation in DRAFTING + SENDING]
    + [(*operation, {"regional", "owner"}) for operation in DECIDING],
)
def test_who_may_do_what(chain, api, role, method, act, allowed):
    campaign = make_campaign(chain.manager)
    before = Campaign.objects.get()
    answer = api(role, method, url(campaign, act), {"name": "x"} if method == "patch" else None)
    if role in allowed:
        assert answer.status_code != 403
    else:
        failed(answer, 403, "MARKETING_403")
        after = Campaign.objects.get()
        assert (after.status, after.version) == (before.status, before.version)


def test_receptionists_do_not_create(api):
    failed(api("receptionist", "post", LIST, body()), 403, "MARKETING_403")
    assert not Campaign.objects.exists()


def test_nobody_without_a_login_sees_anything(chain):
    assert Client().get(LIST).status_code == 401


@pytest.mark.parametrize(("method", "act"), READS + DRAFTING + DECIDING + SENDING)
def test_another_branchs_and_another_chains_are_not_there(chain, api, other_chain, method, act):
    elsewhere = make_campaign(
        make_staff(Role.BRANCH_MANAGER, chain.west), segment_id=everybody().pk
    )
    with tenant_scope(other_chain.tenant.pk):
        foreign = make_campaign(other_chain.owner)
    for campaign in (elsewhere, foreign):
        data = {"name": "x"} if method == "patch" else {"reason": "x"} if act == "reject" else None
        answer = api("regional", method, url(campaign, act), data)
        failed(answer, 404, "MARKETING_404", says="There is no such thing, or it is not yours")
    assert {c["id"] for c in api("regional", "get", LIST).json()["data"]} == set()


def test_an_approver_lacking_a_branch_does_not_see_it(chain, api):
    campaign = submitted(chain.owner, branch_ids=[chain.north.pk, chain.west.pk])
    failed(api("regional", "post", url(campaign, "approve")), 404, "MARKETING_404")


def test_an_api_key_reads(chain, api):
    campaign = make_campaign(chain.manager)
    _, secret = api_keys.issue_api_key(
        tenant_id=chain.tenant.pk, name="CRM", scopes=["read"], branch_ids=None
    )
    client = Client(headers={"Authorization": f"Api-Key {secret}"})
    assert client.get(url(campaign)).status_code == 200
    assert client.post(url(campaign, "submit")).status_code == 403
