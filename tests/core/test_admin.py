"""Django's admin: super owners see their chain's rows, and saving obeys the services."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from marketing.core.models import AuditEntry, Branch, Region
from tests.factories.core import PASSWORD

INDEX = "/admin/"


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def test_strangers_are_sent_to_the_login_page(db):
    answer = Client().get("/admin/core/branch/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login?next=/admin/core/branch/"


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional"])
def test_staff_are_refused(chain, staff):
    answer = browser(getattr(chain, staff).user).get(INDEX, follow=True)
    assert answer.status_code == 403


def test_logging_in_by_the_admin_leads_back_to_it(chain):
    client = Client()
    login = client.get(INDEX, follow=True).redirect_chain[-1][0]
    answer = client.post(
        login, {"username": chain.owner.user.username, "password": PASSWORD, "next": INDEX}
    )
    assert answer.headers["Location"] == INDEX


def test_owners_see_their_own_chain_only(chain, other_chain):
    client = browser(chain.owner.user)
    assert client.get(INDEX).status_code == 200
    branches = client.get("/admin/core/branch/")
    assert b"North" in branches.content
    assert branches.context["cl"].result_count == 3
    assert client.get("/admin/core/user/").context["cl"].result_count == 4
    assert client.get("/admin/core/tenant/").context["cl"].result_count == 1
    theirs = f"/admin/core/branch/{other_chain.north.pk}/change/"
    assert client.get(theirs).status_code == 302
    other_user = f"/admin/core/user/{other_chain.owner.user_id}/change/"
    assert client.get(other_user).status_code == 302


def test_what_is_not_a_chains_is_not_shown_to_owners(chain):
    client = browser(chain.owner.user)
    assert client.get("/admin/django_celery_beat/periodictask/").status_code == 403
    assert client.get("/admin/axes/accessattempt/").status_code == 403
    assert client.get("/admin/auth/group/").status_code == 403


def test_the_operator_sees_what_is_global_and_nothing_of_a_chain(chain):
    operator = get_user_model().objects.create_superuser("operator", password=PASSWORD)
    client = browser(operator)
    index = client.get(INDEX)
    assert b"You belong to no chain" in index.content
    assert client.get("/admin/django_celery_beat/periodictask/").status_code == 200
    for path in ("core/branch", "core/user", "core/tenant", "core/apikey"):
        assert client.get(f"/admin/{path}/").status_code == 403


# Whose row is a secret: the address that a vendor calls. What names rows of every chain.
NOT_SHOWN = {
    *("policy.webhookaddress", "core.loosekeycheck"),
    # Told by the transactions and balances beside them.
    *("loyalty.balancesnapshot", "loyalty.earnedline", "loyalty.lotuse", "loyalty.tierchange"),
}


def test_every_model_of_ours_has_its_page():
    ours = {
        model._meta.label_lower
        for model in apps.get_models()
        if model.__module__.startswith(("marketing.", "customers."))
    }
    shown = {model._meta.label_lower for model in admin.site._registry}
    inline = {"customers.purchaseline", "customers.purchaserefund"}
    assert ours - shown - inline == NOT_SHOWN


def test_every_page_of_the_admin_opens(chain):
    client = browser(chain.owner.user)
    opened = 0
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if not hasattr(page, "has_delete"):
            continue
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, model
        expected = 200 if page.has_add_permission(client.get(INDEX).wsgi_request) else 403
        assert client.get(reverse(f"{name}_add")).status_code == expected, model
        opened += 1
    assert opened > 10


def test_saving_is_audited(chain):
    region = Region.objects.get(branches=chain.north)
    client = browser(chain.owner.user)
    answer = client.post(f"/admin/core/region/{region.pk}/change/", {"name": "Konkan"})
    assert answer.status_code == 302
    region.refresh_from_db()
    assert region.name == "Konkan"
    assert AuditEntry.objects.get(action="region.update").changes == {"name": "Konkan"}


def test_the_services_refusal_is_shown_and_nothing_saved(chain):
    owner = chain.owner
    form = {"name": "Owner", "role": "Receptionist", "email": "", "is_active": "on"}
    client = browser(owner.user)
    answer = client.post(f"/admin/core/staff/{owner.pk}/change/", form, follow=True)
    assert b"Ask another super owner" in answer.content
    owner.refresh_from_db()
    assert owner.role == "Super_Owner"


def test_branches_are_not_deleted(chain):
    client = browser(chain.owner.user)
    assert client.post(f"/admin/core/branch/{chain.west.pk}/delete/").status_code == 403
    assert Branch.objects.filter(pk=chain.west.pk).exists()
