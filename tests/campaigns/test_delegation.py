"""Who approves while an approver is away, and by what right."""

import datetime as dt
import json

import pytest
import time_machine
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.campaigns import (
    approver_staff_ids,
    mandate_for,
    may_approve,
    waiting_for_approval,
)
from marketing.campaigns.selectors.history import history
from marketing.core import errors
from marketing.core import services as core
from marketing.core.actor import MANAGERS, Actor
from marketing.core.models import AuditEntry, Delegation, Role, Staff, StaffBranch
from marketing.core.tenancy import tenant_scope
from tests.factories.campaigns import make_campaign, make_ground, submitted
from tests.factories.core import make_staff
from tests.factories.customers import CustomerFactory

TODAY = dt.date(2026, 11, 2)
NOON = dt.datetime(2026, 11, 2, 6, 30, tzinfo=dt.UTC)  # noon in India


@pytest.fixture(autouse=True)
def ground(chain, tasks):
    with time_machine.travel(NOON, tick=False):
        make_ground(chain.north, chain.south)
        yield


@pytest.fixture
def deputy(chain):
    """A manager of another branch than those of the regional manager."""
    return make_staff(Role.BRANCH_MANAGER, chain.west, name="Deputy")


def stand_in(away, deputy, first=TODAY, last=TODAY):
    return core.delegate_approvals(
        actor=Actor.for_staff(away), delegate_id=deputy.pk, begins_on=first, ends_on=last
    )


def approve(staff, campaign):
    return services.approve_campaign(actor=Actor.for_staff(staff), campaign=campaign)


def test_a_delegate_approves_and_both_are_named(chain, deputy):
    campaign = submitted(chain.manager)
    with pytest.raises(errors.Forbidden):
        approve(deputy, campaign)
    stand_in(chain.regional, deputy)
    assert list(waiting_for_approval(Actor.for_staff(deputy))) == [campaign]
    done = approve(deputy, campaign)
    assert (done.status, done.approved_by) == ("approved", deputy.user)
    newest = history(campaign)[0]
    assert newest.by == "Deputy for Regional manager"
    assert "3 people" in newest.notes[0]


def test_it_begins_at_midnight_and_ends_with_the_last_day_of_the_chains_zone(chain, deputy):
    campaign = submitted(chain.manager)
    stand_in(chain.regional, deputy, TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=2))
    midnight = dt.datetime(2026, 11, 2, 18, 30, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)
    for moment, holds in [
        (midnight - second, False),
        (midnight, True),
        (midnight + dt.timedelta(days=2) - second, True),
        (midnight + dt.timedelta(days=2), False),
    ]:
        with time_machine.travel(moment, tick=False):
            assert may_approve(Actor.for_staff(deputy), campaign) is holds


def test_a_delegate_never_decides_on_their_own_nor_on_what_the_absent_made(chain):
    deputy = chain.manager
    stand_in(chain.regional, deputy)
    for author in (deputy, chain.regional):
        campaign = submitted(author, branch_ids=[chain.north.pk])
        assert campaign not in waiting_for_approval(Actor.for_staff(deputy))
        with pytest.raises(errors.Forbidden):
            approve(deputy, campaign)
        assert Campaign.objects.get(pk=campaign.pk).status == "pending_approval"


def test_it_reaches_no_further_than_the_absent(chain, deputy):
    stand_in(chain.regional, deputy)
    chainwide = submitted(chain.owner)
    with pytest.raises(errors.Forbidden):
        approve(deputy, chainwide)
    stand_in(make_staff(Role.SUPER_OWNER), deputy)
    assert approve(deputy, chainwide).status == "approved"


def test_one_cannot_hand_on_what_was_handed_over(chain, deputy):
    stand_in(chain.regional, deputy)
    with pytest.raises(errors.Forbidden):
        stand_in(deputy, chain.manager)
    other = make_staff(Role.REGIONAL_MANAGER, chain.west, name="Other")
    stand_in(chain.owner, other)
    stand_in(other, chain.manager)  # her own right only
    assert not may_approve(Actor.for_staff(chain.manager), submitted(chain.owner))


def test_rights_are_not_put_together(chain):
    """Whoever has one branch of their own and one in somebody's place has not both at once."""
    other = make_staff(Role.REGIONAL_MANAGER, chain.west, name="Other")
    stand_in(chain.regional, other)
    CustomerFactory(home_branch=chain.west)
    both = submitted(chain.owner, branch_ids=[chain.north.pk, chain.west.pk])
    with pytest.raises(errors.Forbidden):
        approve(other, both)
    assert both not in waiting_for_approval(Actor.for_staff(other))
    for branch in (chain.north, chain.west):
        assert approve(other, submitted(chain.owner, branch_ids=[branch.pk])).approved_by


def refused(away, delegate_id, field, first=TODAY, last=TODAY):
    with pytest.raises(errors.ValidationFailed) as refusal:
        core.delegate_approvals(
            actor=Actor.for_staff(away), delegate_id=delegate_id, begins_on=first, ends_on=last
        )
    assert list(refusal.value.fields) == [field]


def test_what_is_refused(chain, other_chain, deputy):
    day = dt.timedelta(days=1)
    refused(chain.regional, chain.regional.pk, "delegate")
    refused(chain.regional, chain.receptionist.pk, "delegate")
    refused(chain.regional, other_chain.manager.pk, "delegate")
    refused(chain.regional, deputy.pk, "begins_on", TODAY - day, TODAY)
    refused(chain.regional, deputy.pk, "ends_on", TODAY + day, TODAY)
    refused(chain.regional, deputy.pk, "ends_on", TODAY, TODAY + 91 * day)
    for staff in (chain.manager, chain.receptionist):
        with pytest.raises(errors.Forbidden):
            stand_in(staff, deputy)
    assert not Delegation.objects.exists()
    stand_in(chain.regional, deputy, TODAY + day, TODAY + 3 * day)
    refused(chain.regional, chain.manager.pk, "begins_on", TODAY, TODAY + day)
    refused(chain.regional, chain.manager.pk, "begins_on", TODAY + 3 * day, TODAY + 9 * day)
    stand_in(chain.regional, chain.manager, TODAY, TODAY)


def test_it_is_revoked_at_once_by_who_gave_it_or_an_owner(chain, other_chain, deputy):
    campaign = submitted(chain.manager)
    given = stand_in(chain.regional, deputy)
    other = make_staff(Role.REGIONAL_MANAGER, chain.west)
    for staff in (other, deputy):
        with pytest.raises(errors.NotFound):
            core.revoke_delegation(actor=Actor.for_staff(staff), delegation_id=given.pk)
    with tenant_scope(other_chain.tenant.pk), pytest.raises(errors.NotFound):
        core.revoke_delegation(actor=Actor.for_staff(other_chain.owner), delegation_id=given.pk)
    core.revoke_delegation(actor=Actor.for_staff(chain.owner), delegation_id=given.pk)
    with pytest.raises(errors.Forbidden):
        approve(deputy, campaign)
    with pytest.raises(errors.Conflict):
        core.revoke_delegation(actor=Actor.for_staff(chain.owner), delegation_id=given.pk)
    stand_in(chain.regional, deputy)  # the days are free again


@pytest.mark.parametrize(
    ("who", "change"),
    [
        ("regional", {"is_active": False}),
        ("regional", {"role": Role.BRANCH_MANAGER}),
        ("deputy", {"role": Role.RECEPTIONIST}),
    ],
)
def test_it_is_worth_what_they_are_now(chain, deputy, who, change):
    campaign = submitted(chain.manager)
    stand_in(chain.regional, deputy)
    person = {"regional": chain.regional, "deputy": deputy}[who]
    core.update_staff(actor=chain.actor(chain.owner), staff=person, values=change)
    deputy.refresh_from_db()
    assert not may_approve(Actor.for_staff(deputy), campaign)


def test_lost_branches_are_lost_to_the_delegate_too(chain, deputy):
    campaign = submitted(chain.manager)
    stand_in(chain.regional, deputy)
    StaffBranch.objects.filter(staff=chain.regional, branch=chain.north).delete()
    assert not may_approve(Actor.for_staff(deputy), campaign)


def test_a_delegate_looks_and_decides_and_does_nothing_else(chain, client, deputy):
    campaign = submitted(chain.manager)
    client.force_login(deputy.user)
    page = reverse("campaign-detail", args=[campaign.pk])
    assert client.get(page).status_code == 404
    stand_in(chain.regional, deputy)
    shown = client.get(page).content.decode()
    assert "You decide in the place of Regional manager" in shown
    assert reverse("campaign-edit", args=[campaign.pk, "details"]) not in shown
    assert client.get(reverse("campaign-decision", args=[campaign.pk])).status_code == 200
    for name in ("campaign-pause", "campaign-cancel", "campaign-send", "campaign-copy"):
        assert client.post(reverse(name, args=[campaign.pk])).status_code == 404
    patched = client.patch(
        f"/api/v1/campaigns/{campaign.pk}", json.dumps({"name": "x"}), "application/json"
    )
    assert patched.status_code == 404
    assert client.get(f"/api/v1/campaigns/{campaign.pk}").status_code == 200
    said = client.post(reverse("campaign-comment", args=[campaign.pk]), {"text": "Why so many?"})
    assert said.status_code == 302
    answer = client.post(f"/api/v1/campaigns/{campaign.pk}/approve", "{}", "application/json")
    assert answer.status_code == 200
    assert client.get(page).status_code == 200
    assert AuditEntry.objects.get(action="campaign.approve").changes["inPlaceOf"] == (
        "Regional manager"
    )


def test_a_delegate_may_let_go_on_what_only_an_approver_can(chain, client, deputy):
    campaign = submitted(chain.manager)
    Campaign.objects.filter(pk=campaign.pk).update(
        status="paused", paused_from="sending", pause_reason="audience_grown"
    )
    client.force_login(deputy.user)
    address = reverse("campaign-resume", args=[campaign.pk])
    assert client.post(address).status_code == 404
    stand_in(chain.regional, deputy)
    assert client.post(address).status_code == 302
    assert Campaign.objects.get(pk=campaign.pk).approved_by == deputy.user


def test_the_page_names_and_ends(chain, login, deputy):
    client = login("regional")
    page = reverse("away")
    days = {"begins_on": TODAY.isoformat(), "ends_on": TODAY.isoformat()}
    wrong = client.post(
        page, {"delegate": str(deputy.pk), "begins_on": "2026-11-01"} | {"ends_on": "2026-11-01"}
    )
    assert wrong.status_code == 422
    assert "This day is over." in wrong.content.decode()
    assert client.post(page, {"delegate": str(chain.receptionist.pk), **days}).status_code == 422
    assert client.post(page, {"delegate": str(deputy.pk), **days}).status_code == 302
    assert "Deputy" in client.get(page).content.decode()
    (given,) = Delegation.objects.all()
    assert client.post(reverse("away-revoke", args=[given.pk])).status_code == 302
    assert Delegation.objects.get().revoked_at is not None
    for staff in ("manager", "receptionist"):
        assert login(staff).get(page).status_code == 403
        assert login(staff).post(reverse("away-revoke", args=[given.pk])).status_code == 403


HANDS = st.sampled_from(["manager", "regional", "owner", "deputy", "second"])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    creator=HANDS,
    editor=HANDS,
    branches=st.sampled_from(["north", "north south", "west", ""]),
    pairs=st.sets(st.tuples(HANDS, HANDS), max_size=3),
)
def test_whoever_may_is_told_and_sees_it_and_nobody_else(
    chain, deputy, creator, editor, branches, pairs
):
    """The mandate, the inbox and the list of whom to tell say the same; no hand decides."""
    Delegation.objects.all().delete()
    people = {name: getattr(chain, name) for name in ("manager", "regional", "owner")}
    second = Staff.objects.filter(name="Second").first()
    people |= {
        "deputy": deputy,
        "second": second or make_staff(Role.REGIONAL_MANAGER, chain.west, name="Second"),
    }
    for away, in_place in sorted(pairs):
        if away != in_place:
            Delegation.objects.create(
                delegator=people[away],
                delegate=people[in_place],
                begins_at=NOON - dt.timedelta(hours=1),
                ends_at=NOON + dt.timedelta(hours=1),
            )
    campaign = make_campaign(chain.owner)
    ids = [getattr(chain, name).pk for name in branches.split()]
    Campaign.objects.filter(pk=campaign.pk).update(
        created_by=people[creator].user,
        submitted_by=people[creator].user,
        author_ids=list({people[creator].user_id, people[editor].user_id}),
        status="pending_approval",
        branch_ids=ids or None,
    )
    campaign.refresh_from_db()
    told = set(approver_staff_ids(campaign))
    for person in people.values():
        actor = Actor.for_staff(person)
        mandate = mandate_for(actor, campaign)
        sees = waiting_for_approval(actor).filter(pk=campaign.pk).exists()
        assert (mandate is not None) == sees == (person.pk in told)
        if mandate is None:
            continue
        assert person.user_id not in campaign.author_ids
        assert person.role in MANAGERS
        right = mandate.on_behalf_of
        by = person if right is None else Staff.objects.get(pk=right.staff_id)
        assert by.role in (Role.REGIONAL_MANAGER, Role.SUPER_OWNER)
        assert by.user_id not in campaign.author_ids
        own = set(by.branches.values_list("pk", flat=True))
        assert by.role == Role.SUPER_OWNER or (ids and own.issuperset(ids))
