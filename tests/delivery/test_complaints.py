"""Readers who mark a mail as spam: counted once, suppressed, and the campaign pauses in time."""

import datetime as dt

import pytest

from customers.models import Suppression
from marketing.core.models import DomainEvent
from marketing.delivery.models import BatchReason, DispatchBatch, Message
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.services import freeze_run
from marketing.delivery.webhooks.statuses import Report, apply
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours

AT = dt.datetime(2026, 5, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def mailed(chain):
    """A mailing of three people who have it, and of as many others as are asked for."""

    def mail(delivered, purpose="promotional"):
        open_all_hours()
        make_sender("email")
        CustomerFactory.create_batch(3, home_branch=chain.north)
        run = make_run(TemplateFactory(channel="email"), purpose=purpose)
        freeze_run(run=run, audience=everyone())
        Message.objects.update(state="delivered")
        DispatchBatch.objects.filter(run_id=run.pk).update(queued=0, delivered=delivered)
        return run

    return mail


def complain(count=3, key="c", state="delivered"):
    """The first `count` readers complain."""
    apply(
        [
            Report(
                message.account_id,
                StatusUpdate(
                    key=f"{key}{message.pk}",
                    state=state,
                    at=AT,
                    message_id=message.pk,
                    suppress="complaint",
                ),
            )
            for message in Message.objects.order_by("pk")[:count]
        ]
    )


def counted():
    return sum(row.count for row in BatchReason.objects.filter(state="complained"))


@pytest.mark.parametrize(
    ("delivered", "complaints", "expected"),
    [(1000, 3, "paused"), (1001, 3, "frozen"), (1000, 2, "frozen"), (999, 3, "frozen")],
)
def test_a_campaign_pauses_at_three_complaints_in_a_thousand(
    mailed, delivered, complaints, expected
):
    run = mailed(delivered)
    complain(complaints)
    run.refresh_from_db()
    assert run.state == expected
    assert counted() == complaints
    assert Suppression.objects.filter(reason="complaint", channel="email").count() == complaints
    if expected == "paused":
        assert run.pause_reason == "complaint_rate"
        assert "3 of 1000" in run.pause_detail
        event = DomainEvent.objects.get(name="send_run.paused")
        assert event.payload["reason"] == "complaint_rate"
        assert set(DispatchBatch.objects.values_list("state", flat=True)) == {"stopped"}


def test_a_complaint_told_twice_counts_once(mailed):
    run = mailed(500)
    for key in "ab":
        complain(1, key)
    assert counted() == 1
    run.refresh_from_db()
    assert run.state == "frozen"


def test_a_mail_dropped_for_an_earlier_complaint_is_no_new_one(mailed):
    run = mailed(1000)
    Message.objects.update(state="sent")
    DispatchBatch.objects.update(sent=3)
    complain(3, state="failed")
    assert counted() == 0
    run.refresh_from_db()
    assert run.state == "frozen"
    assert Suppression.objects.filter(reason="complaint").count() == 3


def test_receipts_and_reminders_are_not_paused(mailed):
    run = mailed(1000, purpose="transactional")
    complain(3)
    run.refresh_from_db()
    assert (run.state, counted()) == ("frozen", 3)
