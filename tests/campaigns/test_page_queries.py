"""How many statements a campaign's page takes, whatever state it is in."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.services import runs
from marketing.delivery.models import LinkCount, Message, SendRun, TrackedLink
from marketing.delivery.services import sweep_fallbacks
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.delivery import become, finish
from tests.factories.segments import SegmentFactory, where
from tests.page_queries import questions

FRAGMENTS, MOST = 3, 20


@pytest.fixture(autouse=True)
def ground(chain, tasks):
    make_ground(chain.north, people=6)


def started(chain, campaign):
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    run = CampaignRun.objects.get(campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    return Message.objects.filter(run=run.send_run_id, step=0).order_by("pk")


def over(campaign):
    """As it stands when all are through; its link was clicked."""
    run = SendRun.objects.get(campaign_id=campaign.pk)
    finish(run)
    runs.note_run_finished(send_run_id=run.pk)
    link = TrackedLink.objects.create(
        tenant_id=run.tenant_id,
        version_id=campaign.template.versions.get().pk,
        source="https://kesar.example/book",
        channel="whatsapp",
    )
    LinkCount.objects.create(run_id=run.pk, link_id=link.pk, kind="click", times=2, people=1)
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def sent(chain):
    campaign = approved(chain.manager, chain.regional)
    first, second, *_others = started(chain, campaign)
    become(first, "failed", "131026", "fail_recipient")
    become(second, "failed", "131053", "fail_content")
    return over(campaign)


@pytest.fixture
def sent_by_cascade(chain):
    sms = TemplateFactory(sms=True)
    campaign = approved(
        chain.manager,
        chain.regional,
        channel_mode="cascade",
        further_steps=[{"channel": "sms", "templateId": str(sms.pk), "afterMinutes": 30}],
    )
    for message in started(chain, campaign)[:2]:
        become(message, "failed", "131026", "fail_recipient")
    sweep_fallbacks()
    (second, _other) = Message.objects.filter(campaign_id=campaign.pk, step=1).order_by("pk")
    become(second, "failed", "202", "fail_recipient")
    return over(campaign)


@pytest.fixture
def retried(chain, sent):
    run = SendRun.objects.get(campaign_id=sent.pk)
    services.retry_failed(actor=chain.actor(chain.manager), campaign=sent, run_id=run.pk)
    again = CampaignRun.objects.get(campaign=sent, number=2)
    runs.start_run(campaign_run_id=again.pk)
    finish(again.send_run)
    runs.note_run_finished(send_run_id=again.send_run_id)
    return sent


@pytest.fixture
def draft(chain):
    return make_campaign(chain.manager)


@pytest.fixture
def waiting(chain):
    return submitted(chain.manager)


@pytest.fixture
def cascade_waiting(chain):
    """Two channels more, and people to leave out."""
    regulars = SegmentFactory(rules=where("visit_count", "gte", 100))
    further = [
        {"channel": "sms", "templateId": str(TemplateFactory(sms=True).pk), "afterMinutes": 30},
        {
            "channel": "email",
            "templateId": str(TemplateFactory(channel="email").pk),
            "afterMinutes": 60,
        },
    ]
    return submitted(
        chain.manager,
        channel_mode="cascade",
        further_steps=further,
        exclude_segment_ids=[regulars.pk],
    )


@pytest.mark.parametrize("who", ["manager", "regional", "owner"])
@pytest.mark.parametrize("name", ["campaign-list", "home"])
def test_as_many_statements_for_many_campaigns_as_for_few(chain, login, name, who):
    def asked():
        cache.clear()
        return [sql[:60] for sql in questions(login(who), reverse(name))[0]]

    def one_of_each():
        for begin in (make_campaign, submitted):
            begin(chain.manager)
        started(chain, approved(chain.manager, chain.regional))

    one_of_each()
    few = asked()
    for _ in range(4):
        one_of_each()
    assert asked() == few


@pytest.mark.parametrize(
    ("which", "who", "asked", "statements"),
    [
        ("draft", "manager", "", 7),
        ("waiting", "manager", "", 17),
        ("waiting", "regional", "", 20),
        ("cascade_waiting", "regional", "", 21),
        ("sent", "manager", "", 16),
        ("sent", "manager", "?state=failed", 16),
        ("sent", "manager", "?q=98", 16),
        ("sent_by_cascade", "manager", "?state=failed", 19),
        ("retried", "manager", "", 17),
        ("retried", "manager", "?state=failed", 16),
    ],
)
def test_a_campaigns_page(request, login, which, who, asked, statements):
    campaign = request.getfixturevalue(which)
    cache.clear()  # settings that were just changed are read from their row for a while
    address = reverse("campaign-detail", args=[campaign.pk])
    found, fragments = questions(login(who), address + asked)
    assert fragments <= FRAGMENTS
    assert len(found) == statements, "\n".join(found)


def test_no_step_of_the_wizard_asks_too_much(draft, login):
    for step in ("details", "audience", "message", "schedule", "review"):
        cache.clear()
        found, fragments = questions(
            login("manager"), reverse("campaign-edit", args=[draft.pk, step])
        )
        assert fragments <= FRAGMENTS
        assert len(found) <= MOST, (step, "\n".join(found))
