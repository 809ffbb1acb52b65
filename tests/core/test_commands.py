"""The operator's commands and the checks at the start."""

import datetime as dt
import importlib
import io
from types import SimpleNamespace

import pytest
from celery import current_app
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from marketing.core import checks, diagnosis, schedules
from marketing.core.models import AuditEntry, Staff, Tenant, User
from marketing.core.tenancy import tenant_scope
from tests.factories.policy import WORKING_VALUES, make_account


def run(command, *args, **options):
    out = io.StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue()


def test_every_scheduled_task_is_known_to_the_worker():
    for config in apps.get_app_configs():
        if importlib.util.find_spec(f"{config.name}.tasks"):
            importlib.import_module(f"{config.name}.tasks")
    assert set(django_settings.SYSTEM_SCHEDULES) - set(current_app.tasks) == set()


def test_schedules_are_made_once_and_left_alone_when_right(db):
    assert run("sync_schedules").startswith(f"{len(django_settings.SYSTEM_SCHEDULES)} schedules")
    changed = set(PeriodicTask.objects.values_list("name", "date_changed"))
    assert run("sync_schedules") == "0 schedules made, 0 altered, 0 stopped\n"
    assert set(PeriodicTask.objects.values_list("name", "date_changed")) == changed


def test_schedules_follow_the_code_and_never_touch_what_people_scheduled(db):
    hourly = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    theirs = PeriodicTask.objects.create(name="Our report", task="reports.send", interval=hourly)
    schedules.sync({"one.task": "0 3 * * *", "gone.task": dt.timedelta(seconds=5)})
    changes = schedules.sync({"one.task": dt.timedelta(seconds=30)})
    assert changes == schedules.Changes(made=0, altered=1, stopped=1)
    one = PeriodicTask.objects.get(name="system:one.task")
    assert (one.crontab, one.interval.every, one.expire_seconds) == (None, 30, 30)
    assert not PeriodicTask.objects.get(name="system:gone.task").enabled
    before = theirs.date_changed
    theirs.refresh_from_db()
    assert (theirs.enabled, theirs.interval, theirs.date_changed) == (True, hourly, before)


def test_a_new_chain_gets_an_owner_who_can_log_in(db, client, monkeypatch):
    monkeypatch.setenv("OWNER_PASSWORD", "a long enough phrase")
    run("create_tenant", "glow", "Glow Salons", owner_name="Asha Rao", owner_username="asha")
    tenant = Tenant.objects.get(slug="glow")
    with tenant_scope(tenant.pk):
        assert Staff.objects.get().role == "Super_Owner"
        assert AuditEntry.objects.get().action == "staff.create"
    assert client.login(username="asha", password="a long enough phrase")


@pytest.mark.parametrize(
    ("options", "field"),
    [({"time_zone": "Mars/Olympus"}, "time_zone"), ({"owner_username": ""}, "username")],
)
def test_a_chain_that_cannot_be_is_not_half_made(db, monkeypatch, options, field):
    monkeypatch.setenv("OWNER_PASSWORD", "a long enough phrase")
    given = {"owner_name": "Asha Rao", "owner_username": "asha", **options}
    with pytest.raises(CommandError, match=field):
        run("create_tenant", "glow", "Glow Salons", **given)
    assert not Tenant.objects.exists()
    assert not User.objects.exists()


def test_keys_are_rotated(chain, settings):
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    account = make_account("msg91")
    settings.FIELD_KEYS = [new, old]
    assert run("rotate_field_keys") == "1 accounts encrypted anew\n"
    settings.FIELD_KEYS = [new]
    account.refresh_from_db()
    assert account.credentials == WORKING_VALUES["msg91"]["credentials"]


def findings():
    return {finding.name: finding for finding in diagnosis.examine()}


def test_the_doctor_finds_a_prepared_database_well(chain):
    schedules.sync({"one.task": "* * * * *"})
    PeriodicTask.objects.update(last_run_at=timezone.now())
    ill = [finding for finding in findings().values() if not finding.is_fine]
    assert ill == []
    assert "ok     PostgreSQL" in run("doctor")


def test_the_doctor_names_what_is_wrong_and_goes_on(chain, settings):
    make_account("msg91")
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    settings.LEAKPROOF_FUNCTIONS = ["random()"]
    found = findings()
    assert "cannot be read" in found["FIELD_KEYS"].detail
    assert "random()" in found["LEAKPROOF functions"].detail
    assert "sync_schedules" in found["Beat"].detail
    assert found["PostgreSQL"].is_fine
    with pytest.raises(SystemExit):
        run("doctor")


def test_the_doctor_hears_when_beat_is_silent(db):
    schedules.sync({"one.task": "* * * * *"})
    PeriodicTask.objects.update(last_run_at=timezone.now() - dt.timedelta(hours=1))
    assert "start celery beat" in findings()["Beat"].detail


def test_the_doctor_misses_next_months_partitions(db, monkeypatch):
    monkeypatch.setattr(diagnosis.partitions, "append_tables", lambda: ["core_nothing"])
    assert "core_nothing" in findings()["Partitions"].detail


@pytest.mark.parametrize(
    ("keys", "ids"),
    [([], ["parlour.E001"]), (["short"], ["parlour.E002"]), ([Fernet.generate_key()], [])],
)
def test_field_keys_are_checked_at_the_start(settings, keys, ids):
    settings.FIELD_KEYS = keys
    assert [message.id for message in checks.field_keys()] == ids


def test_a_short_secret_is_an_error(settings):
    settings.SECRET_KEY = "x" * 31
    assert [message.id for message in checks.secret_key()] == ["parlour.E003"]
    settings.SECRET_KEY = "x" * 32
    assert checks.secret_key() == []


@pytest.mark.parametrize(
    ("owner", "ids"),
    [
        ({"owner": {"USER": "parlour_app"}}, ["parlour.E004"]),
        ({}, ["parlour.W001"]),
        ({"owner": {"USER": "parlour_owner"}}, []),
    ],
)
def test_serving_as_the_owner_is_an_error(monkeypatch, owner, ids):
    databases = {"default": {"USER": "parlour_app"}, **owner}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))
    assert [message.id for message in checks.owner_role()] == ids


def test_accounts_of_every_chain_are_encrypted_anew(chain, other_chain):
    make_account("meta")
    with tenant_scope(other_chain.tenant.pk):
        make_account("meta")
    assert run("rotate_field_keys") == "2 accounts encrypted anew\n"
