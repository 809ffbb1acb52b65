"""What pages read of runs: right, and without a scan of messages."""

import datetime as dt
import random
import uuid

import pytest
from django.core.cache import cache
from django.utils import timezone

from marketing.delivery import pace
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.selectors import (
    failures_of,
    reasons_of,
    recipients_among,
    recipients_page,
    run_progress,
)
from marketing.delivery.services import freeze, freeze_run
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import become, everyone, make_run, make_sender, open_all_hours


@pytest.fixture
def run(chain, monkeypatch):
    """25 people in batches of 10; 3 more without consent."""
    monkeypatch.setattr(freeze, "BATCH_SIZE", 10)
    open_all_hours()
    make_sender()
    CustomerFactory.create_batch(25, home_branch=chain.north)
    CustomerFactory.create_batch(3, home_branch=chain.north, consent=False)
    made = make_run()
    freeze_run(run=made, audience=everyone())
    made.refresh_from_db()
    return made


def queued(run):
    return list(Message.objects.filter(run=run, state="queued").order_by("pk"))


def test_reasons_are_counted_from_the_freeze_on(run, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert reasons_of(run) == {"no_consent": 3}


def test_failures_by_cause_with_the_vendors_words(run, django_assert_num_queries):
    for message in queued(run)[:5]:
        become(message, "failed", "131026", "fail_recipient")
    become(queued(run)[-1], "unknown", "no_answer", "unknown")
    Message.objects.filter(state="failed").update(error_detail="Message undeliverable")
    with django_assert_num_queries(1):
        recipient, lost = failures_of(run)
    assert (recipient.provider, recipient.code, recipient.messages) == ("meta", "131026", 5)
    assert (recipient.error_class, recipient.detail) == ("fail_recipient", "Message undeliverable")
    assert len(recipient.customer_ids) == 3
    assert (lost.state, lost.code, lost.messages) == ("unknown", "no_answer", 1)


def test_a_cause_that_went_away_is_not_shown(run):
    (message, *_) = queued(run)
    become(message, "failed", "131026", "fail_recipient")
    become(message, "delivered")
    assert failures_of(run) == []


class TestRecipients:
    def test_pages_follow_each_other(self, run):
        seen, after = [], None
        while rows := recipients_page(run, after=after, size=7):
            seen += [row.pk for row in rows]
            after = rows[-1].pk
        assert seen == list(
            Message.objects.filter(run=run).order_by("pk").values_list("pk", flat=True)
        )

    @pytest.mark.parametrize("size", [1, 2, 4, 50])
    def test_the_few_in_a_state_are_found_page_by_page(self, run, size):
        rows = queued(run)
        chosen = [rows[number] for number in (0, 1, 9, 10, 24)]
        for message in chosen:
            become(message, "failed", "131026")
        seen, after = [], None
        while page := recipients_page(run, states=["failed"], after=after, size=size):
            assert len(page) <= size
            seen += [row.pk for row in page]
            after = page[-1].pk
        assert seen == [message.pk for message in chosen]

    def test_by_reason(self, run):
        assert len(recipients_page(run, states=["skipped"], reason="no_consent", size=10)) == 3
        assert recipients_page(run, states=["skipped"], reason="dnd", size=10) == []

    def test_by_person(self, run):
        (_first, second, *_) = queued(run)
        found = recipients_among(run, [second.customer_id])
        assert [row.pk for row in found] == [second.pk]
        assert recipients_among(run, [second.customer_id], states=["failed"]) == []


class TestPace:
    """The rate is that of the last minute, whoever looks when."""

    @pytest.fixture(autouse=True)
    def empty(self):
        cache.clear()

    def test_within_a_tenth_of_the_truth(self, time_machine):
        run_id, start = uuid.uuid4(), timezone.now()
        drawn = random.Random(7)
        second, rate = 0.0, 0.0
        while second < 200:
            second += drawn.uniform(0.3, 9)
            true_rate = 50
            time_machine.move_to(start + dt.timedelta(seconds=second), tick=False)
            rate = pace.rates({run_id: int(second * true_rate)}, begun={run_id: start})[run_id]
            if second > 1:
                assert rate == pytest.approx(true_rate, rel=0.1)

    def test_a_run_that_slowed_down_shows_it_after_a_minute(self, time_machine):
        run_id, start, sent = uuid.uuid4(), timezone.now(), 0
        for second in range(0, 200, 2):
            sent += 200 if second < 100 else 20
            time_machine.move_to(start + dt.timedelta(seconds=second), tick=False)
            rate = pace.rates({run_id: sent}, begun={})
        assert rate[run_id] == pytest.approx(10, rel=0.1)

    def test_whoever_looks_first_sees_what_beat_sampled(self, run, time_machine):
        start = timezone.now()
        SendRun.objects.filter(pk=run.pk).update(frozen_at=start - dt.timedelta(hours=1))
        run.refresh_from_db()
        time_machine.move_to(start, tick=False)
        pace.sample_runs()
        DispatchBatch.objects.filter(run_id=run.pk, number=1).update(queued=0, sent=10)
        time_machine.move_to(start + dt.timedelta(seconds=10), tick=False)
        progress = run_progress(run)
        assert progress.rate == pytest.approx(1)
        assert progress.eta == start + dt.timedelta(seconds=25)

    def test_a_run_that_does_not_move_has_no_end(self, run):
        SendRun.objects.filter(pk=run.pk).update(frozen_at=timezone.now() - dt.timedelta(hours=1))
        run.refresh_from_db()
        assert (run_progress(run).rate, run_progress(run).eta) == (0, None)

    def test_without_the_cache_there_is_no_rate(self, run, settings):
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://127.0.0.1:1/0",
            }
        }
        assert run_progress(run).rate == 0


def test_progress_reads_no_messages(
    run, django_assert_num_queries, django_capture_on_commit_callbacks
):
    with django_assert_num_queries(2) as queries:
        run_progress(run)
    assert not any("delivery_message" in query["sql"] for query in queries.captured_queries)
