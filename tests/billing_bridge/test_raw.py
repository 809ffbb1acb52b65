"""What other modules sent is kept as it came, and can be done again."""

import datetime as dt
import json

import pytest
from django.db import DatabaseError, connection, transaction

from billing_bridge import services
from billing_bridge.models import RawPerson, RawRow
from billing_bridge.services import Applied, raw
from customers.models import Customer
from customers.services import erase_customer, export_customer
from marketing.core.actor import Actor
from marketing.core.api_keys import issue_api_key
from marketing.core.errors import Conflict, Forbidden, NotFound, Unavailable, ValidationFailed
from marketing.core.ids import lower_bound
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory

BODY = '{"number": "A-1", "note": "आशा ✂"}'.encode()


@pytest.fixture
def sender(chain):
    key, _text = issue_api_key(
        tenant_id=chain.tenant.pk,
        name="Till",
        scopes=["counter"],
        branch_ids=[chain.north.pk],
    )
    return Actor.for_api_key(key)


@pytest.fixture
def handlers(monkeypatch):
    """The handlers of this test alone."""
    monkeypatch.setattr(raw, "_handlers", {})
    return raw._handlers


def send(sender, error=None, body=BODY, natural_key="north:A-1", people=()):
    """One write: done, or refused with `error` after it had written something."""
    with services.recording(actor=sender, operation="bill", body=body) as came:
        came.about(natural_key=natural_key)
        with transaction.atomic():
            half = CustomerFactory()
            if error:
                raise error
            came.applied(made={"customerId": half.pk}, customer_ids=people)


def refused(sender, error=None, **more):
    with pytest.raises(type(error or ValidationFailed())):
        send(sender, error or ValidationFailed(fields={"branch": ["Unknown."]}), **more)


def test_a_write_is_kept_byte_for_byte(sender, chain):
    send(sender)
    row = RawRow.objects.get()
    assert bytes(row.body) == BODY
    assert (row.state, row.api_key_id, row.natural_key) == (
        "applied",
        sender.api_key.pk,
        "north:A-1",
    )
    assert set(row.made) == {"customerId"}
    assert row.applied_at


def test_what_was_refused_outlives_its_rollback(sender, chain):
    refused(sender)
    row = RawRow.objects.get()
    assert (row.state, bytes(row.body), row.applied_at) == ("failed", BODY, None)
    assert row.error["code"] == "MARKETING_400"
    assert row.error["fields"] == {"branch": ["Unknown."]}
    assert not Customer.objects.exists()


def test_what_is_to_be_sent_again_is_not_kept(sender):
    refused(sender, Unavailable())
    assert not RawRow.objects.exists()


def test_the_same_failure_counts_and_a_success_settles_it(sender):
    refused(sender)
    refused(sender)
    assert RawRow.objects.get().tries == 2
    send(sender, body=b"{}")
    first, last = RawRow.objects.order_by("pk")
    assert (first.state, first.made) == ("applied", {"settledBy": str(last.pk)})


def crash(made):
    with (
        tenant_scope(made.tenant.pk),
        services.recording(actor=made.actor(made.owner), operation="bill", body=b"\xff\0") as came,
    ):
        came.about(natural_key="k\0")
        CustomerFactory()
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_a_crash_is_kept_although_the_request_is_rolled_back():
    made = make_chain()
    with pytest.raises(ZeroDivisionError):
        crash(made)
    with tenant_scope(made.tenant.pk):
        row = RawRow.objects.get()
        assert (row.state, row.error["code"], bytes(row.body)) == (
            "failed",
            "MARKETING_500",
            b"\xff\0",
        )
        assert not Customer.objects.exists()


def test_a_replay_does_what_failed_once_and_nothing_twice(sender, chain, handlers):
    refused(sender)
    seen = []

    def handle(actor, row):
        seen.append((actor.api_key, json.loads(bytes(row.body))["number"]))
        return Applied(made={"billId": "7"})

    services.register_replay("bill", handle)
    (row_id,) = services.replayable(operation="bill")
    owner = chain.actor(chain.owner)
    for _ in range(2):
        row = services.replay_row(actor=owner, row_id=row_id)
    assert (row.state, row.made, row.tries) == ("applied", {"billId": "7"}, 2)
    assert seen == [(sender.api_key, "A-1")]
    assert AuditEntry.objects.filter(action="raw.replay").count() == 1
    assert services.replayable() == []


def test_a_replay_that_fails_again_stays_and_leaves_nothing(sender, chain, handlers):
    refused(sender)

    def handle(actor, row):
        CustomerFactory()
        raise NotFound()

    services.register_replay("bill", handle)
    row = services.replay_row(actor=chain.actor(chain.owner), row_id=RawRow.objects.get().pk)
    assert (row.state, row.error["code"], row.tries) == ("failed", "MARKETING_404", 2)
    assert not Customer.objects.exists()


def test_only_owners_replay_and_only_what_can_be(sender, chain, handlers):
    refused(sender)
    row_id = RawRow.objects.get().pk
    with pytest.raises(Forbidden):
        services.replay_row(actor=chain.actor(chain.regional), row_id=row_id)
    with pytest.raises(Conflict):
        services.replay_row(actor=chain.actor(chain.owner), row_id=row_id)
    assert RawRow.objects.get().tries == 1


def test_a_range_is_half_open(sender, chain):
    refused(sender, natural_key="1")
    at = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    row = RawRow.objects.get()
    assert services.replayable(until=at) == [row.pk] == services.replayable(operation="bill")
    assert services.replayable(since=at) == [] == services.replayable(operation="refund")
    assert row.pk > lower_bound(at - dt.timedelta(days=2))


@pytest.mark.parametrize(
    "change", ["body = 'x'", "operation = 'y'", "state = 'failed'", "natural_key = ''"]
)
def test_what_was_sent_cannot_be_changed(sender, change):
    send(sender)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE billing_bridge_rawrow SET {change}")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_bridge_rawrow")


def test_another_chain_sees_none_of_it(sender, other_chain):
    send(sender)
    with tenant_scope(other_chain.tenant.pk):
        assert not RawRow.objects.exists()
        assert not RawPerson.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM billing_bridge_rawrow")
            assert cursor.fetchone() == (0,)


def test_who_is_erased_is_forgotten_in_what_was_sent(sender, chain, handlers):
    asha, ravi = CustomerFactory(phone="+919811111111"), CustomerFactory()
    send(sender, natural_key="1", people=[asha.pk], body=b'{"name": "Asha"}')
    send(sender, natural_key="2", people=[ravi.pk, asha.pk])
    send(sender, natural_key="3", people=[ravi.pk])
    refused(sender, body=b'{"phone": "9811111111"}', natural_key="4")
    owner = chain.actor(chain.owner)
    told = export_customer(actor=owner, customer=asha)["raw_rows"]
    assert [each["body"] for each in told] == ['{"name": "Asha"}']
    erase_customer(actor=owner, customer=asha)
    bodies = [bytes(row.body) for row in RawRow.objects.order_by("pk")]
    assert bodies == [b"", b"", BODY, b""]
    with pytest.raises(Conflict):
        services.replay_row(actor=owner, row_id=RawRow.objects.get(state="failed").pk)
