"""The test of an account's connection, over real HTTP to a vendor on loopback."""

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from marketing.core.errors import Forbidden, Throttled
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.policy import services
from marketing.policy.models import ProviderAccount
from tests.delivery.vendor_stub import Answer
from tests.factories.policy import WORKING_VALUES

WORKING: dict[str, Answer] = {
    "meta": (200, {"verified_name": "Parlour", "id": "106540352242922"}),
    "gupshup": (200, {"status": "success", "templates": []}),
    "twilio_whatsapp": (200, {"sid": "AC0001", "status": "active"}),
    "msg91": (200, 100000),
    "twilio": (200, {"sid": "AC0002", "status": "active"}),
    "ssl_wireless": (200, {"status": "FAILED", "status_code": 4022, "error_message": "empty"}),
}
REFUSING: dict[str, Answer] = {
    "meta": (401, {"error": {"code": 190, "message": "Session has expired"}}),
    "gupshup": (401, {"status": "error", "message": "Authentication Failed"}),
    "twilio_whatsapp": (401, {"code": 20003, "message": "Authenticate"}),
    "msg91": (200, {"msg": "Authentication failure", "msg_type": "error"}),
    "twilio": (200, {"sid": "AC0002", "status": "suspended"}),
    "ssl_wireless": (200, {"status_code": 4003, "error_message": "IP not allowed"}),
}
COMPLAINTS = {
    "meta": "Session has expired",
    "gupshup": "Authentication Failed",
    "twilio_whatsapp": "Authenticate",
    "msg91": "Authentication failure",
    "twilio": "status: suspended",
    "ssl_wireless": "IP not allowed",
}


def run(chain, account) -> ProviderAccount:
    services.run_connection_test(tenant_id=chain.tenant.pk, account_id=account.pk)
    with tenant_scope(chain.tenant.pk):
        return ProviderAccount.objects.get(pk=account.pk)


@pytest.mark.parametrize("provider", list(WORKING))
def test_an_account_that_the_vendor_accepts(live_chain, asked_vendor, account_at, provider):
    asked_vendor.answer = WORKING[provider]
    tested = run(live_chain, account_at(provider))
    assert (tested.test_fault, len(asked_vendor.asked)) == ("", 1)
    assert tested.tested_at is not None


@pytest.mark.parametrize("provider", list(REFUSING))
def test_what_the_vendor_complains_of_is_told(live_chain, asked_vendor, account_at, provider):
    asked_vendor.answer = REFUSING[provider]
    assert run(live_chain, account_at(provider)).test_fault == COMPLAINTS[provider]


def test_a_vendor_that_cannot_be_reached(live_chain, account_at, settings):
    account = account_at("meta")
    with tenant_scope(live_chain.tenant.pk):
        ProviderAccount.objects.update(base_url="http://127.0.0.1:1")
    fault = run(live_chain, account).test_fault
    assert "http://127.0.0.1:1 cannot be reached" in fault


def test_what_is_missing_is_named(live_chain, asked_vendor, account_at):
    account = account_at("gupshup")
    with tenant_scope(live_chain.tenant.pk):
        ProviderAccount.objects.update(sender={"source": "918000000001"})
    assert "app_name" in run(live_chain, account).test_fault
    assert asked_vendor.asked == []


def test_secrets_that_the_vendor_repeats_are_not_kept(live_chain, asked_vendor, account_at):
    token = WORKING_VALUES["meta"]["credentials"]["access_token"]
    asked_vendor.answer = 401, {"error": {"code": 190, "message": f"Bad token {token}."}}
    fault = run(live_chain, account_at("meta")).test_fault
    assert fault == "Bad token …."


def test_from_the_page_and_back(live_chain, asked_vendor, account_at, monkeypatch):
    asked_vendor.answer = REFUSING["meta"]
    account = account_at("meta")
    nudged = []
    monkeypatch.setattr(
        "marketing.policy.services.connection.nudge", lambda task, *args: nudged.append(args)
    )
    client = Client()
    client.force_login(live_chain.owner.user)
    url = reverse("account-test", args=[account.pk])
    fragment = client.post(url, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in fragment
    assert nudged == [(str(live_chain.tenant.pk), str(account.pk))]
    assert asked_vendor.asked == []
    run(live_chain, account)
    fragment = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Session has expired" in fragment
    assert "hx-trigger" not in fragment
    page = client.get(reverse("account-edit", args=[account.pk])).content.decode()
    assert "Session has expired" in page
    assert WORKING_VALUES["meta"]["credentials"]["app_secret"] not in page


def test_without_scripts_the_page_is_shown_again(live_chain, account_at, monkeypatch):
    account = account_at("meta")
    monkeypatch.setattr("marketing.policy.services.connection.nudge", lambda *args: None)
    client = Client()
    client.force_login(live_chain.owner.user)
    answer = client.post(reverse("account-test", args=[account.pk]), follow=True)
    assert answer.redirect_chain == [(reverse("account-edit", args=[account.pk]), 302)]
    assert "Asking the vendor" in answer.content.decode()


def test_not_again_within_ten_seconds(live_chain, account_at, monkeypatch):
    nudged = []
    monkeypatch.setattr(
        "marketing.policy.services.connection.nudge", lambda *args: nudged.append(args)
    )
    account = account_at("meta")
    with tenant_scope(live_chain.tenant.pk):
        owner = live_chain.actor(live_chain.owner)
    with time_machine.travel(dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC), tick=False) as clock:
        with tenant_scope(live_chain.tenant.pk):
            services.ask_connection_test(actor=owner, account=account)
        clock.shift(9.9)
        with tenant_scope(live_chain.tenant.pk), pytest.raises(Throttled):
            services.ask_connection_test(actor=owner, account=account)
        clock.shift(0.1)
        with tenant_scope(live_chain.tenant.pk):
            services.ask_connection_test(actor=owner, account=account)
    assert len(nudged) == 2
    with tenant_scope(live_chain.tenant.pk):
        assert AuditEntry.objects.filter(action="account.test_connection").count() == 2


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional"])
def test_only_who_may_change_settings_tests(live_chain, asked_vendor, account_at, staff):
    account = account_at("meta")
    client = Client()
    client.force_login(getattr(live_chain, staff).user)
    assert client.post(reverse("account-test", args=[account.pk])).status_code == 403
    with tenant_scope(live_chain.tenant.pk):
        with pytest.raises(Forbidden):
            services.ask_connection_test(
                actor=live_chain.actor(getattr(live_chain, staff)), account=account
            )
        assert ProviderAccount.objects.get().test_asked_at is None
    assert asked_vendor.asked == []


@pytest.mark.parametrize(
    ("asked", "tested", "fault", "state"),
    [
        (None, None, "", "untested"),
        (5, None, "", "asked"),
        (5, 100, "old", "asked"),
        (61, None, "", "lost"),
        (5, 3, "", "works"),
        (5, 3, "Bad", "fails"),
    ],
)
def test_what_is_known_of_the_connection(asked, tested, fault, state):
    now = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
    with time_machine.travel(now, tick=False):
        account = ProviderAccount(
            test_asked_at=now - dt.timedelta(seconds=asked) if asked else None,
            tested_at=now - dt.timedelta(seconds=tested) if tested else None,
            test_fault=fault,
        )
        assert account.connection == state
