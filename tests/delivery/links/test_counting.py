"""Clicks and openings counted: people apart from machines, once each, on message and run."""

import datetime as dt

import pytest
from django.db import connections
from django.utils import timezone

from customers.models import StaleFacts
from customers.person_data import holdings
from marketing.content.models import TemplateVersion
from marketing.core.ids import lower_bound
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.dispatch import worker
from marketing.delivery.links.selectors import engagement_of
from marketing.delivery.models import (
    BatchReason,
    DispatchBatch,
    Engagement,
    LinkCount,
    Message,
    SendRun,
    TrackedLink,
)
from marketing.delivery.services import freeze_run
from tests.delivery.links.conftest import BODY, code_of, send
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of


def link_of(message, number=1):
    code_of(message)
    sources = ["", "https://kesar.example/book", "https://kesar.example/prices"]
    return TrackedLink.objects.get(
        version_id=message.template_version_id, source=sources[number]
    ).pk


def click(message, number=1, *, machine="", after=0.0, kind="click"):
    return Engagement.objects.create(
        kind=kind,
        message_id=message.pk,
        customer_id=message.customer_id,
        run_id=message.run_id,
        link_id=link_of(message, number),
        at=timezone.now() - dt.timedelta(minutes=1) + dt.timedelta(seconds=after),
        machine=machine,
    )


def batch_of(message):
    batch = DispatchBatch.objects.get(pk=message.batch_id)
    return {name: getattr(batch, name) for name in ("sent", "delivered", "read", "failed")}


def test_who_clicks_has_her_facts_computed_again_once(chain, count):
    message = send()
    StaleFacts.objects.all().delete()
    for machine in ("prefetch", "", ""):
        click(message, machine=machine)
        count()
    assert [mark.customer_id for mark in StaleFacts.objects.all()] == [message.customer_id]


def test_times_people_and_machines(chain, count):
    one = send()
    other = send(run=one.run)
    for after in (0, 5, 10):
        click(one, after=after)
    click(one, 2, after=20)
    click(one, after=30, machine="preview")
    click(other, 1)
    assert count() == 6
    found = engagement_of([one.run_id])
    assert (found.clicks, found.clicked, found.machine_clicks) == (5, 2, 1)
    by_address = {link.address: link for link in found.links}
    # Two versions hold the same links: one line each.
    book = by_address["https://kesar.example/book"]
    assert (book.clicks, book.people, book.machine_clicks) == (4, 2, 1)
    assert by_address["https://kesar.example/prices"].people == 1
    assert found.links[0] == book


def test_counting_again_counts_nothing_twice(chain, count):
    message = send()
    click(message)
    assert count() == 1
    assert count() == 0
    click(message, after=10)
    click(message, 2, after=20)
    assert count() == 2
    found = engagement_of([message.run_id])
    assert (found.clicks, found.clicked) == (3, 1)
    assert sum(row.people for row in LinkCount.objects.all()) == 2


def test_a_person_with_two_messages_of_a_run_is_one(chain, count):
    customer = CustomerFactory()
    one = send(customer=customer)
    again = send(customer=customer, run=one.run)
    click(one)
    count()
    click(again)
    count()
    assert engagement_of([one.run_id]).clicked == 1


def test_many_links_of_a_message_within_a_second_are_a_scanner(chain, count):
    message = send()
    click(message, 1)
    click(message, 2, after=0.4)
    count()
    assert set(Engagement.objects.values_list("machine", flat=True)) == {"burst"}
    message.refresh_from_db()
    assert message.clicked_at is None
    assert message.state == "sent"
    found = engagement_of([message.run_id])
    assert (found.clicks, found.clicked, found.machine_clicks) == (0, 0, 2)


def test_the_same_link_twice_within_a_second_is_a_person(chain, count):
    message = send()
    click(message)
    click(message, after=0.3)
    count()
    assert engagement_of([message.run_id]).clicks == 2


def test_fresh_clicks_wait_until_haste_can_be_seen(chain):
    from marketing.delivery.links.counting import count_engagement

    click(send())
    assert count_engagement() == 0
    assert not LinkCount.objects.exists()


class TestTheMessage:
    @pytest.mark.parametrize("state", ["sent", "delivered", "unknown", "failed", "sending"])
    def test_a_click_proves_that_it_was_read(self, chain, count, state):
        message = send(state=state)
        made = click(message)
        count()
        message.refresh_from_db()
        assert message.state == "read"
        assert message.clicked_at == made.at
        assert message.delivered_at == message.read_at == made.at
        assert message.opened_at is None
        assert batch_of(message)["read"] == 1
        assert batch_of(message).get(state, 0) == 0

    def test_what_was_read_before_stays_so(self, chain, count):
        before = timezone.now() - dt.timedelta(minutes=30)
        message = send(state="read", delivered_at=before, read_at=before)
        click(message)
        count()
        message.refresh_from_db()
        assert message.read_at == message.delivered_at == before
        assert batch_of(message)["read"] == 1

    def test_an_opening_is_kept_apart(self, chain, count):
        message = send()
        made = click(message, 0, kind="open")
        count()
        message.refresh_from_db()
        assert (message.opened_at, message.clicked_at) == (made.at, None)
        assert message.state == "read"
        found = engagement_of([message.run_id])
        assert (found.opens, found.opened, found.clicks) == (1, 1, 0)

    def test_machines_move_nothing(self, chain, count):
        message = send()
        click(message, 0, kind="open", machine="image_proxy")
        click(message, machine="scanner")
        count()
        message.refresh_from_db()
        assert (message.state, message.opened_at, message.clicked_at) == ("sent", None, None)
        assert batch_of(message)["sent"] == 1

    def test_a_message_that_another_took_the_place_of_is_counted_no_more(self, chain, count):
        message = send(state="failed")
        Message.objects.update(fallback_id=message.pk)
        click(message)
        count()
        assert batch_of(message) == {"sent": 0, "delivered": 0, "read": 0, "failed": 1}


def test_two_chains_are_counted_each_for_itself(chain, other_chain, count):
    ours = send()
    click(ours)
    with tenant_scope(other_chain.tenant.pk):
        theirs = send()
        click(theirs)
    assert count() == 2
    assert engagement_of([ours.run_id, theirs.run_id]).clicks == 1
    with tenant_scope(other_chain.tenant.pk):
        assert engagement_of([theirs.run_id]).clicks == 1


def test_a_click_of_another_month_still_finds_its_message(chain, count):
    """Engagement and message lie in partitions of different months; ids lead to both."""
    message = send()
    assert lower_bound(message.created_at) <= message.pk
    click(message)
    assert count() == 1


def test_whoever_counts_at_the_same_time_waits_for_the_next_turn(live_chain, count):
    with tenant_scope(live_chain.tenant.pk):
        click(send())
    holder = connections.create_connection("default")
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
                [0x11_4B, str(live_chain.tenant.pk)],
            )
            assert count() == 0
            cursor.execute("ROLLBACK")
    finally:
        holder.close()
    assert count() == 1


class TestThePerson:
    def test_sees_what_is_kept(self, chain):
        message = send()
        click(message, machine="preview")
        (holding,) = (h for h in holdings() if h.name == "engagement")
        (kept,) = holding.export(message.customer)
        assert kept["did"] == "click"
        assert kept["link"] == "https://kesar.example/book"
        assert kept["takenForMachine"] == "preview"

    def test_is_forgotten(self, chain, count):
        message = send()
        click(message)
        count()
        (holding,) = (h for h in holdings() if h.name == "engagement")
        holding.erase(message.customer)
        assert not Engagement.objects.exists()
        assert engagement_of([message.run_id]).clicked == 1


@pytest.fixture
def two_people(live_chain, vendor, settings):
    """A run with links in its messages, frozen at an account that sends to `vendor`."""
    settings.SANDBOX_URL = vendor.url
    vendor.answer = lambda body: (200, {"type": "success", "message": "376b6f6c7a"}, {})
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender("sms")
        template = TemplateFactory(sms=True, contents={"en": {"body": BODY}})
        TemplateVersion.objects.update(tracks_links=True)
        CustomerFactory.create_batch(2, home_branch=live_chain.north)
        run = make_run(template)
        freeze_run(run=run, audience=everyone())
    return run


@pytest.mark.parametrize("state", ["queued", "held"])
def test_who_clicks_has_it_and_is_not_tried_again(two_people, vendor, count, state):
    run = two_people
    with tenant_scope(run.tenant_id):
        tried, other = Message.objects.filter(run=run).order_by("pk")
        Message.objects.filter(pk=tried.pk).update(
            tries=1, error_class="retry", sending_at=timezone.now() - dt.timedelta(hours=1)
        )
        if state == "held":
            Message.objects.filter(pk=tried.pk).update(
                state="held", reason="outside_window", not_before=timezone.now()
            )
            move_counters([Move(tried.batch_id, "queued", "held", 1, "", "outside_window")])
        click(tried)
    assert count() == 1
    with tenant_scope(run.tenant_id):
        tried.refresh_from_db()
        assert (tried.state, tried.reason) == ("read", "")
        assert states_of(run) == {"read": 1, "queued": 1}
        assert not BatchReason.objects.filter(run_id=run.pk).exclude(count=0).exists()
    worker.run()
    asked = [to["mobiles"] for body in vendor.asked for to in body["recipients"]]
    assert asked == [other.address.removeprefix("+")]
    with tenant_scope(run.tenant_id):
        assert states_of(run) == {"read": 1, "sent": 1}
        rows = Message.objects.filter(run=run).values_list("state", flat=True)
        assert sorted(rows) == ["read", "sent"]
        run.refresh_from_db()
        assert run.state == SendRun.State.DONE
