"""A bounce mailbox that cannot be read: noted at its account, and said on the home page."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from marketing.core.actor import Actor
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.operations import alerts, figures
from marketing.delivery.providers.smtp import mailbox
from marketing.delivery.webhooks import mailboxes
from marketing.policy.models import ProviderAccount
from marketing.policy.services import note_mailbox
from tests.delivery.providers import imap
from tests.factories.policy import WORKING_VALUES, make_account

SENDER = WORKING_VALUES["smtp"]["sender"]
LOGIN = {"bounce_username": "bounces", "bounce_password": "right"}
FAULT = "imap.example.com: wrong password"


def smtp_account(sender=(), name="SMTP", **credentials):
    sender = SENDER | dict(sender)
    return make_account("smtp", name=name, base_url="", credentials=credentials, sender=sender)


def mailbox_alerts(staff):
    found = alerts.alerts_for(Actor.for_staff(staff), figures.operations())
    return [alert for alert in found if alert.code == "mailbox_unreadable"]


def read_again(chain):
    mailboxes.read_mailboxes()
    with tenant_scope(chain.tenant.pk):
        return ProviderAccount.objects.get()


def test_it_is_known_until_the_mailbox_opens_again(live_chain):
    with imap.serving() as box:
        with tenant_scope(live_chain.tenant.pk):
            smtp_account(box.sender, **LOGIN | {"bounce_password": "wrong"})
        first = read_again(live_chain)
        # What the server repeats of the password is left out.
        assert first.mailbox_fault == "127.0.0.1: [AUTHENTICATIONFAILED] …"
        assert read_again(live_chain).mailbox_failing_since == first.mailbox_failing_since
        client = Client()
        client.force_login(live_chain.owner.user)
        page = client.get(f"/settings/accounts/{first.pk}").content.decode()
        assert first.mailbox_fault in page
        with tenant_scope(live_chain.tenant.pk):
            first.credentials = LOGIN
            first.save(update_fields=["credentials"])
        mended = read_again(live_chain)
    assert (mended.mailbox_fault, mended.mailbox_failing_since) == ("", None)


def test_a_server_that_is_gone_is_named(live_chain):
    with imap.serving() as box:
        gone = box.sender
    with tenant_scope(live_chain.tenant.pk):
        smtp_account(gone, **LOGIN)
    assert "Connection refused" in read_again(live_chain).mailbox_fault


def test_who_names_no_mailbox_any_more_misses_none(live_chain):
    with tenant_scope(live_chain.tenant.pk):
        note_mailbox(account_id=smtp_account().pk, fault="away")
    assert read_again(live_chain).mailbox_failing_since is None


def test_a_servers_words_are_kept_without_what_no_text_may_hold(live_chain, monkeypatch):
    def say_nothing_good(account):
        raise OSError("mailbox\0 is locked")

    monkeypatch.setattr(mailbox, "reports", say_nothing_good)
    with tenant_scope(live_chain.tenant.pk):
        smtp_account({"bounce_host": "imap.example.com"}, **LOGIN)
    assert read_again(live_chain).mailbox_fault == "imap.example.com: mailbox is locked"


def test_one_whose_fault_cannot_be_noted_holds_up_no_other(live_chain, monkeypatch):
    """Neither of the two can be read; whichever comes first cannot even be noted."""
    noted = []

    def fail_at_first(**values):
        noted.append(values["account_id"])
        if len(noted) == 1:
            raise RuntimeError("this one is broken")
        note_mailbox(**values)

    monkeypatch.setattr(mailboxes, "note_mailbox", fail_at_first)
    with imap.serving() as box:
        gone = box.sender
    with tenant_scope(live_chain.tenant.pk):
        for name in ("First", "Second"):
            smtp_account(gone, name=name, **LOGIN)
    mailboxes.read_mailboxes()
    with tenant_scope(live_chain.tenant.pk):
        faults = dict(ProviderAccount.objects.values_list("pk", "mailbox_fault"))
    assert faults.keys() == set(noted)
    assert [bool(faults[pk]) for pk in noted] == [False, True]


@pytest.mark.parametrize(
    ("minutes", "is_active", "is_told"), [(4, True, False), (6, True, True), (6, False, False)]
)
def test_who_may_mend_it_is_told_when_it_lasts(chain, minutes, is_active, is_told):
    account = smtp_account()
    ProviderAccount.objects.filter(pk=account.pk).update(
        is_active=is_active,
        mailbox_fault=FAULT,
        mailbox_failing_since=timezone.now() - dt.timedelta(minutes=minutes),
    )
    assert bool(mailbox_alerts(chain.owner)) == is_told
    assert mailbox_alerts(chain.regional) == []


def test_the_alert_says_whose_since_when_and_where_to_mend_it(chain):
    Tenant.objects.filter(pk=chain.tenant.pk).update(time_zone="Asia/Dhaka")
    account = smtp_account()
    ProviderAccount.objects.filter(pk=account.pk).update(
        mailbox_fault=FAULT,
        mailbox_failing_since=dt.datetime(2026, 7, 31, 18, 5, tzinfo=dt.UTC),
    )
    (alert,) = mailbox_alerts(chain.owner)
    assert account.name in alert.title
    assert "1 Aug 2026, 12:05 a.m." in alert.detail
    assert FAULT in alert.detail
    assert alert.url == f"/settings/accounts/{account.pk}"
