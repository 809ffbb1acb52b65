"""What people say about a campaign, what its history tells, and who is told."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors.history import history
from marketing.campaigns.services import notices, runs
from marketing.core import errors
from marketing.core import services as core
from marketing.core.models import AuditEntry, Role, Staff, StaffNotification
from tests.campaigns.test_pages import text_of
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.core import make_staff
from tests.factories.policy import set_branch_config, set_config
from tests.page_queries import questions

WORDS = "क्या छूट सही है? 🎉\nPlease look."


@pytest.fixture(autouse=True)
def ground(chain, tasks):
    make_ground(chain.north, chain.south)


def say(chain, staff, campaign, text=WORDS):
    services.comment_on_campaign(actor=chain.actor(staff), campaign=campaign, text=text)


def told(kind):
    """Who was told, and has not read it."""
    found = StaffNotification.objects.filter(kind=kind, read_at=None)
    return {row.staff.name for row in found.select_related("staff")}


def stored(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def test_a_conversation(chain, login):
    campaign = submitted(chain.manager)
    address = reverse("campaign-detail", args=[campaign.pk])
    asked = login("regional").post(
        reverse("campaign-comment", args=[campaign.pk]), {"text": "  <b>Why</b> so many?  "}
    )
    assert asked.status_code == 302
    assert told(notices.COMMENTED) == {"Branch manager"}
    say(chain, chain.manager, campaign)
    assert told(notices.COMMENTED) == {"Branch manager", "Regional manager"}
    shown = login("manager").get(address).content.decode()
    assert "&lt;b&gt;Why&lt;/b&gt; so many?" in shown
    assert "क्या छूट सही है? 🎉<br>Please look." in shown
    newest, earlier = history(campaign)[:2]
    assert (newest.said, newest.is_comment) == (WORDS, True)
    assert (earlier.said, earlier.by) == ("<b>Why</b> so many?", "Regional manager")
    assert stored(campaign).status == "pending_approval"


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001, "a\x00b"])
def test_words_that_are_refused_stay_in_their_field(chain, login, text):
    campaign = make_campaign(chain.manager)
    answer = login("manager").post(reverse("campaign-comment", args=[campaign.pk]), {"text": text})
    assert answer.status_code == 422
    assert text.strip("\x00 \n")[:50] in answer.content.decode()
    assert not AuditEntry.objects.filter(action="campaign.comment").exists()


@pytest.mark.parametrize("reason", ["x" * 2001, "a\x00b", " "])
def test_a_reason_has_the_same_bounds(chain, login, reason):
    campaign = submitted(chain.manager)
    for name in ("campaign-reject", "campaign-ask-for-changes"):
        answer = login("regional").post(reverse(name, args=[campaign.pk]), {"reason": reason})
        assert answer.status_code == 422
    assert stored(campaign).status == "pending_approval"


def test_who_may_not_speak(chain, other_chain, login):
    campaign = make_campaign(chain.owner, branch_ids=[chain.west.pk])
    address = reverse("campaign-comment", args=[campaign.pk])
    assert login("manager").post(address, {"text": "x"}).status_code == 404
    own = make_campaign(chain.manager)
    address = reverse("campaign-comment", args=[own.pk])
    assert login("receptionist").post(address, {"text": "x"}).status_code == 403
    with pytest.raises(errors.Forbidden):
        say(chain, chain.receptionist, own)
    with pytest.raises(errors.NotFound):
        say(chain, chain.manager, campaign)
    assert not AuditEntry.objects.filter(action="campaign.comment").exists()


@pytest.mark.parametrize("status", ["sent", "cancelled"])
def test_nothing_is_said_after_the_end(chain, status):
    campaign = make_campaign(chain.manager)
    Campaign.objects.filter(pk=campaign.pk).update(status=status)
    with pytest.raises(errors.InvalidCampaignStatus):
        say(chain, chain.manager, campaign)


def test_a_round_of_rejection_tells_the_right_people_once(chain, login):
    second = make_staff(Role.REGIONAL_MANAGER, chain.north, name="Second")
    make_staff(Role.REGIONAL_MANAGER, chain.west, name="Elsewhere")
    campaign = submitted(chain.manager)
    assert told(notices.SUBMITTED) == {"Regional manager", "Second", "Super owner"}
    services.reject_campaign(actor=chain.actor(second), campaign=campaign, reason="Too dear.")
    assert told(notices.SUBMITTED) == set()
    assert told(notices.REJECTED) == {"Branch manager"}
    (row,) = StaffNotification.objects.filter(kind=notices.REJECTED)
    assert row.facts == {"campaign": "Diwali glow", "by": "Second", "reason": "Too dear."}
    services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert told(notices.SUBMITTED) == {"Regional manager", "Second", "Super owner"}
    services.ask_for_changes(
        actor=chain.actor(chain.regional), campaign=campaign, reason="Say till when."
    )
    services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    assert told(notices.CHANGES_ASKED) == told(notices.APPROVED) == {"Branch manager"}
    core.send_mails(core.take_mails())
    subjects = [message.subject for message in mail.outbox]
    assert len(subjects) == 3  # what was settled meanwhile bothers nobody
    assert "Regional manager approved “Diwali glow”" in subjects
    acts = [str(item.act.title) for item in history(campaign)]
    assert acts == [
        "Approved",
        "Submitted",
        "Sent back for changes",
        "Submitted",
        "Rejected",
        "Submitted",
        "Made",
    ]


def test_what_needs_nobodys_approval_tells_nobody(chain):
    set_config(campaign_approval_threshold_recipients=1000)
    campaign = submitted(chain.manager)
    assert not StaffNotification.objects.exists()
    assert history(campaign)[0].notes[-1] == "It needs nobody's approval."


def test_an_edit_says_what_it_voided_and_calls_off_the_question(chain):
    campaign = submitted(chain.manager)
    services.update_campaign(
        actor=chain.actor(chain.manager), campaign=campaign, values={"name": "Other"}
    )
    assert told(notices.SUBMITTED) == set()
    assert history(campaign)[0].notes == [
        "Name",
        "It no longer waits for an approval; it has to be submitted again.",
    ]
    services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    cost = stored(campaign).approved_cost
    services.update_campaign(
        actor=chain.actor(chain.manager), campaign=campaign, values={"description": "x"}
    )
    voided = history(campaign)[0].notes[1]
    assert voided.startswith("This voided the approval by Regional manager: 3 people, about ₹")
    assert f"{cost:.2f}" in voided


def test_a_stop_by_the_engine_tells_the_author_and_by_its_reason_the_approvers(chain):
    campaign = approved(chain.manager, chain.regional)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("100"))
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.50"))
    runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    assert stored(campaign).pause_reason == "budget"
    assert told(notices.STOPPED) == {"Branch manager"}
    notices.tell_of_stop(stored(campaign), "budget", "again")
    assert StaffNotification.objects.filter(kind=notices.STOPPED).count() == 1
    other = submitted(chain.manager, name="Other")
    notices.tell_of_stop(other, "audience_grown", "")
    assert told(notices.STOPPED) == {"Branch manager", "Regional manager", "Super owner"}


def test_nobody_is_told_of_their_own_doing(chain):
    author = make_staff(Role.SUPER_OWNER, name="Author")
    campaign = submitted(author, branch_ids=[chain.north.pk])
    assert told(notices.SUBMITTED) == {"Regional manager", "Super owner"}
    say(chain, author, campaign)
    assert told(notices.COMMENTED) == set()


def test_opening_the_news_leads_to_the_campaign(chain, login):
    campaign = submitted(chain.manager)
    row = StaffNotification.objects.get(staff=chain.regional)
    client = login("regional")
    assert "“Diwali glow” waits for your approval" in text_of(
        client.get(reverse("notification-list"))
    )
    answer = client.get(reverse("notification-open", args=[row.pk]))
    assert answer.headers["Location"] == reverse("campaign-detail", args=[campaign.pk])


def test_news_of_a_deleted_draft_lead_somewhere(chain, login):
    """To the list, which says why there is nothing to see; and nobody is mailed about it."""
    second = make_staff(Role.REGIONAL_MANAGER, chain.north, name="Second")
    campaign = submitted(chain.manager)
    services.reject_campaign(actor=chain.actor(second), campaign=campaign, reason="Too dear.")
    say(chain, second, campaign)
    services.delete_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert not StaffNotification.objects.filter(read_at=None).exists()
    assert core.take_mails() == []
    client = login("manager")
    for row in StaffNotification.objects.filter(staff=chain.manager):
        answer = client.get(reverse("notification-open", args=[row.pk]), follow=True)
        assert answer.redirect_chain == [(reverse("notification-list"), 302)]
        assert answer.status_code == 200
        assert "no longer yours to see" in text_of(answer)
        assert "Too dear." not in text_of(answer)


@pytest.mark.parametrize("change", ["other branches", "the stand-in is over", "it moved"])
def test_who_may_no_longer_look_reads_no_news_of_it(chain, login, change):
    deputy = make_staff(Role.BRANCH_MANAGER, chain.west, name="Deputy")
    reader = deputy if "stand-in" in change else chain.regional
    today = timezone.localdate(timezone=ZoneInfo(chain.tenant.time_zone))
    given = core.delegate_approvals(
        actor=chain.actor(chain.regional), delegate_id=deputy.pk, begins_on=today, ends_on=today
    )
    campaign = submitted(chain.manager)
    row = StaffNotification.objects.get(staff=reader, kind=notices.SUBMITTED)
    owner = chain.actor(chain.owner)
    if change == "other branches":
        core.update_staff(
            actor=owner, staff=chain.regional, values={"branch_ids": [chain.south.pk]}
        )
    elif change == "it moved":
        Campaign.objects.filter(pk=campaign.pk).update(branch_ids=[chain.west.pk])
    else:
        core.revoke_delegation(actor=owner, delegation_id=given.pk)
    assert row.pk not in {each.notification_id for each in core.take_mails()}
    client = Client()
    client.force_login(reader.user)
    shown = text_of(client.get(reverse("notification-list")))
    assert "Diwali glow" not in shown
    assert "no longer yours to see" in shown
    answer = client.get(reverse("notification-open", args=[row.pk]))
    assert answer.headers["Location"] == reverse("notification-list")
    row.refresh_from_db()
    assert row.read_at is not None  # counted until then, and put away like any other


def test_the_list_asks_once_what_of_it_is_in_sight(chain, login):
    client, page = login("regional"), reverse("notification-list")
    submitted(chain.manager)
    few, _fragments = questions(client, page)
    for number in range(5):
        submitted(chain.manager, name=f"Campaign {number}")
    many, _fragments = questions(client, page)
    assert len(many) == len(few)


def test_an_approval_stands_when_the_approver_leaves_before_it_is_sent(chain):
    """It was given by who could give it; what would go is judged again at the freeze."""
    campaign = approved(chain.manager, chain.regional)
    core.update_staff(
        actor=chain.actor(chain.owner), staff=chain.regional, values={"is_active": False}
    )
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    assert stored(campaign).status == "sending"


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"role": Role.BRANCH_MANAGER}, {"branch_ids": "south"}]
)
def test_an_approver_demoted_between_submit_and_press_decides_nothing(chain, login, change):
    campaign = submitted(chain.manager)
    client = login("regional")
    if "branch_ids" in change:
        change = {"branch_ids": [chain.south.pk]}
    staff = Staff.objects.get(pk=chain.regional.pk)
    core.update_staff(actor=chain.actor(chain.owner), staff=staff, values=change)
    for act in ("approve", "reject", "ask-for-changes"):
        answer = client.post(reverse(f"campaign-{act}", args=[campaign.pk]), {"reason": "No."})
        assert answer.status_code in (302, 403, 404)
    assert stored(campaign).status == "pending_approval"


def test_the_author_reads_who_can_decide(chain, login):
    campaign = submitted(chain.manager)
    address = reverse("campaign-detail", args=[campaign.pk])
    shown = text_of(login("manager").get(address))
    assert "Who can decide: Regional manager, Super owner" in shown
    assert "Who can decide" not in text_of(login("regional").get(address))
    every = [chain.regional.user_id, chain.owner.user_id, chain.manager.user_id]
    Campaign.objects.filter(pk=campaign.pk).update(author_ids=every)
    assert "Nobody can decide on it" in text_of(login("manager").get(address))


def test_an_approver_is_warned_before_editing_away_her_right(chain, login):
    campaign = submitted(chain.manager)
    step = reverse("campaign-edit", args=[campaign.pk, "details"])
    warning = "Once you save a change, you had a hand in it"
    assert warning in text_of(login("regional").get(step))
    assert warning not in text_of(login("manager").get(step))
    services.update_campaign(
        actor=chain.actor(chain.regional), campaign=campaign, values={"name": "Mended"}
    )
    assert warning not in text_of(login("regional").get(step))
