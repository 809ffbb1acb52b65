"""Settings: Module 11's defaults, changes that are checked and audited, and the cache."""

import datetime as dt
import logging
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import transaction

from marketing.core.errors import Forbidden, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.policy import config_cache, selectors, services
from marketing.policy.models import BranchMarketingConfig, MarketingConfig, RateCard
from tests.factories.core import make_chain
from tests.factories.policy import make_account, set_config


def update(chain, staff="owner", **values):
    return services.update_config(actor=chain.actor(getattr(chain, staff)), values=values)


def test_a_new_chain_has_module_11s_defaults(chain):
    config = selectors.get_config()
    assert (config.marketing_enabled, config.email_enabled) == (True, False)
    assert (config.send_window_start, config.send_window_end) == (dt.time(9), dt.time(21))
    assert config.daily_message_limit_per_customer == 2
    assert config.weekly_message_limit_per_customer == 5
    assert config.campaign_approval_threshold_recipients == 100
    assert config.monthly_budget_limit is None
    assert selectors.get_config().pk == config.pk
    assert MarketingConfig.objects.count() == 1


def test_changes_are_saved_and_audited(chain):
    update(chain, send_window_start=dt.time(10), marketing_enabled=True)
    assert selectors.get_config().send_window_start == dt.time(10)
    entry = AuditEntry.objects.get(action="config.update")
    assert entry.changes == {"send_window_start": ["09:00:00", "10:00:00"]}
    assert entry.user_id == chain.owner.user_id


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional"])
def test_only_super_owners_change_settings(chain, staff):
    with pytest.raises(Forbidden):
        update(chain, staff, marketing_enabled=False)
    with pytest.raises(Forbidden):
        services.update_branch_config(
            actor=chain.actor(getattr(chain, staff)),
            branch=chain.north,
            values={"marketing_enabled": False},
        )
    assert selectors.get_config().marketing_enabled
    assert not BranchMarketingConfig.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"budget_alert_threshold_percent": 101}, "budget_alert_threshold_percent"),
        ({"monthly_budget_limit": Decimal(-1)}, "monthly_budget_limit"),
        ({"daily_message_limit_per_customer": 6}, "daily_message_limit_per_customer"),
        ({"weekly_message_limit_per_customer": 1}, "weekly_message_limit_per_customer"),
        ({"send_window_start": dt.time(21), "send_window_end": dt.time(9)}, "send_window_end"),
        ({"assumed_consent": {"fax": True}}, "assumed_consent"),
        ({"message_retention_months": 0}, "message_retention_months"),
        ({"whatsapp_provider": "msg91"}, "whatsapp_provider"),
        ({"email_provider": "pigeon"}, "email_provider"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(chain, values, field):
    before = MarketingConfig.objects.values().filter(pk=selectors.get_config().pk).get()
    with pytest.raises(ValidationFailed) as refusal:
        update(chain, marketing_enabled=False, **values)
    assert list(refusal.value.fields) == [field]
    assert MarketingConfig.objects.values().get() == before
    assert not AuditEntry.objects.exists()


def test_a_chain_outside_india_may_send_at_night(chain):
    type(chain.tenant).objects.filter(pk=chain.tenant.pk).update(country="AE")
    update(chain, send_window_start=dt.time(22), send_window_end=dt.time(6))


def test_module_11s_provider_columns_open_the_channels_default_account(chain):
    update(
        chain,
        whatsapp_api_key="EAAG-1234567890",
        whatsapp_business_number="+912212345678",
        sms_sender_id="PARLOR",
    )
    whatsapp, sms = (selectors.default_account(channel) for channel in ("whatsapp", "sms"))
    assert (whatsapp.provider, sms.provider) == ("meta", "msg91")
    assert whatsapp.credentials == {"access_token": "EAAG-1234567890"}
    assert whatsapp.sender == {"business_number": "+912212345678"}
    assert sms.sender == {"header": "PARLOR"}
    assert selectors.default_account("email") is None
    assert "EAAG" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_module_11s_provider_columns_change_an_account_that_is_there(chain):
    account = make_account("sendgrid")
    update(chain, email_from_name="Lakmé", email_api_key="SG.new-key-000001")
    account.refresh_from_db()
    assert account.sender == {"from_email": "hello@example.com", "from_name": "Lakmé"}
    assert account.credentials["api_key"] == "SG.new-key-000001"


def test_branch_settings(chain):
    assert selectors.branch_config(chain.north.pk).marketing_enabled
    services.update_branch_config(
        actor=chain.actor(chain.owner),
        branch=chain.north,
        values={"monthly_budget_limit": Decimal("500.00")},
    )
    assert selectors.branch_config(chain.north.pk).monthly_budget_limit == 500
    assert selectors.branch_config(chain.south.pk).monthly_budget_limit is None
    assert AuditEntry.objects.get().action == "branch_config.update"


def test_prices_are_those_of_the_newest_list_that_had_begun(chain, caplog):
    selectors.get_config()

    def price(on, category="marketing", country="IN"):
        return selectors.message_price(
            provider="meta", channel="whatsapp", country=country, category=category, on=on
        )

    assert price(dt.date(2026, 1, 1)) == Decimal("0.8631")
    assert price(dt.date(2026, 6, 1), "utility") == Decimal("0.1150")
    RateCard.objects.create(
        provider="meta",
        channel="whatsapp",
        category="marketing",
        amount=Decimal("0.9000"),
        effective_from=dt.date(2026, 7, 1),
    )
    assert price(dt.date(2026, 6, 30)) == Decimal("0.8631")
    assert price(dt.date(2026, 7, 1)) == Decimal("0.9000")
    with caplog.at_level(logging.WARNING):
        assert price(dt.date(2025, 12, 31)) == 0
        assert price(dt.date(2026, 7, 1), country="AE") == 0
    assert caplog.text.count("no price") == 2


def test_cached_settings_cost_no_query(chain, django_assert_num_queries):
    config_cache.keep(selectors.get_config())
    with django_assert_num_queries(0):
        assert selectors.get_config().marketing_enabled


def test_a_change_is_seen_at_once_in_its_own_transaction_and_never_kept_from_it(chain):
    selectors.get_config()
    update(chain, marketing_enabled=False)
    assert not selectors.get_config().marketing_enabled
    assert config_cache.read() is None


@pytest.mark.django_db(transaction=True)
def test_a_change_reaches_everybody_once_it_is_committed():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        selectors.get_config()
    with tenant_scope(chain.tenant.pk):
        assert config_cache.read() is not None
        update(chain, marketing_enabled=False)
        with transaction.atomic():
            update(chain, sms_enabled=False)
            transaction.set_rollback(True)
    with tenant_scope(chain.tenant.pk):
        config = selectors.get_config()
        assert (config.marketing_enabled, config.sms_enabled) == (False, True)
        cache.delete(config_cache._key(chain.tenant.pk))
        selectors.get_config()
        assert not config_cache.read().marketing_enabled


def test_chains_do_not_share_settings(chain, other_chain):
    set_config(marketing_enabled=False)
    with tenant_scope(other_chain.tenant.pk):
        assert selectors.get_config().marketing_enabled


def test_going_back_to_a_former_vendor_takes_its_account_again(chain):
    update(chain, whatsapp_provider="meta", whatsapp_api_key="first-token-0001")
    meta = selectors.default_account("whatsapp")
    update(chain, whatsapp_provider="gupshup", whatsapp_api_key="gupshup-key-0001")
    assert selectors.default_account("whatsapp").provider == "gupshup"
    update(chain, whatsapp_provider="meta")
    assert selectors.default_account("whatsapp") == meta
    assert selectors.default_account("whatsapp").credentials == {"access_token": "first-token-0001"}
    assert selectors.accounts().count() == 2


@pytest.mark.parametrize(
    ("provider", "channel", "category", "country", "amount"),
    [
        ("meta", "whatsapp", "marketing", "IN", "0.8631"),
        ("gupshup", "whatsapp", "marketing", "IN", "0.9431"),
        ("gupshup", "whatsapp", "utility", "IN", "0.1950"),
        ("twilio_whatsapp", "whatsapp", "utility", "IN", "0.1150"),
    ],
)
def test_first_prices_of_whatsapp(chain, provider, channel, category, country, amount):
    selectors.get_config()
    price = selectors.message_price(
        provider=provider, channel=channel, category=category, country=country,
        on=dt.date(2026, 11, 21),
    )  # fmt: skip
    assert price == Decimal(amount)


def test_an_account_of_a_new_vendor_brings_its_prices_along(chain):
    selectors.get_config()
    RateCard.objects.filter(provider="ssl_wireless").delete()
    mine = RateCard.objects.get(provider="meta", category="marketing")
    RateCard.objects.filter(pk=mine.pk).update(amount=Decimal("1.0000"))
    make_account("ssl_wireless")
    assert RateCard.objects.filter(provider="ssl_wireless", country="BD", currency="BDT").exists()
    mine.refresh_from_db()
    assert mine.amount == Decimal("1.0000")
