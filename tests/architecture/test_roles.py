"""Who may use each page: asked for, as each role, by the methods that it takes."""

import pytest
from django.contrib import admin
from django.urls import reverse

from marketing.core.actor import PERMISSIONS
from tests.architecture.test_permissions import PAGES, ROLES, named

# R receptionist, B branch manager, G regional manager, O super owner; reviewed one by one.
PAGE_ROLES = {
    "RBGO": """
        /
        campaigns
        campaigns/<uuid:pk>
        campaigns/<uuid:pk>/engagement
        campaigns/<uuid:pk>/live
        campaigns/<uuid:pk>/people/<uuid:customer_pk>
        campaigns/<uuid:pk>/runs/<int:number>/recipients
        campaigns/calendar
        campaigns/festivals
        counter
        counter/<uuid:pk>
        counter/<uuid:pk>/pay
        counter/<uuid:pk>/print
        counter/<uuid:pk>/refund
        counter/<uuid:pk>/release
        counter/<uuid:pk>/renew
        counter/<uuid:pk>/void
        counter/bills
        counter/customer
        counter/people
        counter/reserve
        customers
        customers/<uuid:pk>
        customers/<uuid:pk>/consent/proof
        customers/<uuid:pk>/edit
        customers/<uuid:pk>/notes
        customers/<uuid:pk>/notes/<uuid:note>
        customers/<uuid:pk>/notes/<uuid:note>/delete
        customers/<uuid:pk>/timeline
        customers/<uuid:customer>/points
        customers/export
        customers/new
        followups
        followups/<uuid:pk>/complete
        followups/<uuid:pk>/delete
        followups/<uuid:pk>/dismiss
        followups/<uuid:pk>/edit
        followups/<uuid:pk>/reopen
        followups/<uuid:pk>/snooze
        followups/inactive
        followups/new/<uuid:customer>
        me
        notifications
        notifications/<uuid:pk>
        notifications/read
        offers
        offers/<uuid:pk>
        offers/<uuid:pk>/redemptions
        offers/stacking
        offers/<uuid:pk>/codes/<uuid:code>/card.<slug:kind>
        offers/<uuid:pk>/codes/<uuid:code>/card.pdf
        customers/<uuid:customer>/referral-code
        referrals
        referrals/<uuid:pk>
        referrals/leaderboard
        segments
        segments/<uuid:pk>
    """,
    "BGO": """
        campaigns/<uuid:pk>/cancel
        campaigns/<uuid:pk>/comment
        campaigns/<uuid:pk>/copy
        campaigns/<uuid:pk>/dates
        campaigns/<uuid:pk>/delete
        campaigns/<uuid:pk>/edit/<slug:step>
        campaigns/<uuid:pk>/estimate
        campaigns/<uuid:pk>/pause
        campaigns/<uuid:pk>/preview
        campaigns/<uuid:pk>/resume
        campaigns/<uuid:pk>/retry
        campaigns/<uuid:pk>/schedule
        campaigns/<uuid:pk>/send
        campaigns/<uuid:pk>/submit
        campaigns/<uuid:pk>/test
        campaigns/new
        customers/<uuid:pk>/consent
        customers/<uuid:pk>/export
        customers/<uuid:pk>/merge
        customers/<uuid:pk>/merge/<uuid:other>
        customers/<uuid:customer>/points/adjust
        customers/duplicates
        customers/duplicates/<uuid:pk>/dismiss
        customers/imports
        customers/imports/<uuid:pk>
        customers/imports/<uuid:pk>/cancel
        customers/imports/<uuid:pk>/columns
        customers/imports/<uuid:pk>/errors
        customers/imports/<uuid:pk>/live
        customers/imports/<uuid:pk>/start
        customers/imports/new
        customers/merges/<uuid:pk>/undo
        failures
        referrals/<uuid:pk>/approve
        referrals/<uuid:pk>/reject
        referrals/review
        failures/<uuid:pk>/decide
        failures/<uuid:pk>/discard
        offers/<uuid:pk>/codes
        offers/<uuid:pk>/batches/<uuid:batch>/download
        offers/<uuid:pk>/batches/<uuid:batch>/revoke
        offers/<uuid:pk>/cost
        offers/<uuid:pk>/edit
        offers/<uuid:pk>/switch
        offers/cost
        offers/new
        offers/sample
        offers/<uuid:pk>/batches/<uuid:batch>/cards.pdf
        points
        points/expiring
        segments/<uuid:pk>/copy
        segments/<uuid:pk>/delete
        segments/<uuid:pk>/edit
        segments/<uuid:pk>/export
        segments/<uuid:pk>/refresh
        segments/new
        segments/new/list
        segments/preview
        segments/preview/overlap
        segments/preview/panels
        settings
        settings/accounts
        settings/approval
        settings/budget
        settings/counter
        settings/hours
        settings/links
        settings/scores
        settings/webhooks
        settings/webhooks/<uuid:pk>
        spend
        spend/export
        templates
        templates/<uuid:pk>
        templates/<uuid:pk>/copy
        templates/<uuid:pk>/deactivate
        templates/<uuid:pk>/edit
        templates/<uuid:pk>/links
        templates/<uuid:pk>/links/check
        templates/<uuid:pk>/mail
        templates/<uuid:pk>/submit
        templates/new
        templates/preview
        templates/ready
    """,
    "GO": """
        approvals
        approvals/decided
        campaigns/<uuid:pk>/approve
        campaigns/<uuid:pk>/ask-for-changes
        campaigns/<uuid:pk>/decision
        campaigns/<uuid:pk>/reject
        me/away
        me/away/<uuid:pk>/end
        operations
        received
        received/<uuid:pk>
    """,
    "O": """
        campaigns/festivals/<slug:known>
        campaigns/festivals/<uuid:pk>/remove
        customers/<uuid:pk>/erase
        operations/accounts/<uuid:pk>/try-again
        received/<uuid:pk>/replay
        received/replay
        points/settings
        points/settings/rates
        points/tiers/<uuid:pk>
        points/tiers/<uuid:pk>/delete
        points/tiers/new
        referrals/settings
        settings/accounts/<uuid:pk>
        settings/accounts/<uuid:pk>/close-circuit
        settings/accounts/<uuid:pk>/default
        settings/accounts/<uuid:pk>/test
        settings/accounts/new/<slug:provider>
        settings/audit
        settings/budget/<uuid:pk>
        settings/keys
        settings/keys/<uuid:pk>/revoke
        settings/keys/<uuid:pk>/rotate
        settings/prices
        settings/staff
        settings/staff/<uuid:pk>
        settings/staff/new
        settings/webhooks/<uuid:pk>/replay
        settings/webhooks/accounts/<uuid:pk>/replay
        settings/webhooks/keywords
    """,
}
STAFF = {"R": "receptionist", "B": "manager", "G": "regional", "O": "owner"}
ALLOWED = {
    "" if route == "/" else route: letters
    for letters, routes in PAGE_ROLES.items()
    for route in routes.split()
}


def test_every_page_stands_in_the_table_once():
    listed = [route for routes in PAGE_ROLES.values() for route in routes.split()]
    assert sorted(listed) == sorted(page.route or "/" for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_its_permission_is_that_of_the_table(page):
    assert PERMISSIONS[page.view.permission] == {ROLES[letter] for letter in ALLOWED[page.route]}


@pytest.mark.usefixtures("bare_refusals")
@pytest.mark.parametrize("letter", "RBG")
def test_whoever_may_not_is_refused_by_every_method(login, letter):
    """The guard stands before everything else: before the method, the object and the form."""
    client = login(STAFF[letter])
    refused = [page for page in PAGES if letter not in ALLOWED[page.route]]
    answers = {
        (page.route, method): getattr(client, method)(page.url).status_code
        for page in refused
        for method in ("get", "post")
    }
    assert refused
    assert {asked for asked, status in answers.items() if status not in (403, 405)} == set()
    assert {route for (route, _), status in answers.items() if status == 403} == {
        page.route for page in refused
    }


@pytest.mark.usefixtures("bare_refusals")
@pytest.mark.parametrize("letter", "RBGO")
def test_whoever_may_is_let_in(login, letter):
    """Where an object is wanted that is not there, she hears so, which is no refusal."""
    client = login(STAFF[letter])
    for page in PAGES:
        if letter in ALLOWED[page.route]:
            assert client.get(page.url).status_code in (200, 302, 404, 405), page.route


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional", "owner"])
def test_the_admin_is_for_owners_alone(login, staff):
    request = login(staff).get(reverse("own-page")).wsgi_request
    for model, page in admin.site._registry.items():
        allowed = {
            act
            for act in ("module", "view", "add", "change", "delete")
            if getattr(page, f"has_{act}_permission")(request)
        }
        assert staff == "owner" or not allowed, model
