"""What stands in for the foreign keys of append tables: rows whose parent is gone are found."""

import datetime as dt
import random
import re
import uuid

import psycopg
import pytest
from celery.schedules import crontab
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, models, transaction
from django.db.models import NOT_PROVIDED
from django.utils import timezone

from customers import services
from customers.models import CustomerEvent, CustomerEventKey
from marketing.core import audit, diagnosis, events, loose_keys
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.models import EventDelivery, LooseKeyCheck, Tenant
from marketing.core.tasks import check_parents
from marketing.core.tenancy import AppendModel, tenant_scope
from marketing.delivery.models import Message, ProviderReference
from marketing.delivery.operations import alerts
from marketing.delivery.services import freeze_run
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours

APPEND_MODELS = [model for model in apps.get_models() if issubclass(model, AppendModel)]
# Ids beside append tables that name no row which must be there.
NO_KEYS = {
    "core_auditentry.object_id": "of any table; the entry outlives what it tells of",
    "core_auditentry.user_id": "the entry outlives the account, and says its name",
    "core_domainevent.actor_id": "the event outlives the account",
}
# Ids of other tables that are called after an append table's rows.
NO_KEYS_INTO = {
    "delivery_dispatchbatch.first_id": "a bound of ids, kept when its message is dropped",
    "delivery_dispatchbatch.last_id": "a bound of ids, kept when its message is dropped",
}
# Every column that may name a row and whose parent PostgreSQL does not look for.
UNGUARDED = """
SELECT c.relname || '.' || a.attname, c.relkind = 'p'
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'id'
  AND (a.atttypid = 'uuid'::regtype OR (a.atttypid = 'bigint'::regtype AND a.attname ~ '_id$'))
  AND NOT EXISTS (SELECT FROM pg_constraint k
                  WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey))
"""
# What names a row of an append table is called after it.
AFTER_APPEND_TABLES = re.compile(r"\.(message|event|fallback|first|last|engagement|webhook)_id$")


def unguarded():
    with connection.cursor() as cursor:
        cursor.execute(UNGUARDED)
        return dict(cursor.fetchall())


def orphan(model):
    """A row of the open scope, whose every key names nothing."""
    values = {name: nothing(model, name) for name in getattr(model, "plain_keys", {})}
    for field in model._meta.concrete_fields:
        kind = field.target_field if field.is_relation else field
        if field.primary_key or field.name == "tenant" or field.attname in values:
            continue
        if not field.is_relation and (
            field.null or field.has_default() or field.db_default is not NOT_PROVIDED
        ):
            continue
        if isinstance(kind, models.UUIDField):
            values[field.attname] = uuid.uuid4()
        elif isinstance(kind, models.IntegerField):
            values[field.attname] = 2**40
        elif isinstance(kind, models.DateTimeField):
            values[field.attname] = timezone.now()
    return model.objects.create(**values)


def nothing(model, name):
    """An id of now that no row has."""
    if isinstance(model._meta.get_field(name), models.UUIDField):
        return uuid.UUID(int=lower_bound(timezone.now()).int | random.getrandbits(60))
    return 2**40


def happened(customer_id, **values):
    return CustomerEvent.objects.create(
        customer_id=customer_id, name="test", occurred_at=timezone.now(), **values
    )


def dangling():
    return {check.name: check.dangling for check in loose_keys.dangling_keys()}


def test_every_id_beside_an_append_table_is_looked_at_or_says_why_not(db):
    looked_at = {key.name for key in loose_keys.loose_keys()}
    out = {name for name, of_append_table in unguarded().items() if of_append_table}
    assert looked_at & out == out - NO_KEYS.keys()
    into = {name for name in unguarded() if AFTER_APPEND_TABLES.search(name)}
    assert looked_at & into == into - NO_KEYS_INTO.keys()
    assert looked_at <= out | into


@pytest.mark.parametrize("model", APPEND_MODELS, ids=lambda model: model._meta.label)
def test_every_key_out_of_every_append_table_is_looked_at(db, model):
    with tenant_scope(uuid.uuid4()):
        row = orphan(model)
    check_parents()
    own = f"{model._meta.db_table}."
    assert dangling() == {
        name: 1 for name in unguarded() if name.startswith(own) and name not in NO_KEYS
    }
    assert {tuple(check.examples) for check in loose_keys.dangling_keys()} == {(str(row.pk),)}


def test_every_key_into_an_append_table_is_looked_at(chain):
    for model in (ProviderReference, CustomerEventKey):
        orphan(model)
    gone = nothing(EventDelivery, "event_id")
    EventDelivery.objects.create(
        event_id=gone, tenant_id=chain.tenant.pk, event_name="test", handler="test"
    )
    check_parents()
    assert dangling() == {
        "delivery_providerreference.message_id": 1,
        "customers_customereventkey.event_id": 1,
        "core_eventdelivery.event_id": 1,
    }


def test_it_is_told_with_table_and_key_in_the_log_on_the_page_and_by_the_doctor(chain, caplog):
    rows = [happened(uuid.uuid4()) for _ in range(5)]
    check_parents()
    assert dangling() == {"customers_customerevent.customer_id": 5}
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    said = record.getMessage()
    assert "5 rows of customers_customerevent" in said
    assert "customer_id" in said
    assert [str(row.pk) in said for row in rows] == [True, True, True, False, False]
    alerts.keep_alerts()
    (alert,) = [
        each
        for each in alerts.kept_alerts(Actor.for_staff(chain.owner))
        if each.code == "dangling_rows"
    ]
    assert "customers_customerevent.customer_id (5)" in alert.detail
    found = {finding.name: finding for finding in diagnosis.examine()}["Parents"]
    assert not found.is_fine
    assert "customers_customerevent.customer_id: 5" in found.detail


def test_what_was_mended_is_no_longer_told(chain):
    row = happened(uuid.uuid4())
    check_parents()
    row.delete()
    check_parents()
    assert dangling() == {}
    assert LooseKeyCheck.objects.count() == len(loose_keys.loose_keys())


def test_a_key_that_is_gone_from_the_code_is_forgotten(chain):
    LooseKeyCheck.objects.create(
        name="old_table.key_id",
        dangling=3,
        examples=[],
        since=timezone.now(),
        checked_at=timezone.now(),
    )
    check_parents()
    assert dangling() == {}


def test_a_healthy_database_is_silent(chain, caplog):
    open_all_hours()
    make_sender()
    asha = CustomerFactory(home_branch=chain.north)
    CustomerFactory(home_branch=chain.south, consent=False)
    freeze_run(run=make_run(TemplateFactory()), audience=everyone())
    owner = chain.actor(chain.owner)
    happened(asha.pk)
    events.record("test", {})
    audit.record(owner, "test", asha)
    services.erase_customer(actor=owner, customer=asha)
    assert Message.objects.filter(customer=asha).exists()
    check_parents()
    assert dangling() == {}
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
    found = {finding.name: finding for finding in diagnosis.examine()}["Parents"]
    assert found.is_fine


def test_rows_of_another_chain_are_seen_too(chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        happened(uuid.uuid4())
    check_parents()
    assert dangling() == {"customers_customerevent.customer_id": 1}


def test_another_chains_row_is_no_parent(chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
        happened(theirs.pk)
    check_parents()
    assert dangling() == {}
    happened(theirs.pk)
    check_parents()
    assert dangling() == {"customers_customerevent.customer_id": 1}


def checked(days_ago, **values):
    """The last night's check was so many days ago."""
    then = timezone.now() - dt.timedelta(days=days_ago)
    check_parents()
    LooseKeyCheck.objects.update(since=then - loose_keys.DAY, checked_at=then)
    LooseKeyCheck.objects.filter(name="customers_customerevent.customer_id").update(**values)


def made(days_ago):
    return happened(uuid.uuid4(), pk=lower_bound(timezone.now() - dt.timedelta(days=days_ago)))


def test_what_was_found_is_told_until_it_is_mended(chain):
    checked(days_ago=1, dangling=1, since=timezone.now() - dt.timedelta(days=10))
    row = made(days_ago=9)
    for _night in range(2):
        check_parents()
        assert dangling() == {"customers_customerevent.customer_id": 1}
    row.delete()
    check_parents()
    assert dangling() == {}


def test_nights_without_a_check_are_made_up_for(chain):
    checked(days_ago=5)
    made(days_ago=4)
    check_parents()
    assert dangling() == {"customers_customerevent.customer_id": 1}


def test_a_day_is_looked_at(chain):
    now = timezone.now()
    happened(uuid.uuid4(), pk=lower_bound(now - dt.timedelta(days=2)))
    happened(uuid.uuid4(), pk=lower_bound(now - dt.timedelta(days=1)))
    check_parents()
    assert dangling() == {"customers_customerevent.customer_id": 1}


@pytest.mark.django_db(transaction=True)
def test_a_table_that_lets_nobody_read_does_not_hold_up_the_others(monkeypatch, caplog):
    locked = loose_keys.LooseKey("delivery_message", "customer_id", "customers_customer")
    free = loose_keys.LooseKey("delivery_message", "run_id", "delivery_sendrun")
    monkeypatch.setattr(loose_keys, "loose_keys", lambda: [locked, free])
    monkeypatch.setattr(loose_keys, "PATIENCE", "2s")
    LooseKeyCheck.objects.create(
        name=locked.name,
        dangling=7,
        examples=[],
        since=timezone.now(),
        checked_at=timezone.now(),
    )
    with tenant_scope(Tenant.objects.create(name="A", slug="a").pk):
        orphan(Message)
    owner = settings.DATABASES["owner"]
    with psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"] or None,
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=owner["NAME"],
    ) as locker:
        locker.execute("LOCK TABLE customers_customer IN ACCESS EXCLUSIVE MODE")
        assert [check.name for check in loose_keys.check_parents()] == [free.name]
    assert dangling() == {locked.name: 7, free.name: 1}
    assert f"the parents of {locked.name} could not" in caplog.text


def ask(first, call, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(first)
        cursor.execute(f"SELECT {call}", values)


@pytest.mark.parametrize(
    ("child", "key", "parent"),
    [
        ("core_staff", "user_id", "core_user"),
        ("delivery_message", "customer_id", "the_roles_own"),
        ("the_roles_own", "customer_id", "delivery_message"),
        ("delivery_message", "id", "pg_temp.the_roles_own"),
        ("delivery_message", "id", "pg_class"),
        ("delivery_message", "id", "no_such_table"),
    ],
)
def test_only_the_products_tables_may_be_asked_about(chain, child, key, parent):
    own = "CREATE TEMPORARY TABLE the_roles_own (id uuid, customer_id uuid)"
    with pytest.raises(ProgrammingError, match=r"append table|not both tables"):
        ask(own, "dangling_rows(%s, %s, %s, %s)", child, key, parent, uuid.uuid4())


@pytest.mark.parametrize(
    "call",
    [
        "ensure_partitions(%s, current_date, current_date)",
        "drop_partitions(%s, current_date)",
        "default_has_rows(%s)",
    ],
)
def test_the_owners_functions_take_no_table_of_the_roles_own(chain, call):
    own = (
        "CREATE TEMPORARY TABLE the_roles_own (id uuid) PARTITION BY RANGE (id);"
        "CREATE TEMPORARY TABLE the_roles_own_default PARTITION OF the_roles_own DEFAULT"
    )
    with pytest.raises(ProgrammingError, match="not an append table"):
        ask(own, call, "the_roles_own")


def test_it_is_done_every_night():
    nightly = settings.SYSTEM_SCHEDULES["marketing.core.tasks.check_parents"]
    assert crontab.from_string(nightly).remaining_estimate(timezone.now()) < loose_keys.DAY
