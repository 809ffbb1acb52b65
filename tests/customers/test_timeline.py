"""One person's history, merged from what every app registers."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from customers import services, timeline
from customers.models import Purchase
from customers.timeline import TimelineEntry, read_page
from marketing.core.errors import ValidationFailed
from tests.factories.customers import CustomerFactory, PurchaseFactory, VisitFactory

AT = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north, consent=False)


@pytest.fixture
def campaigns(monkeypatch):
    """A source of an app above: three messages at the same moment."""
    entries = [
        TimelineEntry(
            id=uuid.UUID(int=n), at=AT, type="campaign", title="Diwali", campaign_name="Diwali"
        )
        for n in (3, 2, 1)
    ]
    monkeypatch.setattr(timeline, "_sources", dict(timeline._sources))
    timeline.register_source("campaigns", lambda customer, actor: entries)
    return entries


def titles(page):
    return [entry.title for entry in page.entries]


def test_visits_show_what_was_paid(asha, chain, manager):
    visit = VisitFactory(customer=asha, branch=chain.north, staff=chain.receptionist)
    for total, status in (("500.00", "finalised"), ("300.00", "finalised"), ("9.00", "void")):
        PurchaseFactory(
            customer=asha,
            branch=chain.north,
            visit=visit,
            total=Decimal(total),
            status=Purchase.Status(status),
        )
    entry = read_page(actor=manager, customer=asha).entries[0]
    assert (entry.id, entry.type, entry.at) == (visit.pk, "visit", visit.visited_at)
    assert (entry.branch_name, entry.amount, entry.by) == ("North", 800, "Receptionist")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"sms_consent": True}, "Agreed to messages on SMS"),
        ({"sms_promotional": True}, "Agreed to promotions on SMS"),
        ({"email_service": True}, "Agreed to service messages on E-mail"),
        ({"is_dnd": True}, "On the do-not-disturb register"),
        ({"marketing_opted_out": True}, "Opted out of all marketing"),
    ],
)
def test_consent_is_told_in_words(asha, manager, changes, title):
    services.record_consent(actor=manager, customer=asha, changes=changes, source="staff")
    entry = read_page(actor=manager, customer=asha).entries[0]
    assert (entry.type, entry.title) == ("consent", title)
    assert entry.by == "Branch manager · Entered by staff"


def test_sources_are_merged_newest_first_and_paged(asha, chain, manager, campaigns):
    for days in (-1, 1):
        VisitFactory(customer=asha, branch=chain.north, visited_at=AT + dt.timedelta(days=days))
    read, cursor = [], ""
    while True:
        page = read_page(actor=manager, customer=asha, cursor=cursor, limit=2)
        assert len(page.entries) <= 2
        read += titles(page)
        cursor = page.next
        if not cursor:
            break
    assert read == ["Visit at North", "Diwali", "Diwali", "Diwali", "Visit at North"]


def test_the_last_page_has_no_next(asha, manager, campaigns):
    assert read_page(actor=manager, customer=asha, limit=3).next == ""


@pytest.mark.parametrize("cursor", ["x", "1_", "nan_" + "0" * 32, "9" * 30 + "_" + "0" * 32])
def test_a_strange_cursor_is_refused(asha, manager, cursor):
    with pytest.raises(ValidationFailed):
        read_page(actor=manager, customer=asha, cursor=cursor)


def test_others_history_stays_theirs(asha, chain, manager):
    VisitFactory(branch=chain.north)
    assert read_page(actor=manager, customer=asha).entries == []


def test_a_page_is_one_query_a_source(asha, chain, manager, django_assert_num_queries):
    for _ in range(5):
        VisitFactory(customer=asha, branch=chain.north, staff=chain.manager)
    services.opt_out(actor=manager, customer=asha, source="manual")
    with django_assert_num_queries(len(timeline._sources)):
        read_page(actor=manager, customer=asha)
