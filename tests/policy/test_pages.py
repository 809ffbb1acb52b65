"""The settings' pages: who sees them, what they change, how they refuse."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from marketing.core.models import ApiKey, AuditEntry, Role, Staff
from marketing.core.services import issue_key
from marketing.core.tenancy import tenant_scope
from marketing.policy import selectors, services
from marketing.policy.models import ProviderAccount
from tests.factories.core import make_staff
from tests.factories.policy import make_account

VIEWED_BY_MANAGERS = [
    "settings",
    "settings-hours",
    "settings-budget",
    "settings-approval",
    "settings-links",
    "settings-scores",
]
OWNERS_ONLY = ["staff-list", "staff-new", "key-list", "audit-list"]


@pytest.mark.parametrize("name", [*VIEWED_BY_MANAGERS, "account-list"])
def test_managers_read_settings_and_cannot_change_them(chain, login, name):
    make_account("meta")
    page = login("manager").get(reverse(name))
    assert page.status_code == 200
    assert b">Save<" not in page.content
    assert login("receptionist").get(reverse(name)).status_code == 403
    assert Client().get(reverse(name)).headers["Location"].startswith("/login")


@pytest.mark.parametrize("name", VIEWED_BY_MANAGERS)
def test_a_managers_post_is_refused(chain, login, name):
    before = selectors.get_config().updated_at
    assert login("regional").post(reverse(name), {"send_window_start": "10:00"}).status_code == 403
    assert selectors.get_config().updated_at == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", OWNERS_ONLY)
def test_some_pages_are_for_owners_only(chain, login, name):
    assert login("owner").get(reverse(name)).status_code == 200
    assert login("regional").get(reverse(name)).status_code == 403


def test_owner_decides_on_links(chain, login):
    form = {"track_email_links": "on", "link_days": 90, "website": "kesar.example"}
    assert login("owner").post(reverse("settings-links"), form).status_code == 302
    config = selectors.get_config()
    assert (config.track_email_links, config.track_whatsapp_links) == (True, False)
    assert (config.link_days, config.website) == (90, "https://kesar.example")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("link_days", "0"),
        ("link_days", "-1"),
        ("link_days", "2.5"),
        ("link_days", "a month"),
        ("link_days", "32768"),
        ("link_days", "9" * 5000),
        ("website", "not a place"),
        ("website", "javascript:alert(1)"),
        ("website", "ftp://kesar.example"),
        ("website", "https://[kesar"),
        ("website", "https://kesar.example/\0"),
        ("website", "https://user:secret@kesar.example"),
        ("website", f"https://kesar.example/{'a' * 240}"),
    ],
)
def test_wrong_input_on_links_is_answered_at_its_field(chain, login, name, wrong):
    """Of these two; the rest are switches, which browsers send or leave out."""
    form = {"track_email_links": "on", "link_days": "90", "website": "https://kesar.example"}
    client = login("owner")
    client.post(reverse("settings-links"), form)
    stored = selectors.get_config().updated_at
    answer = client.post(reverse("settings-links"), form | {"link_days": "30", name: wrong})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [name]
    assert f'id="id_{name}_error"' in answer.content.decode()
    config = selectors.get_config()
    assert (config.link_days, config.updated_at) == (90, stored)


HOURS = {
    "daily_message_limit_per_customer": 1,
    "weekly_message_limit_per_customer": 3,
    "stale_schedule_minutes": 60,
    "unknown_decision_hours": 24,
    "message_retention_months": 24,
}


def test_owner_saves_hours(chain, login):
    form = HOURS | {"send_window_start": "10:30", "send_window_end": "20:00"}
    answer = login("owner").post(reverse("settings-hours"), form)
    assert answer.status_code == 302
    config = selectors.get_config()
    assert config.send_window_start == dt.time(10, 30)
    assert config.weekly_message_limit_per_customer == 3


def test_a_refusal_stands_at_its_field_and_nothing_changes(chain, login):
    form = HOURS | {"send_window_start": "21:00", "send_window_end": "06:00"}
    answer = login("owner").post(reverse("settings-hours"), form)
    assert answer.status_code == 422
    assert "between 10:00 and 21:00" in answer.context["form"].errors["send_window_end"][0]
    assert selectors.get_config().send_window_start == dt.time(9)


def test_owner_switches_channels_and_assumed_consent(chain, login):
    form = {"marketing_enabled": "on", "whatsapp_enabled": "on", "assumed_consent": ["whatsapp"]}
    login("owner").post(reverse("settings"), form)
    config = selectors.get_config()
    assert (config.whatsapp_enabled, config.sms_enabled) == (True, False)
    assert config.assumed_consent == {"whatsapp": True, "sms": False, "email": False}


def test_owner_sets_a_branchs_limit_in_the_table(chain, login):
    pk = chain.north.pk
    form = {f"{pk}-monthly_budget_limit": "900", f"{pk}-marketing_enabled": "on"}
    assert login("owner").post(reverse("branch-budget", args=[pk]), form).status_code == 302
    assert selectors.branch_config(pk).monthly_budget_limit == 900
    refused = login("owner").post(
        reverse("branch-budget", args=[pk]), {f"{pk}-monthly_budget_limit": "-5"}
    )
    assert refused.status_code == 422
    assert selectors.branch_config(pk).monthly_budget_limit == 900


def test_managers_see_the_budget_of_their_branches_only(chain, login):
    page = login("manager").get(reverse("settings-budget"))
    assert [row["spend"].branch for row in page.context["rows"]] == [chain.north]


def test_budget_page_takes_as_many_queries_for_many_branches(
    chain, login, django_assert_max_num_queries
):
    for branch in (chain.north, chain.south, chain.west):
        services.update_branch_config(
            actor=chain.actor(chain.owner),
            branch=branch,
            values={"monthly_budget_limit": Decimal(10)},
        )
    client = login("owner")
    client.get(reverse("settings-budget"))
    with django_assert_max_num_queries(16):
        client.get(reverse("settings-budget"))


@pytest.mark.parametrize("name", ["account-list", "staff-list", "key-list", "audit-list"])
def test_lists_take_as_many_queries_for_many_rows(
    chain, login, django_assert_max_num_queries, name
):
    for number in range(6):
        make_account("meta", name=f"Number {number}")
        make_staff(Role.RECEPTIONIST, chain.north, chain.south, name=f"Person {number}")
        issue_key(actor=chain.actor(chain.owner), name=f"Key {number}", scopes=["read"])
    client = login("owner")
    with django_assert_max_num_queries(12):
        assert client.get(reverse(name)).status_code == 200


def test_owner_opens_an_account_and_reads_its_callback_address(chain, login):
    client = login("owner")
    form = {
        "name": "Our number",
        "base_url": "https://graph.facebook.com",
        "rate_per_second": 20,
        "max_concurrency": 10,
        "sender.phone_number_id": "106540352242922",
        "sender.waba_id": "102290129340398",
        "credentials.access_token": "EAAG-secret-token",
        "credentials.app_secret": "hush-hush-secret",
    }
    answer = client.post(reverse("account-new", args=["meta"]), form, follow=True)
    account = ProviderAccount.objects.get()
    assert account.credentials["access_token"] == "EAAG-secret-token"
    assert selectors.webhook_url(account) in answer.content.decode()
    assert b"EAAG-secret-token" not in answer.content
    kept = form | {"credentials.access_token": "", "credentials.app_secret": ""}
    client.post(
        reverse("account-edit", args=[account.pk]), kept | {"name": "Renamed", "is_active": "on"}
    )
    account.refresh_from_db()
    assert (account.name, account.credentials["access_token"]) == ("Renamed", "EAAG-secret-token")


def test_a_mail_servers_account_asks_for_no_address_of_an_api(chain, login):
    client = login("owner")
    page = client.get(reverse("account-new", args=["smtp"]))
    assert "base_url" not in page.context["form"].fields
    form = {
        "name": "Our relay",
        "rate_per_second": 20,
        "max_concurrency": 5,
        "sender.host": "smtp.example.com",
        "sender.security": "",
        "sender.from_email": "hello@example.com",
        "credentials.username": "glow",
        "credentials.password": "hush-hush-secret",
    }
    page = client.post(reverse("account-new", args=["smtp"]), form, follow=True)
    account = ProviderAccount.objects.get()
    assert (account.base_url, account.sender["host"]) == ("", "smtp.example.com")
    # It never calls back.
    assert selectors.webhook_url(account) not in page.content.decode()
    assert [str(message) for message in page.context["messages"]] == ["The account is open."]
    refused = client.post(
        reverse("account-edit", args=[account.pk]), form | {"sender.host": "10.0.0.25"}
    )
    assert "sender.host" in refused.context["form"].errors


def test_an_account_without_what_the_vendor_needs_is_refused(chain, login):
    form = {
        "name": "Our number",
        "base_url": "https://10.0.0.7",
        "rate_per_second": 20,
        "max_concurrency": 10,
        "sender.phone_number_id": "106540352242922",
        "sender.waba_id": "1",
        "credentials.access_token": "x",
        "credentials.app_secret": "y",
    }
    client = login("owner")
    answer = client.post(reverse("account-new", args=["meta"]), form)
    assert answer.status_code == 422
    assert "base_url" in answer.context["form"].errors
    del form["credentials.app_secret"]
    answer = client.post(reverse("account-new", args=["meta"]), form)
    assert "credentials.app_secret" in answer.context["form"].errors
    assert client.get(reverse("account-new", args=["pigeon"])).status_code == 404
    assert not ProviderAccount.objects.exists()


def test_owner_closes_a_circuit_and_changes_the_default(chain, login):
    account, second = make_account("meta"), make_account("meta", name="Second")
    services.open_circuit(actor=chain.actor(chain.owner), account=account, reason="Token expired")
    client = login("owner")
    assert b"Token expired" in client.get(reverse("account-list")).content
    assert (
        login("manager").post(reverse("account-close-circuit", args=[account.pk])).status_code
        == 403
    )
    client.post(reverse("account-close-circuit", args=[account.pk]))
    account.refresh_from_db()
    assert account.circuit_reason == ""
    client.post(reverse("account-default", args=[second.pk]))
    assert selectors.default_account("whatsapp") == second


def test_another_chains_things_are_not_found(chain, other_chain, login):
    with tenant_scope(other_chain.tenant.pk):
        account = make_account("meta")
        api_key, _ = issue_key(
            actor=other_chain.actor(other_chain.owner), name="Theirs", scopes=["read"]
        )
    client = login("owner")
    assert client.get(reverse("account-edit", args=[account.pk])).status_code == 404
    assert client.get(reverse("staff-edit", args=[other_chain.manager.pk])).status_code == 404
    assert client.post(reverse("key-revoke", args=[api_key.pk])).status_code == 404
    assert ApiKey.objects.get(pk=api_key.pk).revoked_at is None


def test_owner_makes_a_person_who_can_log_in(chain, login):
    form = {
        "name": "Asha Rao",
        "role": "Branch_Manager",
        "branch_ids": [str(chain.south.pk)],
        "username": "asha",
        "password": "a long enough phrase",
        "email": "asha@example.com",
    }
    client = login("owner")
    assert client.post(reverse("staff-new"), form).status_code == 302
    asha = Staff.objects.get(name="Asha Rao")
    assert list(asha.branches.all()) == [chain.south]
    browser = Client()
    assert browser.login(username="asha", password="a long enough phrase")
    assert browser.get(reverse("settings-budget")).status_code == 200
    edit = {**form, "name": "Asha R", "password": "", "branch_ids": [str(chain.north.pk)]}
    assert client.post(reverse("staff-edit", args=[asha.pk]), edit).status_code == 302
    asha.refresh_from_db()
    assert (asha.is_active, list(asha.branches.all())) == (False, [chain.north])
    assert browser.get(reverse("settings")).status_code == 302


def test_a_person_without_branch_or_with_a_taken_name_is_refused(chain, login):
    form = {
        "name": "Asha",
        "role": "Receptionist",
        "username": chain.manager.user.username,
        "password": "12345678",
    }
    count = Staff.objects.count()
    for mended, field in (
        ({}, "password"),
        ({"password": "a long enough phrase"}, "username"),
        ({"password": "a long enough phrase", "username": "free"}, "branch_ids"),
    ):
        answer = login("owner").post(reverse("staff-new"), form | mended)
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
    assert Staff.objects.count() == count


def test_a_key_is_shown_once_and_ends_when_revoked(chain, login):
    client = login("owner")
    form = {"name": "Billing", "scopes": ["read"], "terminal": "Till 2"}
    answer = client.post(reverse("key-list"), form)
    api_key, text = answer.context["issued"]
    assert api_key.terminal == "Till 2"
    assert text in answer.content.decode()
    assert text not in client.get(reverse("key-list")).content.decode()
    header = {"Authorization": f"Api-Key {text}"}
    assert Client().get(reverse("api-config"), headers=header).status_code == 200
    listed = client.get(reverse("key-list"))
    assert listed.context["rows"][0]["key"].last_used_at
    assert "Till 2" in listed.content.decode()
    client.post(reverse("key-revoke", args=[api_key.pk]))
    assert Client().get(reverse("api-config"), headers=header).status_code == 401


def test_a_key_that_is_asked_for_twice_is_one(chain, login):
    client = login("owner")
    form = {"name": "Billing", "scopes": ["read"]}
    client.post(reverse("key-list"), form)
    again = client.post(reverse("key-list"), form)
    assert again.status_code == 422
    assert "cannot be shown again" in again.text
    assert ApiKey.objects.count() == 1
    wanted = form | {"again": again.context["form"]["again"].value()}
    assert client.post(reverse("key-list"), wanted).context["issued"]
    assert ApiKey.objects.count() == 2
    long = client.post(reverse("key-list"), form | {"name": "x" * 300})
    assert "At most 100 characters, please; these are 300." in long.text


def test_a_replaced_key_works_for_a_day_more(chain, login, time_machine):
    _, old = issue_key(
        actor=chain.actor(chain.owner), name="Billing", scopes=["read"], terminal="Till 2"
    )
    client = login("owner")
    answer = client.post(reverse("key-rotate", args=[ApiKey.objects.get().pk]))
    new = answer.context["issued"][1]

    def status(text):
        header = {"Authorization": f"Api-Key {text}"}
        return Client().get(reverse("api-config"), headers=header).status_code

    assert (status(old), status(new)) == (200, 200)
    assert [key.terminal for key in ApiKey.objects.all()] == ["Till 2"] * 2
    time_machine.move_to(dt.datetime.now(dt.UTC) + dt.timedelta(hours=25))
    assert (status(old), status(new)) == (401, 200)


def test_a_key_without_a_purpose_is_refused(chain, login):
    answer = login("owner").post(reverse("key-list"), {"name": "Billing"})
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_the_audit_log_is_paged_and_searched(chain, login, monkeypatch):
    monkeypatch.setattr("marketing.policy.views.audit.PAGE_SIZE", 2)
    owner = chain.actor(chain.owner)
    for limit in (1, 2, 3):
        services.update_branch_config(
            actor=owner, branch=chain.north, values={"monthly_budget_limit": Decimal(limit)}
        )
    make_account("meta")
    client = login("owner")
    url = reverse("audit-list")
    first = client.get(url, {"q": "branch_config"})
    assert [line.changes for line in first.context["lines"]] == [
        ["Limit a month: 2.00 → 3"],
        ["Limit a month: 1.00 → 2"],
    ]
    second = client.get(url, {"q": "branch_config", "before": first.context["before"]})
    assert [line.changes for line in second.context["lines"]] == [["Limit a month: – → 1"]]
    assert second.context["before"] is None
    assert client.get(url, {"before": "rubbish"}).status_code == 200
