"""Whom a campaign went to as a file: who may take it, whom it holds, what is kept of it."""

import csv
import io
import json

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.services import runs
from marketing.core.errors import ValidationFailed
from marketing.core.models import AuditEntry, Role
from marketing.delivery import selectors as delivery
from marketing.delivery.models import Message, SendRun
from marketing.delivery.selectors import recipients
from tests.factories.campaigns import approved, make_ground
from tests.factories.core import make_staff
from tests.factories.delivery import become, move_to_noon

PEOPLE = 6


@pytest.fixture
def run(chain, tasks):
    """Sent at the north branch; one of them failed."""
    make_ground(chain.north, people=PEOPLE)
    move_to_noon()
    campaign = approved(chain.manager, chain.regional)
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    run = CampaignRun.objects.get(campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    become(Message.objects.order_by("pk")[0], "failed", "131026", "fail_recipient")
    return CampaignRun.objects.select_related("send_run", "campaign").get()


def address_of(run):
    return reverse("recipients-export", args=[run.campaign_id, run.number])


def take(client, run, kind="csv", **narrowed):
    answer = client.post(address_of(run), {"format": kind, **narrowed})
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_page_leads_to_it(run, login):
    client = login("manager")
    page = client.get(reverse("campaign-detail", args=[run.campaign_id]), {"state": "failed"})

    assert f"{address_of(run)}?state=failed" in page.text
    assert "kept in the audit trail" in client.get(address_of(run)).text


def test_everybody_is_in_it_once_with_state_and_reason(run, login):
    found = rows(take(login("manager"), run))

    assert len(found) == len({row["Customer"] for row in found}) == PEOPLE
    failed = [row for row in found if row["State"] == "Failed"]
    assert [row["Why"] for row in failed] != [""]
    assert len(failed) == 1
    kept = AuditEntry.objects.get(action="campaign.export").changes
    assert kept == {"run": 1, "state": "", "reason": "", "format": "csv", "masked": False}


def test_it_is_narrowed_as_the_page_is(run, login):
    content = take(login("manager"), run, "json", state="failed")

    assert [person["state"] for person in json.loads(content)] == ["Failed"]


def test_it_is_read_page_by_page(run, monkeypatch):
    read = []
    page = recipients.recipients_page
    monkeypatch.setattr(
        recipients, "recipients_page", lambda *args, **more: read.append(1) or page(*args, **more)
    )

    everybody = list(delivery.all_recipients(run.send_run, size=4))

    assert len({message.pk for message in everybody}) == PEOPLE
    assert len(read) == 2


def test_other_branches_people_stay_behind(run, chain, login):
    moved = Message.objects.order_by("pk")[1].customer_id
    Customer.objects.filter(pk=moved).update(home_branch=chain.south)

    assert len(rows(take(login("manager"), run))) == PEOPLE - 1
    assert len(rows(take(login("owner"), run))) == PEOPLE


def test_a_receptionist_gets_masked_addresses(run, login):
    found = rows(take(login("receptionist"), run))

    assert found
    assert all("****" in row["Address"] for row in found if row["Address"])
    assert AuditEntry.objects.get(action="campaign.export").changes["masked"] is True


def test_it_speaks_the_readers_language(run, login):
    client = login("manager")
    client.cookies["django_language"] = "hi"

    content = take(client, run).decode("utf-8-sig")

    assert "स्थिति" in content.splitlines()[0]


def test_another_kind_of_file_is_refused_and_nothing_is_kept(run, chain):
    with pytest.raises(ValidationFailed):
        services.export_recipients(actor=chain.actor(chain.owner), run=run, format="pdf")

    assert not AuditEntry.objects.filter(action="campaign.export").exists()


def test_other_branches_campaigns_and_unknown_runs_are_not_found(run, chain, login):
    stranger = Client()
    stranger.force_login(make_staff(Role.BRANCH_MANAGER, chain.west).user)

    assert stranger.get(address_of(run)).status_code == 404
    assert stranger.post(address_of(run), {"format": "csv"}).status_code == 404
    assert login("manager").get(address_of(run).replace("/1/", "/9/")).status_code == 404


def test_the_people_of_an_earlier_sending_can_be_looked_at(run, chain, login):
    later = SendRun.objects.get(pk=run.send_run_id)
    later.pk, later._state.adding = None, True
    later.save()
    newest = CampaignRun.objects.create(
        campaign=run.campaign, number=2, send_run=later, due_at=run.due_at
    )
    client, page = login("manager"), reverse("campaign-detail", args=[run.campaign_id])

    assert address_of(run) not in client.get(page).text
    earlier = client.get(page, {"run": "1"}).text
    assert "People of sending 1" in earlier
    assert address_of(run) in earlier
    assert "Nobody here" in client.get(page, {"run": str(newest.number)}).text
