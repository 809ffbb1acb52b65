"""GET and PATCH of the chain's and a branch's settings."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from marketing.core.tenancy import tenant_scope
from marketing.policy import selectors, services
from marketing.policy.models import BranchMarketingConfig, ProviderAccount
from tests.factories.policy import make_account, set_branch_config, set_config

CONFIG = "/api/v1/marketing/config"


def branch_url(branch):
    return reverse("api-branch-config", args=[branch.pk])


def test_settings_travel_in_module_11s_names(api):
    make_account("meta")
    set_config(monthly_budget_limit=Decimal("50000"))
    answer = api("manager", "get", CONFIG)
    assert answer.status_code == 200
    config = answer.json()["data"]["config"]
    assert config["sendWindowStart"] == "09:00"
    assert config["monthlyBudgetLimit"] == "50000.00"
    assert config["currency"] == "INR"
    assert config["whatsappProvider"] == "meta"
    assert config["whatsappBusinessId"] == "102290129340398"
    assert config["smsProvider"] is None
    assert config["assumedConsent"] == {"whatsapp": True, "sms": True, "email": True}


def test_keys_are_never_read_back(api):
    make_account("meta")
    make_account("msg91", credentials={"authkey": "short"})
    answer = api("owner", "get", CONFIG)
    config = answer.json()["data"]["config"]
    assert config["whatsappApiKey"] == {"set": True, "last4": "0001"}
    assert config["smsApiKey"] == {"set": True, "last4": ""}
    assert config["emailApiKey"] == {"set": False, "last4": ""}
    assert b"EAAG-test-token" not in answer.content
    assert b"app-secret" not in answer.content


def test_owner_changes_some_settings_and_the_rest_stay(api):
    answer = api(
        "owner",
        "patch",
        CONFIG,
        {
            "sendWindowEnd": "20:30",
            "monthlyBudgetLimit": "1234.50",
            "assumedConsent": {"sms": False},
            "smsApiKey": "a-new-msg91-key",
            "smsSenderId": "GLOWUP",
        },
    )
    assert answer.status_code == 200
    config = answer.json()["data"]["config"]
    assert config["sendWindowEnd"] == "20:30"
    assert config["assumedConsent"] == {"whatsapp": True, "sms": False, "email": True}
    assert config["smsApiKey"] == {"set": True, "last4": "-key"}
    stored = selectors.get_config()
    assert stored.send_window_end == dt.time(20, 30)
    assert stored.send_window_start == dt.time(9)
    assert ProviderAccount.objects.get().sender == {"header": "GLOWUP"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sendWindowStart": "25:00"}, "sendWindowStart"),
        ({"budgetAlertThresholdPercent": 120}, "budgetAlertThresholdPercent"),
        ({"monthlyBudgetLimit": "-1"}, "monthlyBudgetLimit"),
        ({"dailyMessageLimitPerCustomer": 9}, "dailyMessageLimitPerCustomer"),
        ({"whatsappProvider": "msg91"}, "whatsappProvider"),
        ({"smsProvider": "twilio_whatsapp"}, "smsProvider"),
        ({"favouriteColour": "red"}, "favouriteColour"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_changes(api, body, field):
    answer = api("owner", "patch", CONFIG, {"marketingEnabled": False, **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "MARKETING_400"
    assert list(answer.json()["error"]["fields"]) == [field]
    assert selectors.get_config().marketing_enabled


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional"])
def test_only_owners_change_settings(api, chain, staff):
    assert api(staff, "patch", CONFIG, {"marketingEnabled": False}).status_code == 403
    answer = api(staff, "patch", branch_url(chain.north), {"marketingEnabled": False})
    assert answer.status_code == 403
    assert selectors.get_config().marketing_enabled
    assert not BranchMarketingConfig.objects.exists()


def test_receptionists_do_not_see_settings(api, chain):
    assert api("receptionist", "get", CONFIG).status_code == 403
    assert api("receptionist", "get", branch_url(chain.north)).status_code == 403


def test_anonymous_callers_are_told_to_log_in(db):
    answer = Client().get(CONFIG)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "MARKETING_401"


def test_branch_settings_show_what_the_month_cost_so_far(api, chain, time_machine):
    time_machine.move_to(dt.datetime(2026, 7, 15, tzinfo=dt.UTC))
    set_branch_config(chain.north, monthly_budget_limit=Decimal("100"))
    now = dt.datetime.now(dt.UTC)
    services.reserve_budget(branch_costs={chain.north.pk: Decimal("10")}, on=now)
    services.book(
        changes={chain.north.pk: (Decimal(-4), Decimal("3.4567"))}, month=selectors.month_of(now)
    )
    answer = api("manager", "get", branch_url(chain.north))
    assert answer.json()["data"]["config"] == {
        "branchId": str(chain.north.pk),
        "marketingEnabled": True,
        "monthlyBudgetLimit": "100.00",
        "month": "2026-07-01",
        "currentMonthSpend": "3.46",
        "currentMonthReserved": "6.00",
        "currency": "INR",
    }


def test_owner_sets_and_lifts_a_branchs_limit(api, chain):
    api("owner", "patch", branch_url(chain.south), {"monthlyBudgetLimit": "75.00"})
    assert selectors.branch_config(chain.south.pk).monthly_budget_limit == 75
    api("owner", "patch", branch_url(chain.south), {"monthlyBudgetLimit": None})
    assert selectors.branch_config(chain.south.pk).monthly_budget_limit is None


def test_another_branch_is_not_found(api, chain):
    assert api("manager", "get", branch_url(chain.south)).status_code == 404
    assert api("regional", "get", branch_url(chain.south)).status_code == 200
    assert api("regional", "get", branch_url(chain.west)).status_code == 404


def test_another_chains_branch_is_not_found(api, chain, other_chain):
    url = branch_url(other_chain.north)
    assert api("owner", "get", url).status_code == 404
    assert api("owner", "patch", url, {"marketingEnabled": False}).status_code == 404
    with tenant_scope(other_chain.tenant.pk):
        assert not BranchMarketingConfig.objects.exists()


def test_module_11s_vendor_names_go_by_the_channel(chain, api):
    body = {
        "whatsappProvider": "twilio",
        "whatsappBusinessNumber": "+14155238886",
        "whatsappApiKey": "twilio-auth-token-1",
        "whatsappPortfolio": "Glow",
        "whatsappPortfolioLimit": 2000,
        "smsProvider": "twilio",
        "smsSenderId": "GLOWUP",
    }
    answer = api("owner", "patch", CONFIG, body)
    assert answer.status_code == 200
    shown = answer.json()["data"]["config"]
    assert (shown["whatsappProvider"], shown["smsProvider"]) == ("twilio", "twilio")
    assert shown["whatsappApiKey"] == {"set": True, "last4": "en-1"}
    assert (shown["whatsappBusinessNumber"], shown["smsSenderId"]) == ("+14155238886", "GLOWUP")
    assert (shown["whatsappPortfolio"], shown["whatsappPortfolioLimit"]) == ("Glow", 2000)
    accounts = {account.channel: account for account in ProviderAccount.objects.all()}
    assert accounts["whatsapp"].provider == "twilio_whatsapp"
    assert accounts["sms"].provider == "twilio"


def test_a_value_that_the_vendor_has_not_is_refused(chain, api):
    body = {"whatsappProvider": "gupshup", "whatsappBusinessId": "102290129340398"}
    answer = api("owner", "patch", CONFIG, body)
    assert answer.status_code == 400
    assert "whatsappBusinessId" in answer.json()["error"]["fields"]
    assert not ProviderAccount.objects.exists()
