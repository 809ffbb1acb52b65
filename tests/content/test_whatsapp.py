"""Templates handed in to WhatsApp, and what WhatsApp says of them."""

import datetime as dt

import pytest
import time_machine

from marketing.content import services, tasks
from marketing.content.errors import TemplateNotSubmittable
from marketing.core.errors import Forbidden, ProviderFailed
from marketing.core.models import AuditEntry, DomainEvent
from marketing.core.tenancy import tenant_scope
from tests.content.conftest import BODY
from tests.factories.content import TemplateFactory

BOTH = {"en": {"body": BODY}, "hi": {"body": "नमस्ते {{ customer_name }}, आइए।"}}


@pytest.fixture
def submitted(chain, create):
    """A template in two languages whose hand-in is due."""
    template = create(contents=BOTH)
    services.submit_whatsapp(actor=chain.actor(chain.manager), template=template)
    return template.versions.get()


def hand_in(version, *, is_last_try=False):
    services.hand_in(tenant_id=version.tenant_id, version_id=version.pk, is_last_try=is_last_try)
    version.refresh_from_db()


def test_is_queued_after_the_commit_only(
    chain, create, monkeypatch, django_capture_on_commit_callbacks
):
    queued = []
    monkeypatch.setattr(tasks.submit_whatsapp_template, "delay", lambda *ids: queued.append(ids))
    template = create()
    with django_capture_on_commit_callbacks(execute=True):
        version = services.submit_whatsapp(actor=chain.actor(chain.manager), template=template)
        assert queued == []
    assert queued == [(str(chain.tenant.pk), str(version.pk))]
    assert version.whatsapp["en"]["status"] == "pending"
    assert AuditEntry.objects.filter(action="template.submit").count() == 1


def test_a_double_click_hands_in_once(chain, submitted):
    with pytest.raises(TemplateNotSubmittable, match="just now"):
        services.submit_whatsapp(actor=chain.actor(chain.manager), template=submitted.template)


def test_a_lost_nudge_can_be_repeated(chain, submitted):
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1), tick=False):
        services.submit_whatsapp(actor=chain.actor(chain.manager), template=submitted.template)


def test_refuses_what_cannot_be_handed_in(chain):
    actor = chain.actor(chain.manager)
    for template in (
        TemplateFactory(sms=True),
        TemplateFactory(is_active=False),
        TemplateFactory(),
    ):
        with pytest.raises(TemplateNotSubmittable):
            services.submit_whatsapp(actor=actor, template=template)
    with pytest.raises(Forbidden):
        services.submit_whatsapp(
            actor=chain.actor(chain.receptionist),
            template=TemplateFactory(whatsapp_status="pending"),
        )


def test_hands_in_every_language_and_notes_the_answer(chain, submitted, whatsapp):
    whatsapp.answers = [{"status": "pending"}, {"status": "approved"}]
    hand_in(submitted)
    assert sorted(whatsapp.calls) == [("diwali_offer_v1", "en"), ("diwali_offer_v1", "hi")]
    assert {entry["id"] for entry in submitted.whatsapp.values()} == {"meta-en", "meta-hi"}
    assert submitted.whatsapp_status == "pending"


def test_a_second_run_of_the_task_asks_nothing_again(chain, submitted, whatsapp):
    hand_in(submitted)
    hand_in(submitted)
    assert len(whatsapp.calls) == 2


@pytest.mark.django_db(transaction=True)
def test_calls_the_vendor_outside_any_transaction(whatsapp, monkeypatch):
    from django.db import connection

    from marketing.content import gateway
    from tests.factories.core import make_chain

    seen = []

    def submit(version, language):
        seen.append((connection.in_atomic_block, version.template.name, version.tenant.languages))
        return {"id": "1", "status": "pending"}

    monkeypatch.setattr(gateway, "_registered", [submit])
    made = make_chain()
    with tenant_scope(made.tenant.pk):
        version = TemplateFactory(name="Diwali", whatsapp_status="pending").versions.get()
        version.whatsapp = {}
        version.save()
    services.hand_in(tenant_id=made.tenant.pk, version_id=version.pk, is_last_try=False)
    assert seen == [(False, "Diwali", ["en", "hi"])] * 2


def test_a_final_refusal_of_the_account_is_shown_and_can_be_tried_again(chain, submitted, whatsapp):
    whatsapp.answers = [ProviderFailed("The token is not valid.")] * 2
    hand_in(submitted)
    for entry in submitted.whatsapp.values():
        assert entry.keys() == {"reason", "history"}
        assert entry["reason"] == "The token is not valid."
    services.submit_whatsapp(actor=chain.actor(chain.manager), template=submitted.template)


def test_a_passing_failure_is_tried_again_and_what_went_through_is_kept(chain, submitted, whatsapp):
    away = ProviderFailed("WhatsApp is away.", details={"isRetryable": True})
    whatsapp.answers = [{"status": "pending"}, away]
    with pytest.raises(ProviderFailed):
        hand_in(submitted)
    hand_in(submitted)
    assert len(whatsapp.calls) == 3
    assert all(entry.get("id") for entry in submitted.whatsapp.values())


def test_the_last_try_gives_up(chain, submitted, whatsapp):
    away = ProviderFailed("WhatsApp is away.", details={"isRetryable": True})
    whatsapp.answers = [away, away]
    hand_in(submitted, is_last_try=True)
    assert submitted.whatsapp["en"]["reason"] == "WhatsApp is away."
    assert "status" not in submitted.whatsapp["en"]


def say(version, language, status, reason=""):
    known = services.apply_whatsapp_status(
        name=version.whatsapp_template_name, language=language, status=status, reason=reason
    )
    version.refresh_from_db()
    return known


def test_a_version_is_approved_when_all_its_languages_are(chain, submitted, whatsapp):
    hand_in(submitted)
    assert say(submitted, "en", "approved")
    assert submitted.whatsapp_status == "pending"
    say(submitted, "hi", "approved")
    assert submitted.whatsapp_status == "approved"
    happened = [event.payload for event in DomainEvent.objects.order_by("id")]
    assert [event["versionStatus"] for event in happened[-2:]] == ["pending", "approved"]


@pytest.mark.parametrize("status", ["rejected", "paused", "disabled"])
def test_one_bad_language_is_the_versions_status(chain, submitted, status):
    say(submitted, "en", "approved")
    say(submitted, "hi", status, "INVALID_FORMAT")
    assert submitted.whatsapp_status == status
    assert submitted.whatsapp["hi"]["reason"] == "INVALID_FORMAT"


def test_saying_it_twice_records_one_event(chain, submitted):
    say(submitted, "en", "approved")
    say(submitted, "en", "approved")
    changed = DomainEvent.objects.filter(name="template.status_changed")
    assert changed.get().payload["language"] == "en"


def test_the_webhook_may_be_quicker_than_the_answer(chain, submitted, whatsapp):
    say(submitted, "en", "approved")
    hand_in(submitted)
    assert submitted.whatsapp["en"]["status"] == "approved"
    assert submitted.whatsapp["en"]["id"] == "meta-en"


def test_unknown_names_and_languages_are_not_ours(chain, submitted):
    assert not services.apply_whatsapp_status(name="nobody", language="en", status="approved")
    assert not say(submitted, "ta", "approved")
    assert not DomainEvent.objects.exists()


def test_another_chains_template_is_not_touched(chain, submitted, other_chain, scope):
    scope(other_chain.tenant.pk)
    assert not services.apply_whatsapp_status(
        name=submitted.whatsapp_template_name, language="en", status="approved"
    )
