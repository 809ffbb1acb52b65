"""Provider accounts: their secrets stay secret, one per channel is the default."""

import pytest
from django.db import connection

from marketing.core.errors import Forbidden, NotFound, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.delivery.registry import account_of, vendor
from marketing.policy import selectors, services
from marketing.policy.models import ProviderAccount, WebhookAddress
from marketing.policy.vendors import VENDORS
from tests.factories.policy import WORKING_VALUES, make_account


def test_the_first_account_of_a_channel_is_its_default(chain):
    first = make_account("meta")
    second = make_account("meta", name="Second number")
    assert selectors.default_account("whatsapp") == first
    services.set_default_account(actor=chain.actor(chain.owner), account=second)
    assert selectors.default_account("whatsapp") == second
    assert list(selectors.accounts()) == [second, first]


def test_new_accounts_begin_at_module_11s_rate(chain):
    account = make_account("msg91")
    assert (account.rate_per_second, account.max_concurrency) == (10, 50)


def test_credentials_are_encrypted_in_the_table_and_absent_from_the_audit(chain):
    account = make_account("msg91")
    services.update_account(
        actor=chain.actor(chain.owner),
        account=account,
        values={"credentials": {"authkey": "another-secret"}},
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM policy_provideraccount")
        stored = bytes(cursor.fetchone()[0])
    assert b"secret" not in stored
    assert stored.startswith(b"gAAAA")
    assert ProviderAccount.objects.get().credentials == {"authkey": "another-secret"}
    assert AuditEntry.objects.get(action="account.update").changes == {"credentials": ["authkey"]}


def test_every_account_has_an_unguessable_address_for_callbacks(chain, settings):
    settings.PUBLIC_BASE_URL = "https://parlour.example"
    account = make_account("meta")
    token = WebhookAddress.objects.get(account_id=account.pk).token
    assert len(token) >= 43
    assert selectors.webhook_url(account) == f"https://parlour.example/api/v1/webhooks/meta/{token}"
    assert WebhookAddress.objects.get(token=token).tenant_id == chain.tenant.pk


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"credentials": {"access_token": ""}}, "credentials.access_token"),
        ({"credentials": {"authkey": "x"}}, "credentials.authkey"),
        ({"sender": {"waba_id": ["x"]}}, "sender.waba_id"),
        ({"name": ""}, "name"),
        ({"rate_per_second": 0}, "rate_per_second"),
        ({"base_url": "http://graph.facebook.com"}, "base_url"),
        ({"base_url": "https://127.0.0.1/"}, "base_url"),
        ({"base_url": "https://[::1]/"}, "base_url"),
        ({"base_url": "https://metadata.internal/"}, "base_url"),
        ({"base_url": "https://postgres/"}, "base_url"),
        ({"is_active": False}, "is_active"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(chain, values, field):
    account = make_account("meta")
    entries = AuditEntry.objects.count()
    with pytest.raises(ValidationFailed) as refusal:
        services.update_account(actor=chain.actor(chain.owner), account=account, values=values)
    assert field in refusal.value.fields
    account.refresh_from_db()
    assert account.credentials == WORKING_VALUES["meta"]["credentials"]
    assert (account.name, account.is_active) == ("Meta WhatsApp Cloud API", True)
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("provider", "values", "field"),
    [
        ("meta", {"sender": {"api_version": "23"}}, "sender.api_version"),
        ("meta", {"sender": {"marketing_endpoint": "messages2"}}, "sender.marketing_endpoint"),
        ("meta", {"portfolio_limit": 250}, "portfolio"),
        ("meta", {"portfolio": "Glow", "portfolio_limit": 0}, "portfolio_limit"),
        ("msg91", {"sender": {"entity_id": "12 01"}}, "sender.entity_id"),
        ("msg91", {"sender": {"header": "GLOW UP!"}}, "sender.header"),
        ("msg91", {"sender": {"batch_size": "0"}}, "sender.batch_size"),
        ("msg91", {"sender": {"batch_size": "many"}}, "sender.batch_size"),
        ("ssl_wireless", {"sender": {"batch_size": "101"}}, "sender.batch_size"),
        ("twilio", {"sender": {"from_number": ""}}, "sender.from_number"),
        ("twilio_whatsapp", {"sender": {"from_number": "14155238886"}}, "sender.from_number"),
        ("gupshup", {"sender": {"app_name": ""}}, "sender.app_name"),
        ("ses", {"sender": {"topic_arn": "parlour"}}, "sender.topic_arn"),
        ("ses", {"base_url": ""}, "base_url"),
        ("smtp", {"sender": {"security": "ssl"}}, "sender.security"),
        ("smtp", {"sender": {"port": "smtp"}}, "sender.port"),
        ("smtp", {"sender": {"return_path": "a@b>\r\nDATA"}}, "sender.return_path"),
        ("smtp", {"sender": {"host": "10.0.0.25"}}, "sender.host"),
        ("smtp", {"sender": {"host": "postfix"}}, "sender.host"),
        ("smtp", {"sender": {"host": "mail.internal"}}, "sender.host"),
        ("smtp", {"sender": {"host": ["mail.example.com"]}}, "sender.host"),
        ("smtp", {"sender": {"bounce_host": "10.0.0.25"}}, "sender.bounce_host"),
        ("smtp", {"sender": {"bounce_port": "imap"}}, "sender.bounce_port"),
        (
            "smtp",
            {"credentials": {"bounce_username": 'a"\r\nx DELETE INBOX'}},
            "credentials.bounce_username",
        ),
        (
            "smtp",
            {"credentials": {"bounce_password": "a\r\nx DELETE INBOX"}},
            "credentials.bounce_password",
        ),
    ],
)
def test_each_vendors_own_values_are_checked(chain, provider, values, field):
    account = make_account(provider)
    with pytest.raises(ValidationFailed) as refusal:
        services.update_account(actor=chain.actor(chain.owner), account=account, values=values)
    assert list(refusal.value.fields) == [field]
    account.refresh_from_db()
    assert account.sender == WORKING_VALUES[provider]["sender"]


def test_a_relay_of_the_own_network_is_for_those_who_run_parlour_to_allow(chain, settings):
    settings.SMTP_RELAYS = ["postfix"]
    sender = WORKING_VALUES["smtp"]["sender"] | {"host": "postfix"}
    account = make_account("smtp", base_url="", sender=sender)
    assert account_of(account).sender["host"] == "postfix"


def test_a_messaging_service_stands_in_for_the_number(chain):
    account = make_account("twilio")
    services.update_account(
        actor=chain.actor(chain.owner),
        account=account,
        values={"sender": {"from_number": "", "messaging_service_sid": "MG0001"}},
    )
    account.refresh_from_db()
    assert account.sender["messaging_service_sid"] == "MG0001"


@pytest.mark.parametrize("provider", list(VENDORS))
def test_every_vendor_of_the_settings_can_send(chain, provider):
    account = make_account(provider)
    known = vendor(provider)
    assert known.charged_on in ("sent", "delivered")
    assert known.max_batch >= 1
    assert hasattr(known.client, "deliver") or hasattr(known.client, "build")
    assert account_of(account).provider == provider
    calls = known.webhook is not None and known.mailbox is None
    assert bool(VENDORS[provider].callbacks) == calls


def test_twilio_is_told_where_to_report(chain, settings):
    settings.PUBLIC_BASE_URL = "https://parlour.example"
    account = make_account("twilio")
    assert account_of(account).webhook_url == selectors.webhook_url(account)
    assert account_of(make_account("meta")).webhook_url == ""


def test_a_name_is_taken_once(chain):
    make_account("meta")
    with pytest.raises(ValidationFailed):
        make_account("meta")
    assert ProviderAccount.objects.count() == 1


def test_an_account_that_is_off_cannot_be_the_default(chain):
    make_account("meta")
    spare = make_account("meta", name="Spare")
    services.update_account(
        actor=chain.actor(chain.owner), account=spare, values={"is_active": False}
    )
    spare.refresh_from_db()
    with pytest.raises(ValidationFailed):
        services.set_default_account(actor=chain.actor(chain.owner), account=spare)
    assert selectors.default_account("whatsapp").name == "Meta WhatsApp Cloud API"


def test_the_circuit_opens_once_and_closes_by_hand(chain):
    account, owner = make_account("meta"), chain.actor(chain.owner)
    assert services.open_circuit(actor=owner, account=account, reason="Token expired")
    assert not services.open_circuit(actor=owner, account=account, reason="Something later")
    account.refresh_from_db()
    assert account.circuit_reason == "Token expired"
    assert account.circuit_opened_at is not None
    with pytest.raises(Forbidden):
        services.close_circuit(actor=chain.actor(chain.manager), account=account)
    assert services.close_circuit(actor=owner, account=account)
    assert not services.close_circuit(actor=owner, account=account)
    account.refresh_from_db()
    assert (account.circuit_reason, account.circuit_opened_at) == ("", None)


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional"])
def test_only_super_owners_open_accounts(chain, staff):
    actor = chain.actor(getattr(chain, staff))
    with pytest.raises(Forbidden):
        services.create_account(actor=actor, provider="meta", values={"name": "Mine"})
    assert not ProviderAccount.objects.exists()
    assert not WebhookAddress.objects.exists()


def test_accounts_of_another_chain_are_not_found(chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = make_account("meta")
    with pytest.raises(NotFound):
        selectors.get_account_for_actor(chain.actor(chain.owner), theirs.pk)
    assert selectors.default_account("whatsapp") is None


def test_receptionists_do_not_see_accounts(chain):
    account = make_account("meta")
    with pytest.raises(NotFound):
        selectors.get_account_for_actor(chain.actor(chain.receptionist), account.pk)
    assert selectors.get_account_for_actor(chain.actor(chain.manager), account.pk) == account
