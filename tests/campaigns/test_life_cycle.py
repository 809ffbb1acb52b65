"""Every action in every state by every role: it leads where it should, or changes nothing."""

import datetime as dt

import pytest
from django.db import transaction

from marketing.campaigns import rules, services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.rules import Action
from marketing.campaigns.services import runs, sending
from marketing.core import clock
from marketing.core.errors import Forbidden, InvalidCampaignStatus
from marketing.core.models import AuditEntry, DomainEvent
from marketing.delivery.models import DispatchBatch, Message, SendRun
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.delivery import become, finish

pytestmark = pytest.mark.usefixtures("tasks")

ROLES = ("receptionist", "manager", "regional", "owner")
MANAGERS, APPROVERS = ROLES[1:], ROLES[2:]
ENGINE = (Action.STOP, Action.FINISH)


def send_again(actor, campaign):
    run = campaign.runs.order_by("number").first()
    run_id = run.send_run_id if run else campaign.pk
    return services.retry_failed(actor=actor, campaign=campaign, run_id=run_id)


def schedule(actor, campaign):
    later = clock.now() + dt.timedelta(days=1)
    return services.schedule_campaign(actor=actor, campaign=campaign, scheduled_at=later)


# What each action does, and who may. The campaign's author is the manager.
ACTS = {
    Action.EDIT: (
        MANAGERS,
        lambda actor, one: services.update_campaign(
            actor=actor, campaign=one, values={"description": "Another"}
        ),
    ),
    Action.DELETE: (
        MANAGERS, lambda actor, one: services.delete_campaign(actor=actor, campaign=one),
    ),
    Action.SUBMIT: (
        MANAGERS, lambda actor, one: services.submit_campaign(actor=actor, campaign=one),
    ),
    Action.APPROVE: (
        APPROVERS, lambda actor, one: services.approve_campaign(actor=actor, campaign=one),
    ),
    Action.REJECT: (
        APPROVERS,
        lambda actor, one: services.reject_campaign(actor=actor, campaign=one, reason="Dear"),
    ),
    Action.ASK_FOR_CHANGES: (
        APPROVERS,
        lambda actor, one: services.ask_for_changes(actor=actor, campaign=one, reason="Dear"),
    ),
    Action.SCHEDULE: (MANAGERS, schedule),
    Action.SEND: (
        MANAGERS, lambda actor, one: services.send_campaign(actor=actor, campaign=one),
    ),
    Action.PAUSE: (
        MANAGERS, lambda actor, one: services.pause_campaign(actor=actor, campaign=one),
    ),
    Action.RESUME: (
        MANAGERS, lambda actor, one: services.resume_campaign(actor=actor, campaign=one),
    ),
    Action.CANCEL: (
        MANAGERS, lambda actor, one: services.cancel_campaign(actor=actor, campaign=one),
    ),
    Action.RETRY: (MANAGERS, send_again),
    Action.COMMENT: (
        MANAGERS,
        lambda actor, one: services.comment_on_campaign(actor=actor, campaign=one, text="Dear"),
    ),
}  # fmt: skip
# Where it leads, as decisions say; what is not here is refused.
TARGETS = {
    ("draft", "edit"): "draft",
    ("draft", "delete"): "gone",
    ("draft", "submit"): "pending_approval",
    ("pending_approval", "edit"): "draft",
    ("pending_approval", "approve"): "approved",
    ("pending_approval", "reject"): "draft",
    ("pending_approval", "ask_for_changes"): "draft",
    ("approved", "edit"): "draft",
    ("approved", "schedule"): "scheduled",
    ("approved", "send"): "sending",
    ("scheduled", "edit"): "draft",
    ("scheduled", "send"): "sending",
    ("scheduled", "pause"): "paused",
    ("scheduled", "cancel"): "cancelled",
    ("scheduled", "retry"): "sending",
    ("scheduled", "stop"): "paused",
    ("sending", "pause"): "paused",
    ("sending", "cancel"): "cancelled",
    ("sending", "stop"): "paused",
    ("sending", "finish"): "sent",
    ("paused", "resume"): "sending",
    ("paused", "cancel"): "cancelled",
    ("sent", "retry"): "sending",
    ("sent", "stop"): "paused",
    ("draft", "comment"): "draft",
    ("pending_approval", "comment"): "pending_approval",
    ("approved", "comment"): "approved",
    ("scheduled", "comment"): "scheduled",
    ("sending", "comment"): "sending",
    ("paused", "comment"): "paused",
}


def under_way(chain, **values):
    campaign = approved(chain.manager, chain.regional, **values)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    campaign.refresh_from_db()
    return campaign


def through(chain, **values):
    """Its run is done; one message failed, and can be tried again."""
    campaign = under_way(chain, **values)
    send_run = campaign.runs.get().send_run
    first, *others = Message.objects.filter(run_id=send_run.pk).order_by("pk")
    become(first, "failed", "131053", "fail_content")
    for message in others:
        become(message, "delivered")
    finish(send_run)
    runs.note_run_finished(send_run_id=send_run.pk)
    campaign.refresh_from_db()
    return campaign


def brought_to(chain, status):
    """A campaign in this state, by the way that leads there; the scheduled one is recurring."""
    manager = chain.actor(chain.manager)
    if status == rules.DRAFT:
        return make_campaign(chain.manager)
    if status == rules.PENDING_APPROVAL:
        return submitted(chain.manager)
    if status == rules.APPROVED:
        return approved(chain.manager, chain.regional)
    if status == rules.SCHEDULED:
        return through(
            chain,
            campaign_type="recurring",
            recurrence_pattern="daily",
            recurrence_time=dt.time(12, 0),
        )
    if status == rules.SENT:
        return through(chain)
    campaign = under_way(chain)
    if status == rules.PAUSED:
        services.pause_campaign(actor=manager, campaign=campaign)
    if status == rules.CANCELLED:
        services.cancel_campaign(actor=manager, campaign=campaign)
    return campaign


def everything():
    """What a refusal must leave as it was."""
    tables = (Campaign, CampaignRun, SendRun, Message, DispatchBatch)
    rows = [list(model.objects.order_by("pk").values()) for model in tables]
    return rows, AuditEntry.objects.count(), DomainEvent.objects.count()


def status_of(campaign):
    return (
        Campaign.objects.filter(pk=campaign.pk).values_list("status", flat=True).first() or "gone"
    )


def judge(act, campaign, before):
    """Where the act led, or the status of its refusal; undone afterwards."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                act(Campaign.objects.select_related("template", "segment").get(pk=campaign.pk))
            found = status_of(campaign)
        except (Forbidden, InvalidCampaignStatus) as refusal:
            assert everything() == before
            found = refusal.http_status
        transaction.set_rollback(True)
    return found


def test_the_table_of_targets_is_that_of_the_rules():
    named = {(status, action) for action, found in rules.TRANSITIONS.items() for status in found}
    assert named == set(TARGETS)
    assert set(ACTS) == set(Action) - set(ENGINE)
    for (status, action), target in TARGETS.items():
        assert target == "gone" or target in rules.TRANSITIONS[Action(action)][status]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("status", rules.STATUSES)
def test_what_people_do(chain, status, role):
    make_ground(chain.north, people=2)
    campaign = brought_to(chain, status)
    assert status_of(campaign) == status
    before, actor = everything(), chain.actor(getattr(chain, role))
    found, expected = {}, {}
    for action, (allowed, act) in ACTS.items():
        found[action] = judge(lambda one, act=act: act(actor, one), campaign, before)
        target = TARGETS.get((status, action), 409)
        expected[action] = target if role in allowed else 403
    assert found == expected
    assert everything() == before


@pytest.mark.parametrize("status", rules.STATUSES)
def test_what_the_engine_does(chain, status):
    make_ground(chain.north, people=2)
    campaign = brought_to(chain, status)
    before = everything()
    acts = {
        Action.STOP: lambda one: sending.halt(one, "template_stopped", "Taken back"),
        Action.FINISH: sending.finish,
    }
    assert {action: judge(act, campaign, before) for action, act in acts.items()} == {
        action: TARGETS.get((status, action), 409) for action in acts
    }
