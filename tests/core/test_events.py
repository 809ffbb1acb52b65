"""Domain events reach their handlers after the commit, and failures are kept for later."""

import pytest

from marketing.core import events, nudge
from marketing.core.models import DomainEvent, EventDelivery
from marketing.core.tasks import deliver_events

seen: list[str] = []


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    monkeypatch.setattr(events, "_handlers", {})
    monkeypatch.setattr(events, "_subscriptions", events.defaultdict(list))
    seen.clear()

    @events.subscribe("test.happened")
    def remember(happened):
        seen.extend(event.payload["what"] for event in happened)

    @events.subscribe("test.broken")
    def fail(happened):
        raise ValueError("no luck")


def test_event_is_handled_once_and_its_delivery_deleted(chain):
    events.record("test.happened", {"what": "a bill"})
    assert EventDelivery.objects.count() == 1
    assert events.deliver_due() == 1
    assert seen == ["a bill"]
    assert not EventDelivery.objects.exists()
    assert events.deliver_due() == 0


def test_event_nobody_listens_to_is_kept_without_delivery(chain):
    events.record("test.ignored", {})
    assert DomainEvent.objects.filter(name="test.ignored").count() == 1
    assert not EventDelivery.objects.exists()


def test_failing_handler_keeps_the_delivery_with_error_and_delay(chain):
    events.record("test.broken", {})
    events.deliver_due()
    delivery = EventDelivery.objects.get()
    assert delivery.attempts == 1
    assert "no luck" in delivery.last_error
    assert events.deliver_due() == 0


def test_events_of_a_whole_are_written_together_in_their_order(chain, django_assert_num_queries):
    happened = DomainEvent.objects.filter(name="test.happened")
    assert not happened.exists()
    with django_assert_num_queries(2):
        with events.together():
            events.record("test.happened", {"what": "a bill"})
            with events.together():
                events.record_all("test.happened", [{"what": "points"}, {"what": "a tier"}])
        assert happened.count() == 3
    events.deliver_due()
    assert seen == ["a bill", "points", "a tier"]


def refused():
    with events.together():
        events.record("test.happened", {"what": "points"})
        raise ValueError("no")


def test_events_of_what_was_undone_are_forgotten(chain):
    with events.together():
        events.record("test.happened", {"what": "a bill"})
        with pytest.raises(ValueError, match="no"):
            refused()
    events.deliver_due()
    assert seen == ["a bill"]


def test_workers_are_woken_once_for_all_that_happens_within_a_second(
    chain, monkeypatch, django_capture_on_commit_callbacks
):
    asked, now = [], [100.0]
    monkeypatch.setattr(nudge, "_begins", {})
    monkeypatch.setattr(nudge.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(deliver_events, "apply_async", lambda **options: asked.append(options))
    for now[0] in (100.0, 100.2, 100.9, 101.1):
        with django_capture_on_commit_callbacks(execute=True):
            events.record("test.happened", {"what": "a bill"})
    # The second bell rings for what came too late for the first.
    assert [each["countdown"] for each in asked] == [1.0, 1.0]
    assert events.deliver_due() == 4


def test_nobody_is_woken_for_what_nobody_listens_to(
    chain, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(deliver_events, "apply_async", lambda **_: pytest.fail("woken"))
    with django_capture_on_commit_callbacks(execute=True):
        events.record("test.ignored", {})
