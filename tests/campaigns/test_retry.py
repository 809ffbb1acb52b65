"""A campaign's failed messages sent again: from its page, within its approval."""

import re

import pytest
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors.failures import failed_runs
from marketing.campaigns.selectors.progress import figures_of
from marketing.campaigns.services import runs
from marketing.content.models import TemplateVersion
from marketing.content.services import update_template
from marketing.core.errors import Conflict, InvalidCampaignStatus
from marketing.core.models import AuditEntry
from marketing.delivery.models import Message, SendRun
from marketing.delivery.selectors import failures_of
from marketing.segments.models import Segment
from tests.factories.campaigns import approved, make_ground
from tests.factories.core import make_chain
from tests.factories.delivery import become, finish

pytestmark = pytest.mark.usefixtures("tasks")


@pytest.fixture
def sent(chain):
    """A campaign that was sent: two of three failed, one of them for good."""
    make_ground(chain.north, people=3)
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    first, second, third = Message.objects.filter(run_id=run.send_run_id).order_by("pk")
    become(first, "failed", "131053", "fail_content")
    become(second, "failed", "131026", "fail_recipient")
    become(third, "delivered")
    close(run.send_run)
    campaign.refresh_from_db()
    return campaign


def close(send_run):
    finish(send_run)
    runs.note_run_finished(send_run_id=send_run.pk)


def retry(chain, campaign, staff="manager"):
    return services.retry_failed(
        actor=chain.actor(getattr(chain, staff)),
        campaign=campaign,
        run_id=campaign.runs.order_by("number").first().send_run_id,
    )


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_second_run_of_the_campaign(chain, sent):
    run = retry(chain, sent)
    assert (run.number, run.send_run.audience) == (2, 1)
    sent.refresh_from_db()
    assert sent.status == "sending"
    assert AuditEntry.objects.get(action="campaign.retry").changes["recipients"] == 1
    figures = figures_of([sent])[sent.pk]
    assert figures.audience == sum(figures.states.values()) == 4
    for message in Message.objects.filter(run_id=run.send_run_id):
        become(message, "delivered")
    close(run.send_run)
    sent.refresh_from_db()
    assert sent.status == "sent"


def test_twice_is_refused(chain, sent):
    retry(chain, sent)
    with pytest.raises(InvalidCampaignStatus):
        retry(chain, sent)
    assert CampaignRun.objects.count() == 2


def test_a_changed_message_is_another_campaign(chain, sent):
    update_template(
        actor=chain.actor(chain.owner),
        template=sent.template,
        values={"contents": {"en": {"body": "Other words, {{ customer_name }}."}}},
    )
    TemplateVersion.objects.update(whatsapp_status="approved")
    with pytest.raises(Conflict):
        retry(chain, sent)
    assert SendRun.objects.count() == 1


def test_a_changed_audience_is_another_campaign(chain, sent):
    Segment.objects.filter(pk=sent.segment_id).update(
        rules={
            "operator": "AND",
            "conditions": [{"field": "visit_count", "op": "gte", "value": 1}],
        }
    )
    with pytest.raises(Conflict):
        retry(chain, sent)


def test_so_many_people_need_an_approval(chain, sent):
    Campaign.objects.filter(pk=sent.pk).update(approved_by=None, approved_hash="")
    with pytest.raises(Conflict):
        retry(chain, sent)
    assert SendRun.objects.count() == 1
    assert not Message.objects.filter(fallback_id__isnull=False).exists()


def test_what_may_go_again_and_what_not(chain, sent):
    sendings = figures_of([sent])[sent.pk].runs
    (failed,) = failed_runs(sent, sendings, failures_of(sendings[-1].send_run))
    assert failed.again == 1
    assert failed.hopeless == 1
    assert f"{failed.cost:.4f}" == "0.8631"


class TestPage:
    def test_says_what_failed_and_sends_it_again(self, chain, sent, login):
        client = login("manager")
        url = reverse("campaign-detail", args=[sent.pk])
        shown = text_of(client.get(url))
        assert "Send the failed ones again" in shown
        assert shown.count("Failed, and why") == 1
        assert "Not on WhatsApp, or cannot be reached there" in shown
        assert "cannot be sent again" in shown
        run = sent.runs.get()
        answer = client.post(
            reverse("campaign-retry", args=[sent.pk]), {"run": run.send_run_id}, follow=True
        )
        shown = text_of(answer)
        assert "On its way again." in shown
        assert "Sent again to whom it failed" in shown
        Campaign.objects.filter(pk=sent.pk).update(status="sent")
        assert "From sending 1: cannot be sent again" in text_of(client.get(url))
        assert sent.runs.count() == 2

    def test_who_got_it_the_first_time_is_not_forgotten(self, chain, sent, login):
        """The second sending is for others: her page still tells of the first."""
        retry(chain, sent)
        runs.start_run(campaign_run_id=sent.runs.get(number=2).pk)
        client = login("manager")
        her = Message.objects.get(campaign_id=sent.pk, state="delivered").customer_id
        page = reverse("campaign-person", args=[sent.pk, her])
        shown = text_of(client.get(page))
        assert "What happened in sending 1" in shown
        assert "Delivered" in shown
        assert "not in the audience" not in shown
        people = client.get(reverse("campaign-detail", args=[sent.pk]), {"run": 1})
        assert f'href="{page}?run=1"' in people.content.decode()
        assert "not in the audience" in text_of(client.get(page, {"run": 2}))
        # Whom it failed has been written to again: the last sending tells.
        again = Message.objects.get(campaign_id=sent.pk, run=sent.runs.get(number=2).send_run)
        shown = text_of(client.get(reverse("campaign-person", args=[sent.pk, again.customer_id])))
        assert "What happened in sending 2" in shown

    def test_a_double_click_makes_one_run(self, chain, sent, login):
        url = reverse("campaign-retry", args=[sent.pk])
        data = {"run": sent.runs.get().send_run_id}
        client = login("manager")
        assert client.post(url, data).status_code == 302
        assert client.post(url, data).status_code == 409
        assert sent.runs.count() == 2

    @pytest.mark.parametrize("run", ["", "no id", "01a00000-0000-7000-8000-000000000000"])
    def test_an_unknown_run_is_not_found(self, sent, login, run):
        answer = login("manager").post(reverse("campaign-retry", args=[sent.pk]), {"run": run})
        assert answer.status_code == 404
        assert sent.runs.count() == 1

    def test_only_for_those_who_may_send(self, chain, sent, login):
        url = reverse("campaign-retry", args=[sent.pk])
        data = {"run": sent.runs.get().send_run_id}
        assert login("receptionist").post(url, data).status_code == 403
        other = make_chain()
        client = login("manager")
        client.force_login(other.owner.user)
        assert client.post(url, data).status_code == 404
        assert sent.runs.count() == 1
