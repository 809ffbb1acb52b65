"""Campaigns whose message WhatsApp stops, approves again, or charges otherwise."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from marketing.campaigns import services
from marketing.content import services as content
from marketing.content.models import TemplateVersion
from marketing.core import clock, errors, events
from marketing.core.models import AuditEntry
from tests.campaigns.test_sending import send, stored
from tests.factories.campaigns import approved, make_ground
from tests.factories.content import TemplateFactory

NOW = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


@pytest.fixture
def scheduled(chain, manager):
    campaign = approved(
        chain.manager, chain.regional, scheduled_at=clock.now() + dt.timedelta(days=2)
    )
    return services.schedule_campaign(actor=manager, campaign=campaign)


def tell(campaign, status="", **news):
    """WhatsApp speaks of the campaign's message, in every language."""
    version = TemplateVersion.objects.get(template=campaign.template_id)
    for language in version.contents:
        content.apply_whatsapp_status(
            name=version.whatsapp_template_name, language=language, status=status, **news
        )
    events.deliver_due()
    events.deliver_due()


@pytest.mark.parametrize("status", ["paused", "disabled", "rejected"])
def test_what_is_scheduled_pauses_at_once_and_says_so(scheduled, login, status):
    tell(scheduled, status, reason="FIRST_PAUSE")
    paused = stored(scheduled)
    assert (paused.status, paused.pause_reason) == ("paused", "template_stopped")
    assert paused.pause_detail == f"{scheduled.template.name}: FIRST_PAUSE"
    page = login("manager").get(reverse("campaign-detail", args=[scheduled.pk])).content.decode()
    assert "WhatsApp has stopped the template" in page
    assert "FIRST_PAUSE" in page
    wire = login("manager").get(f"/api/v1/campaigns/{scheduled.pk}").json()["data"]["campaign"]
    assert wire["pauseReason"] == "template_stopped"
    assert "resume it here" in wire["pauseMessage"]
    assert AuditEntry.objects.filter(action="campaign.stop").count() == 1


def test_a_further_step_counts_too(chain, manager):
    sms, whatsapp = TemplateFactory(sms=True), TemplateFactory()
    steps = [
        {"channel": "sms", "template_id": sms.pk},
        {"channel": "whatsapp", "template_id": whatsapp.pk, "after_minutes": 30},
    ]
    campaign = approved(
        chain.manager,
        chain.regional,
        channel="sms",
        template_id=sms.pk,
        steps=steps,
        channel_mode="cascade",
        scheduled_at=clock.now() + dt.timedelta(days=2),
    )
    services.schedule_campaign(actor=manager, campaign=campaign)
    version = whatsapp.versions.get()
    content.apply_whatsapp_status(
        name=version.whatsapp_template_name, language="en", status="paused"
    )
    events.deliver_due()
    assert stored(campaign).pause_reason == "template_stopped"


def test_others_drafts_and_older_versions_go_on(chain, manager, scheduled):
    other = approved(chain.manager, chain.regional, scheduled_at=clock.now() + dt.timedelta(days=2))
    services.schedule_campaign(actor=manager, campaign=other)
    tell(scheduled, "paused")
    assert stored(other).status == "scheduled"
    # An older version is nobody's but the runs' that have it.
    content.update_template(
        actor=manager, template=other.template, values={"contents": {"en": {"body": "Come soon."}}}
    )
    old = TemplateVersion.objects.get(template=other.template, number=1)
    content.apply_whatsapp_status(name=old.whatsapp_template_name, language="en", status="paused")
    events.deliver_due()
    assert stored(other).status == "scheduled"


def test_it_is_resumed_by_a_person_once_it_is_approved_again(manager, scheduled):
    tell(scheduled, "paused")
    with pytest.raises(errors.WhatsAppTemplateNotApproved) as refusal:
        services.resume_campaign(actor=manager, campaign=stored(scheduled))
    assert "templateId" in refusal.value.fields
    assert stored(scheduled).status == "paused"
    tell(scheduled, "approved")
    assert stored(scheduled).status == "paused"
    services.resume_campaign(actor=manager, campaign=stored(scheduled))
    assert stored(scheduled).status == "scheduled"


def test_a_running_one_pauses_and_goes_on_with_its_own_version(manager, chain):
    running = approved(chain.manager, chain.regional)
    run = send(manager, running)
    tell(running, "paused", reason="FIRST_PAUSE")
    assert stored(running).pause_reason == "template_stopped"
    with pytest.raises(errors.WhatsAppTemplateNotApproved, match="has stopped"):
        services.resume_campaign(actor=manager, campaign=stored(running))
    run.send_run.refresh_from_db()
    assert run.send_run.state == "paused"
    tell(running, "approved")
    # A newer version that waits for its review is not the run's.
    content.update_template(
        actor=manager,
        template=running.template,
        values={"contents": {"en": {"body": "Come soon."}}},
    )
    services.resume_campaign(actor=manager, campaign=stored(running))
    run.send_run.refresh_from_db()
    assert (stored(running).status, run.send_run.state) == ("sending", "frozen")


def test_only_who_may_send_resumes(chain, scheduled):
    tell(scheduled, "paused")
    tell(scheduled, "approved")
    with pytest.raises(errors.Forbidden):
        services.resume_campaign(actor=chain.actor(chain.receptionist), campaign=scheduled)
    assert stored(scheduled).status == "paused"


def test_a_dearer_category_is_counted_and_asks_for_approval_again(chain, manager):
    template = TemplateFactory(template_type="transactional")
    campaign = approved(chain.manager, chain.regional, template_id=template.pk)
    before = campaign.estimated_cost
    tell(campaign, category="MARKETING")
    run = send(manager, campaign)
    paused = stored(campaign)
    assert (paused.status, paused.pause_reason) == ("paused", "cost_grown")
    assert run.send_run.state == "ready"
    services.resume_campaign(actor=chain.actor(chain.regional), campaign=paused)
    assert stored(campaign).approved_cost == pytest.approx(
        before * Decimal("0.8631") / Decimal("0.1150")
    )
