"""The inbox, what was decided, two approvers at once, and every path that voids an approval."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.core import services as core
from marketing.core.errors import InvalidCampaignStatus, ValidationFailed
from marketing.core.models import AuditEntry, Delegation, Role
from marketing.core.tenancy import tenant_scope
from tests.campaigns.test_pages import text_of
from tests.concurrency import wait_for_me
from tests.factories.campaigns import approved, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.core import make_chain, make_staff
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_config
from tests.page_queries import questions


@pytest.fixture
def ground(chain, tasks):
    make_ground(chain.north, chain.south)


def stored(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def names_in(client, **asked):
    answer = client.get(reverse("approval-inbox"), asked)
    assert answer.status_code == 200
    return {campaign.name for campaign in answer.context["campaigns"]}


def test_the_inbox_is_narrowed(chain, ground, login):
    set_config(approval_threshold_cost=Decimal("5.00"))
    other = make_staff(Role.BRANCH_MANAGER, chain.south, name="Southern")
    with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=4), tick=False):
        submitted(chain.manager, name="Old")
    sms = TemplateFactory(sms=True)
    submitted(
        other,
        name="South",
        channel_mode="cascade",
        further_steps=[{"channel": "sms", "templateId": str(sms.pk), "afterMinutes": 30}],
    )
    Campaign.objects.filter(name="South").update(estimated_cost=Decimal("9"))
    client = login("regional")
    assert names_in(client) == {"Old", "South"}
    assert names_in(client, branch=chain.south.pk) == {"South"}
    assert names_in(client, channel="sms") == {"South"}
    assert names_in(client, channel="whatsapp") == {"Old", "South"}
    assert names_in(client, channel="email") == set()
    assert names_in(client, author=chain.manager.pk) == {"Old"}
    assert names_in(client, days=3) == {"Old"}
    assert names_in(client, days=7) == set()
    assert names_in(client, over="cost") == {"South"}
    assert names_in(client, over="recipients") == {"Old", "South"}
    set_config(approval_threshold_cost=None)
    assert names_in(client, over="cost") == set()
    # What makes no sense narrows nothing.
    assert names_in(client, branch="x", channel="pigeon", days="-1", author=chain.west.pk) == {
        "Old",
        "South",
    }
    assert "Show all" in text_of(client.get(reverse("approval-inbox"), {"channel": "email"}))


def test_what_was_decided_by_me_and_by_anybody(chain, ground, login):
    approved(chain.manager, chain.regional, name="Mine")
    theirs = submitted(chain.manager, name="Theirs")
    services.reject_campaign(actor=chain.actor(chain.owner), campaign=theirs, reason="Too dear.")
    CustomerFactory(home_branch=chain.west)
    elsewhere = submitted(chain.owner, name="Elsewhere", branch_ids=[chain.west.pk])
    services.ask_for_changes(
        actor=chain.actor(make_staff(Role.SUPER_OWNER)), campaign=elsewhere, reason="No."
    )
    client, address = login("regional"), reverse("approval-decided")
    by_me, by_anybody = (text_of(client.get(address, {"by": by})) for by in ("me", "anybody"))
    assert "Mine" in by_me
    assert "Theirs" not in by_me
    assert "Theirs" in by_anybody
    assert "Too dear." in by_anybody
    assert "Elsewhere" not in by_anybody
    assert login("manager").get(address).status_code == 403
    before = AuditEntry.objects.get(action="campaign.reject").pk
    earlier = text_of(client.get(address, {"by": "anybody", "before": before}))
    assert "Theirs" not in earlier
    assert "Mine" in earlier


def test_inbox_and_decided_take_as_many_queries_for_many_as_for_one(chain, ground, login):
    approved(chain.manager, chain.regional)
    submitted(chain.manager)
    client = login("regional")
    addresses = [reverse("approval-inbox"), reverse("approval-decided") + "?by=anybody"]
    few = [len(questions(client, address)[0]) for address in addresses]
    for _each in range(4):
        approved(chain.manager, chain.regional)
        submitted(chain.manager)
    many = [len(questions(client, address)[0]) for address in addresses]
    assert few == many
    assert max(many) <= 12


def test_who_comes_too_late_is_told_what_happened(chain, ground, login):
    second = make_staff(Role.REGIONAL_MANAGER, chain.north, name="Second")
    campaign = submitted(chain.manager)
    version = campaign.version
    services.approve_campaign(actor=chain.actor(second), campaign=campaign)
    client = login("regional")
    page = client.post(reverse("campaign-approve", args=[campaign.pk]), {"version": version})
    assert page.status_code == 409
    assert "Second approved it meanwhile." in text_of(page)
    answer = client.post(
        f"/api/v1/campaigns/{campaign.pk}/reject",
        json.dumps({"reason": "No.", "version": version}),
        "application/json",
    )
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "MARKETING_020"
    assert error["details"]["happened"]["action"] == "campaign.approve"
    assert error["details"]["happened"]["by"] == "Second"
    assert stored(campaign).status == "approved"
    assert AuditEntry.objects.filter(action="campaign.approve").count() == 1


def test_of_two_approvers_at_once_one_wins(transactional_db, tasks):
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_ground(chain.north)
        second = make_staff(Role.REGIONAL_MANAGER, chain.north, name="Second")
        campaign = submitted(chain.manager)

    def reject():
        with tenant_scope(chain.tenant.pk):
            services.reject_campaign(
                actor=chain.actor(second), campaign=campaign, reason="No.", version=campaign.version
            )

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            services.approve_campaign(
                actor=chain.actor(chain.regional), campaign=campaign, version=campaign.version
            )
            late = wait_for_me(reject, pool)
        with pytest.raises(InvalidCampaignStatus) as refusal:
            late.result()
    assert "Regional manager approved it meanwhile." in refusal.value.message
    with tenant_scope(chain.tenant.pk):
        assert stored(campaign).status == "approved"
        assert not AuditEntry.objects.filter(action="campaign.reject").exists()


def test_of_two_named_at_once_for_the_same_days_one_is_refused(transactional_db):
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        deputy = make_staff(Role.BRANCH_MANAGER, chain.west, name="Deputy")

    def stand_in(staff):
        day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=7)
        core.delegate_approvals(
            actor=chain.actor(chain.regional), delegate_id=staff.pk, begins_on=day, ends_on=day
        )

    def name_deputy():
        with tenant_scope(chain.tenant.pk):
            stand_in(deputy)

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            stand_in(chain.manager)
            late = wait_for_me(name_deputy, pool)
        with pytest.raises(ValidationFailed) as refusal:
            late.result()
    assert list(refusal.value.fields) == ["begins_on"]
    with tenant_scope(chain.tenant.pk):
        assert Delegation.objects.get().delegate == chain.manager


@pytest.mark.parametrize("path", ["wizard", "api"])
def test_an_edit_by_any_path_voids_the_approval(chain, ground, login, path):
    """The admin's is tested beside it; segments and messages that change are held at the freeze."""
    campaign = approved(chain.manager, chain.regional)
    client = login("manager")
    if path == "wizard":
        answer = client.post(
            reverse("campaign-edit", args=[campaign.pk, "details"]),
            {"name": "Renamed", "description": "", "channel": "whatsapp"}
            | {"version": campaign.version},
        )
        assert answer.status_code == 302
    else:
        body = json.dumps({"name": "Renamed", "version": campaign.version})
        address = f"/api/v1/campaigns/{campaign.pk}"
        assert client.patch(address, body, "application/json").status_code == 200
    after = stored(campaign)
    assert (after.name, after.status, after.approved_hash) == ("Renamed", "draft", "")
    assert after.approved_by is None
    answer = client.post(reverse("campaign-send", args=[campaign.pk]))
    assert answer.status_code == 409
