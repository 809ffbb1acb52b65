"""The page of what failed: grouped by cause, within the actor's branches, in few queries."""

import datetime as dt
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message, SendRun
from marketing.delivery.services import freeze_run
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    become,
    everyone,
    finish,
    make_run,
    make_sender,
    open_all_hours,
    states_of,
)

LIST = "failure-list"


@pytest.fixture(autouse=True)
def ground(chain):
    open_all_hours()
    make_sender()


def failed_run(chain, branch, *, label="Diwali glow", code="132007", kind="fail_content"):
    CustomerFactory.create_batch(2, home_branch=branch)
    run = make_run(branch_ids=[branch.pk], label=label)
    freeze_run(run=run, audience=everyone().filter(home_branch=branch))
    for message in Message.objects.filter(run=run, state="queued"):
        become(message, "failed", code, kind)
    finish(run)
    return run


def lost_run(chain, branch):
    run = failed_run(chain, branch)
    for message in Message.objects.filter(run=run, state="failed"):
        become(message, "unknown", "no_answer", "unknown")
    long_ago = timezone.now() - dt.timedelta(hours=25)
    Message.objects.filter(run=run).update(sending_at=long_ago)
    SendRun.objects.filter(pk=run.pk).update(frozen_at=long_ago)
    return run


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_causes_in_words_with_campaigns_and_people(chain, login):
    run = failed_run(chain, chain.north)
    Message.objects.filter(run=run).update(error_detail="Policy violation")
    shown = text_of(login("manager").get(reverse(LIST)))
    assert "The text breaks WhatsApp" in shown
    assert "Policy violation" in shown
    assert "132007" in shown
    assert "Diwali glow" in shown
    assert "2 messages" in shown
    assert Message.objects.filter(run=run).first().customer.name in shown


def test_two_campaigns_of_one_cause_stand_together(chain, login):
    failed_run(chain, chain.north, label="First")
    failed_run(chain, chain.north, label="Second")
    shown = text_of(login("manager").get(reverse(LIST)))
    assert shown.count("The text breaks WhatsApp") == 2  # the title, and the table's caption
    assert "First" in shown
    assert "Second" in shown


def test_a_cause_of_many_campaigns_is_shown_whole_when_asked_for(chain, login):
    for number in range(7):
        failed_run(chain, chain.north, label=f"Glow {number}")
    failed_run(chain, chain.north, label="Another", code="131026", kind="fail_recipient")
    client = login("manager")
    shown = client.get(reverse(LIST)).content.decode()
    assert sum(f"Glow {number}" in shown for number in range(7)) == 5
    assert "2 campaigns more" in shown
    (address,) = re.findall(r'href="(\?cause=[^"]+)"', shown)
    shown = client.get(reverse(LIST) + address).content.decode()
    assert all(f"Glow {number}" in shown for number in range(7))
    assert "Another" not in shown
    assert "All causes" in shown


def test_what_is_to_be_decided_comes_a_few_at_a_time(chain, login):
    for _ in range(11):
        lost_run(chain, chain.north)
    shown = text_of(login("manager").get(reverse(LIST)))
    assert "One more follows when these are decided." in shown


def test_nothing_failed(login):
    assert "Nothing failed" in text_of(login("manager").get(reverse(LIST)))


def test_other_branches_other_chains_and_old_ones_stay_hidden(chain, login):
    failed_run(chain, chain.south, label="Southern")
    old = failed_run(chain, chain.north, label="Ancient")
    SendRun.objects.filter(pk=old.pk).update(frozen_at=timezone.now() - dt.timedelta(days=31))
    assert "Nothing failed" in text_of(login("manager").get(reverse(LIST)))
    assert "Southern" in text_of(login("regional").get(reverse(LIST)))
    other = make_chain()
    client = Client()
    client.force_login(other.owner.user)
    assert "Nothing failed" in text_of(client.get(reverse(LIST)))


def test_giving_up(chain, login):
    run = failed_run(chain, chain.north)
    client = login("manager")
    answer = client.post(reverse("failure-discard", args=[run.pk]), {"code": "132007"}, follow=True)
    assert "2 messages given up." in text_of(answer)
    assert "Nothing failed" in text_of(answer)
    again = client.post(reverse("failure-discard", args=[run.pk]), {"code": "132007"}, follow=True)
    assert "Somebody has decided about these before." in text_of(again)


@pytest.mark.parametrize(("word", "state"), [("sent", "sent"), ("failed", "failed")])
def test_deciding_what_got_no_answer(chain, login, word, state):
    run = lost_run(chain, chain.north)
    client = login("manager")
    assert "Sent or not?" in text_of(client.get(reverse(LIST)))
    answer = client.post(
        reverse("failure-decide", args=[run.pk]), {"code": "no_answer", "as": word}, follow=True
    )
    assert f"2 messages count as {word}." in text_of(answer)
    assert states_of(run) == {state: 2}


@pytest.mark.parametrize("name", ["failure-discard", "failure-decide"])
def test_what_is_not_ones_own_is_not_found(chain, login, name):
    run = failed_run(chain, chain.south)
    url = reverse(name, args=[run.pk])
    assert login("manager").post(url, {"code": "132007"}).status_code == 404
    assert login("receptionist").post(url, {"code": "132007"}).status_code == 403
    assert login("manager").post(reverse(name, args=[uuid.uuid4()])).status_code == 404
    other = make_chain()
    client = Client()
    client.force_login(other.owner.user)
    assert client.post(url, {"code": "132007"}).status_code == 404
    with tenant_scope(chain.tenant.pk):
        assert not Message.objects.filter(discarded_at__isnull=False).exists()
        assert states_of(run) == {"failed": 2}


def test_receptionists_have_no_such_page(login):
    assert login("receptionist").get(reverse(LIST)).status_code == 403


def test_few_queries_however_many_runs_and_causes(chain, login):
    client = login("manager")

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse(LIST)).status_code == 200
        return len(seen)

    failed_run(chain, chain.north)
    few = queries()
    for number in range(4):
        failed_run(chain, chain.north, code=f"13200{number}")
        lost_run(chain, chain.north)
    assert queries() == few <= 16
