"""Whatever changes in a person marks her, so that followed segments judge her again."""

import threading
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import facts
from customers.models import Customer, CustomerFacts
from customers.services import (
    ReportedEvent,
    create_customer,
    erase_customer,
    lift_opt_outs,
    record_consent,
    record_events,
    set_dnd_for_many,
    suppress_addresses,
    update_customer,
    withdraw_for_many,
)
from marketing.core import events
from marketing.core.tenancy import tenant_scope
from marketing.segments import services
from marketing.segments.models import Segment, StaleMember
from marketing.segments.services import recheck
from tests.customers.importing import take
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, group, where
from tests.segments.test_refresh import members


def tag(actor, customers):
    for customer in customers:
        update_customer(actor=actor, customer=customer, values={"tags": ["vip"]})


def happen(actor, customers):
    told = [
        ReportedEvent(f"event {number}", "quiz", customer.pk, timezone.now(), {})
        for number, customer in enumerate(customers)
    ]
    record_events(actor=actor, events=told)


def agree(actor, customers):
    for customer in customers:
        record_consent(
            actor=actor, customer=customer, changes={"sms_promotional": True}, source="staff"
        )


def speak_hindi(actor, customers):
    for customer in customers:
        record_consent(
            actor=actor, customer=customer, changes={"preferred_language": "hi"}, source="staff"
        )


def withdraw(actor, customers):
    withdraw_for_many(
        actor=actor,
        customer_ids=[customer.pk for customer in customers],
        channel="email",
        purpose="promotional",
        source="provider",
    )


def refuse_calls(actor, customers):
    ids = [customer.pk for customer in customers]
    set_dnd_for_many(actor=actor, customer_ids=ids, source="provider")


def bounce(actor, customers):
    suppress_addresses(
        [("email", customer.email, "hard_bounce") for customer in customers]
        + [("email", "nobody@x.in", "hard_bounce")]
    )


def have_no_such_number(actor, customers):
    suppress_addresses([("sms", customer.phone, "invalid") for customer in customers])


def erase(actor, customers):
    for customer in customers:
        erase_customer(actor=actor, customer=customer)


QUIZ = group("AND", {"event": {"name": "quiz"}})


@pytest.mark.parametrize(
    ("rules", "change", "comes"),
    [
        (where("tags", "contains", "vip"), tag, True),
        (QUIZ, happen, True),
        (where("sms_consent", "eq", True), agree, True),
        (where("language", "eq", "hi"), speak_hindi, True),
        (where("email_consent", "eq", False), withdraw, True),
        (where("is_dnd", "eq", True), refuse_calls, True),
        (where("email_suppressed", "eq", True), bounce, True),
        (where("sms_suppressed", "eq", True), have_no_such_number, True),
        (where("visit_count", "eq", 0), erase, False),
    ],
)
def test_a_change_marks_whom_it_changes(chain, followed, rules, change, comes):
    segment = SegmentFactory(rules=rules)
    people = [CustomerFactory(first_name=name, consent={"sms_promotional": False}) for name in "ab"]
    services.refresh_all()
    assert bool(members(segment)) is not comes
    with CaptureQueriesContext(connection) as asked:
        change(chain.actor(chain.owner), people)
        facts.refresh_stale_facts()
    marking = [each for each in asked if "INTO segments_stalemember" in each["sql"]]
    # Who is erased has her addresses suppressed, one person after the other.
    assert len(marking) == (3 if change is erase else 1)
    assert set(StaleMember.objects.values_list("customer_id", flat=True)) == {
        customer.pk for customer in people
    }
    services.recheck_marked()
    assert members(segment) == ({"a", "b"} if comes else set())


def test_who_asks_for_messages_again_is_judged_again(chain, followed):
    segment = SegmentFactory(rules=where("whatsapp_suppressed", "eq", False))
    person = CustomerFactory(first_name="a")
    services.refresh_all()
    suppress_addresses([("whatsapp", person.phone, "opted_out")])
    services.recheck_marked()
    assert members(segment) == set()
    lift_opt_outs(channels=["whatsapp"], addresses=[person.phone, ""])
    services.recheck_marked()
    assert members(segment) == {"a"}


def test_saying_the_same_again_marks_nobody(chain, followed):
    SegmentFactory(rules=where("sms_suppressed", "eq", True))
    person = CustomerFactory()
    have_no_such_number(None, [person])
    services.refresh_all()
    StaleMember.objects.all().delete()
    have_no_such_number(None, [person])
    assert not StaleMember.objects.exists()


def test_who_is_new_is_judged(chain, followed):
    segment = SegmentFactory(rules=where("visit_count", "eq", 0))
    services.refresh_all()
    actor = chain.actor(chain.owner)
    create_customer(actor=actor, values={"first_name": "typed"}, source="web")
    facts.refresh_stale_facts()
    services.recheck_marked()
    assert members(segment) == {"typed"}


def test_who_is_imported_is_judged(chain, followed):
    segment = SegmentFactory(rules=where("tags", "contains", "new"))
    services.refresh_all()
    with CaptureQueriesContext(connection) as asked:
        take(
            chain.actor(chain.owner),
            "First name,Phone,Tags\nsent,9820012341,new\nmore,9820012351,new\n",
        )
        facts.refresh_stale_facts()
    assert len([each for each in asked if "INTO segments_stalemember" in each["sql"]]) == 1
    services.recheck_marked()
    assert members(segment) == {"sent", "more"}


def test_who_agrees_by_a_file_that_says_nothing_else_new_is_judged(chain, followed):
    known = CustomerFactory(first_name="known", phone="+919820012341", consent=False)
    segment = SegmentFactory(rules=where("sms_consent", "eq", True))
    services.refresh_all()
    take(
        chain.actor(chain.owner),
        f"First name,Phone,SMS consent\nknown,{known.phone},yes\n",
        consent_source="paper_form",
        consent_wording="2024-01",
    )
    facts.refresh_stale_facts()
    services.recheck_marked()
    assert members(segment) == {"known"}


def test_nothing_is_marked_while_nobody_follows(chain):
    actor = chain.actor(chain.owner)
    tag(actor, [CustomerFactory()])
    take(actor, "First name,Phone\nsent,9820012341\n")
    facts.refresh_stale_facts()
    assert not StaleMember.objects.exists()


def is_waiting(pids):
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND pid = ANY(%s)", [pids])
        return cursor.fetchone() is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        # She comes and goes: the later judgement must see the row that the earlier wrote.
        ({"first": 0}, set()),
        # Another comes meanwhile: neither count may be lost.
        ({"second": 1}, {"first", "second"}),
    ],
)
def test_of_two_workers_the_later_sees_what_the_earlier_wrote(monkeypatch, visits, expected):
    monkeypatch.setattr(events, "has_subscribers", lambda name: name.startswith("segment."))
    chain = make_chain()

    def change(counts):
        with tenant_scope(chain.tenant.pk):
            for name, count in counts.items():
                customer = Customer.objects.get(first_name=name)
                CustomerFacts.objects.filter(customer=customer).update(visit_count=count)
                services.mark_for_recheck([customer.pk])

    with tenant_scope(chain.tenant.pk):
        for name in ("first", "second"):
            CustomerFactory(first_name=name, home_branch=chain.north)
        segment = SegmentFactory()
        services.refresh_all()
    change({"first": 1})
    write = recheck._write_differences
    overtaking: list[threading.Thread] = []
    pids: list[int] = []

    def overtake():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            change(visits)
            with tenant_scope(chain.tenant.pk):
                services.recheck_marked()
        finally:
            connection.close()

    def write_and_be_overtaken(*args):
        deltas = write(*args)
        if not overtaking:
            overtaking.append(threading.Thread(target=overtake))
            overtaking[0].start()
            deadline = time.monotonic() + 60
            while overtaking[0].is_alive() and not is_waiting(pids):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        return deltas

    monkeypatch.setattr(recheck, "_write_differences", write_and_be_overtaken)
    with tenant_scope(chain.tenant.pk):
        services.recheck_marked()
    overtaking[0].join(60)
    with tenant_scope(chain.tenant.pk):
        assert members(segment) == expected
        found = Segment.objects.get()
        assert (found.customer_count, sum(found.branch_counts.values())) == (len(expected),) * 2
