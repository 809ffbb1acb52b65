"""Accounts and templates made known to a sandbox of its own process, over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from marketing.campaigns.demo.sandbox import connect_sandbox
from marketing.campaigns.demo.sending import approve_templates
from marketing.content.models import TemplateVersion
from marketing.core.models import AuditEntry
from marketing.policy.models import Provider, ProviderAccount
from marketing.policy.selectors import webhook_url
from tests.delivery.sandbox.conftest import SECRET, Process
from tests.factories.core import Chain
from tests.factories.policy import WORKING_VALUES, make_account


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    started = Process(tmp_path)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def accounts(chain: Chain, settings: Any) -> dict[str, ProviderAccount]:
    """A sandbox account a channel, with approved templates; the sandbox moves afterwards."""
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    settings.SANDBOX_SECRET = SECRET
    made = {provider: make_account(provider) for provider in WORKING_VALUES}
    approve_templates()
    return made


def test_the_sandbox_learns_accounts_and_templates(process, accounts, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{process.port}"
    assert connect_sandbox(wait_seconds=0) == len(WORKING_VALUES)

    known = {account["provider"]: account for account in process.control("GET", "accounts")}
    for provider, account in accounts.items():
        account.refresh_from_db()
        assert account.base_url == settings.SANDBOX_URL
        assert known[provider]["webhook_url"] == webhook_url(account)
    sendgrid = accounts[Provider.SENDGRID]
    assert sendgrid.credentials["webhook_public_key"] == known["sendgrid"]["webhook_public_key"]
    assert (
        sendgrid.credentials["api_key"]
        == WORKING_VALUES[Provider.SENDGRID]["credentials"]["api_key"]
    )

    meta = accounts[Provider.META]
    listed = process.ask(
        "GET",
        f"/v23.0/{meta.sender['waba_id']}/message_templates?limit=100",
        headers={"Authorization": f"Bearer {meta.credentials['access_token']}"},
    ).json()["data"]
    version = TemplateVersion.objects.filter(template__channel="whatsapp").first()
    assert {(version.whatsapp_template_name, language) for language in version.contents} <= {
        (template["name"], template["language"]) for template in listed
    }
    sms = TemplateVersion.objects.filter(template__channel="sms").first()
    text = {f"VAR{number}": "x" for number in range(1, 9)}
    sent = process.ask(
        "POST",
        "/api/v5/flow",
        {
            "template_id": sms.vendor_template("en"),
            "recipients": [{"mobiles": "919820098200", "CRQID": "1", **text}],
        },
        {"authkey": accounts[Provider.MSG91].credentials["authkey"]},
    )
    assert sent.json()["type"] == "success"


def test_connecting_again_changes_nothing(process, accounts, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{process.port}"
    connect_sandbox(wait_seconds=0)
    before = AuditEntry.objects.count()
    assert connect_sandbox(wait_seconds=0) == len(WORKING_VALUES)
    assert AuditEntry.objects.count() == before


def test_accounts_at_a_real_vendor_are_left_alone(process, accounts, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{process.port}"
    real = accounts[Provider.META]
    ProviderAccount.objects.filter(pk=real.pk).update(base_url="https://graph.facebook.com")
    assert connect_sandbox(wait_seconds=0) == len(WORKING_VALUES) - 1
    real.refresh_from_db()
    assert real.base_url == "https://graph.facebook.com"


def test_a_sandbox_that_does_not_answer_is_told_in_words(accounts):
    with pytest.raises(CommandError, match="cannot be told"):
        call_command("connect_sandbox", wait=0)


def test_a_wrong_secret_is_told_in_words(process, accounts, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{process.port}"
    settings.SANDBOX_SECRET = "wrong"
    with pytest.raises(CommandError, match="401"):
        call_command("connect_sandbox", wait=0)
