"""News of templates, posted as Meta posts them: to the door, into the inbox, applied."""

import json

import pytest

from marketing.content.models import TemplateVersion
from marketing.core import events
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import SendRun, WebhookEvent
from marketing.delivery.webhooks import consumer
from tests.delivery.providers.conftest import payload
from tests.delivery.webhooks.conftest import state_of

__all__ = ["payload"]


@pytest.fixture
def version(run):
    with tenant_scope(run.tenant_id):
        return TemplateVersion.objects.get(pk=run.steps[0]["versionId"])


@pytest.fixture
def told(post, payload, version):
    """Post a captured payload about the run's template; returns how the version stands then."""

    def tell(name, **changes):
        text = payload(f"meta/{name}.json").decode()
        text = text.replace("diwali_offer_v1", version.whatsapp_template_name)
        for old, new in changes.items():
            text = text.replace(old, new)
        assert post(json.loads(text)).status_code == 200
        consumer.consume_due()
        with tenant_scope(version.tenant_id):
            version.refresh_from_db()
            assert not WebhookEvent.objects.exclude(state="applied").exists()
        return version.whatsapp["hi"]

    return tell


def test_paused_by_meta_the_run_stops_and_says_why(run, version, told):
    entry = told("template_paused")
    assert (entry["status"], version.whatsapp_status) == ("paused", "paused")
    assert entry["reason"] == "FIRST_PAUSE: Low quality in 6 hours."
    with tenant_scope(run.tenant_id):
        SendRun.objects.filter(pk=run.pk).update(state=SendRun.State.FROZEN)
        events.deliver_due()
    assert state_of(run) == SendRun.State.PAUSED
    assert run.pause_reason == "template_stopped"
    assert run.pause_detail.endswith(": FIRST_PAUSE: Low quality in 6 hours.")


def test_doubled_and_out_of_order(version, told):
    told("template_approved")
    told("template_paused")
    entry = told("template_paused")
    assert entry["status"] == version.whatsapp["hi"]["status"] == "approved"
    assert [news["to"] for news in entry["history"]] == ["paused"]
    late = told("template_paused", **{"1776000000": "1776007200"})
    assert late["status"] == "paused"


def test_a_word_we_do_not_know_is_kept(version, told):
    entry = told("template_paused", PAUSED="IN_QUARANTINE", FIRST_PAUSE="NEW_RULE")
    assert (entry["status"], entry["said"]) == ("approved", "IN_QUARANTINE")
    assert entry["history"][-1]["reason"] == "NEW_RULE: Low quality in 6 hours."


def test_category_announced_and_changed_and_quality(version, told):
    assert told("template_category_announced")["nextCategory"] == "marketing"
    entry = told("template_category", **{'"new_category":"MARKETING"': '"new_category":"UTILITY"'})
    assert entry["category"] == "utility"
    assert told("template_quality")["quality"] == "yellow"
    kinds = [news["what"] for news in version.whatsapp["hi"]["history"]]
    assert kinds == ["category_announced", "category", "quality"]
