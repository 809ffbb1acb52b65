"""The audit log for people to read."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from marketing.core import audit
from marketing.core.models import AuditEntry
from marketing.policy.audit_words import ACTS, act_in_words, acts_called, in_words
from marketing.policy.selectors import branch_config
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory

RECORDED = re.compile(r"audit\.(?:record|entry)\(\s*[\w.()]+,\s*\"([a-z_]+\.[a-z_]+)\"")


def test_every_act_that_is_recorded_has_its_words():
    sources = [
        path
        for folder in ("customers", "marketing", "billing_bridge")
        for path in (Path(settings.BASE_DIR) / folder).rglob("*.py")
    ]
    recorded = {name for path in sources for name in RECORDED.findall(path.read_text())}
    assert len(recorded) > 30
    assert recorded - set(ACTS) == set()


def words(action, target, changes=None, actor=None):
    audit.record(actor, action, target, changes)
    return in_words([AuditEntry.objects.latest("id")])[0]


def test_a_line_names_the_act_the_thing_and_the_change(chain):
    owner = chain.actor(chain.owner)
    asha = CustomerFactory(first_name="Asha", last_name="Rao")
    line = words("consent.update", asha, {"sms_consent": [True, False], "reason": ""}, owner)
    assert (line.act, line.thing) == ("Changed a customer's consent", "Asha Rao")
    assert line.changes == ["Reason: –", "Consent to SMS: yes → no"]
    changes = {"name": [chain.manager.name, "Mira"], "branch_ids": [[], [str(chain.north.pk)]]}
    line = words("staff.update", chain.manager, changes, owner)
    assert "Branches: – → North" in line.changes
    segment = SegmentFactory(name="Regulars")
    chosen = {"segment_id": [None, str(segment.pk)], "template_id": "gone"}
    line = words("campaign.edit", chain.north, chosen, owner)
    assert line.changes == ["Segment: – → Regulars", "Message: gone"]
    limit = {"monthly_budget_limit": [None, "9000"]}
    line = words("branch_config.update", branch_config(chain.north.pk), limit, owner)
    assert line.changes == ["Limit a month: – → 9000"]


def test_a_thing_that_is_gone_or_an_act_of_the_admin_is_still_a_line(chain):
    owner = chain.actor(chain.owner)
    asha = CustomerFactory()
    audit.record(owner, "customer.note", asha)
    asha.delete()
    assert in_words([AuditEntry.objects.latest("id")])[0].thing == ""
    line = words("branch.change", chain.north, {"city": ["Pune", "Mumbai"]}, owner)
    assert (line.act, line.thing, line.changes) == (
        "Branch: change",
        "North",
        ["City: Pune → Mumbai"],
    )


def test_the_search_knows_the_words_of_the_readers_language(chain, client):
    assert "campaign.approve" in acts_called("approved a")
    with translation.override("hi"):
        assert act_in_words("campaign.approve") != "Approved a campaign"
        assert "campaign.approve" in acts_called(act_in_words("campaign.approve"))
    audit.record(chain.actor(chain.owner), "template.submit", chain.north)
    client.force_login(chain.owner.user)
    page = client.get(reverse("audit-list"), {"q": "handed a template"})
    assert [line.entry.action for line in page.context["lines"]] == ["template.submit"]


def test_the_number_of_queries_does_not_grow_with_the_entries(chain, django_assert_max_num_queries):
    owner = chain.actor(chain.owner)
    for _ in range(30):
        audit.record(owner, "customer.note", CustomerFactory())
        audit.record(owner, "staff.update", chain.manager)
    entries = list(AuditEntry.objects.order_by("-id")[:60])
    with django_assert_max_num_queries(3):
        assert len(in_words(entries)) == 60


@pytest.mark.parametrize("action", sorted(ACTS))
def test_acts_are_sentences_without_codes(action):
    assert "_" not in act_in_words(action)
