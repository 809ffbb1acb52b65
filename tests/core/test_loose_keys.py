"""What stands in for the foreign keys of append tables: rows whose parent is gone are found."""

import datetime as dt
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
from customers.models import CustomerEvent
from marketing.core import audit, diagnosis, events, loose_keys
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.models import LooseKeyCheck, Tenant
from marketing.core.tasks import check_parents
from marketing.core.tenancy import AppendModel, tenant_scope
from marketing.delivery.models import Message
from marketing.delivery.operations import alerts
from marketing.delivery.services import freeze_run
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours

APPEND_MODELS = [model for model in apps.get_models() if issubclass(model, AppendModel)]


def keys_of(model):
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.db_constraint
    ]


def orphan(model):
    """A row of the open scope, whose every key names nothing."""
    values = {}
    for field in model._meta.concrete_fields:
        kind = field.target_field if field.is_relation else field
        if field.primary_key or field.name == "tenant":
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


def happened(customer_id, **values):
    return CustomerEvent.objects.create(
        customer_id=customer_id, name="test", occurred_at=timezone.now(), **values
    )


def dangling():
    return {check.name: check.dangling for check in loose_keys.dangling_keys()}


@pytest.mark.parametrize("model", APPEND_MODELS, ids=lambda model: model._meta.label)
def test_every_key_of_every_append_table_is_looked_at(db, model):
    with tenant_scope(uuid.uuid4()):
        row = orphan(model)
    check_parents()
    table = model._meta.db_table
    assert dangling() == {f"{table}.{field.column}": 1 for field in keys_of(model)}
    assert {tuple(check.examples) for check in loose_keys.dangling_keys()} == {(row.pk,)}


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
        name="old_table.key_id", dangling=3, examples=[], checked_at=timezone.now()
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
        name=locked.name, dangling=7, examples=[], checked_at=timezone.now()
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


def test_only_append_tables_may_be_asked_about(chain):
    with (
        pytest.raises(ProgrammingError, match="not an append table"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT * FROM dangling_rows('core_staff', 'user_id', 'core_user', %s)", [uuid.uuid4()]
        )


def test_it_is_done_every_night():
    nightly = settings.SYSTEM_SCHEDULES["marketing.core.tasks.check_parents"]
    assert crontab.from_string(nightly).remaining_estimate(timezone.now()) < loose_keys.DAY
