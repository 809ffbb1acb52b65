"""The sandbox's control endpoints."""

import pytest


def test_control_needs_the_secret(sandbox):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert sandbox.ask("GET", "/_sandbox/accounts", headers=headers).status == 401


@pytest.mark.parametrize(
    "account",
    [
        {"provider": "meta", "credentials": {}},
        {"provider": "nobody", "credentials": {}},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "failure_rate": 2},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "unknown": 1},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "callback_format": "v9"},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "callback_format": ["v3"]},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "billing_events": True},
        {"provider": "sendgrid", "credentials": {"api_key": "k"}, "callback_format": "v3"},
    ],
)
def test_bad_account_is_refused(sandbox, account):
    headers = {"Authorization": "Bearer control-secret"}
    assert sandbox.ask("PUT", "/_sandbox/accounts/x", account, headers).status == 400
    assert "x" not in {known["name"] for known in sandbox.control("GET", "accounts")}


def test_accounts_do_not_show_their_credentials(sandbox):
    account = {"provider": "msg91", "credentials": {"authkey": "secret-key"}}
    sandbox.control("PUT", "accounts/sms", account)
    accounts = sandbox.control("GET", "accounts")
    assert accounts
    assert "secret-key" not in str(accounts)
