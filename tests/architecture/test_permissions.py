"""Every address says who may use it: walked from the URLs, so that none is forgotten."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from marketing.core.actor import PERMISSIONS
from marketing.core.drf.authentication import HasPermission
from marketing.core.drf.views import ApiView
from marketing.core.models import Role

# Reviewed one by one: what strangers may reach, and why.
PUBLIC = {
    "healthz": "probes carry no login",
    "readyz": "probes carry no login",
    "login": "the way in",
    "logout": "ends whatever session there is",
    "password/change": "Django asks for the login itself",
    "password/changed": "Django asks for the login itself",
    "password/reset": "for who forgot the password",
    "password/sent": "for who forgot the password",
    "password/reset/<uidb64>/<token>": "the mailed token is the proof",
    "password/done": "for who forgot the password",
    "i18n/setlang/": "a cookie of the browser",
    "theme": "a cookie of the browser",
    "p/<path:token>": "the signed link, good for a week, is the proof",
    "u/<path:token>": "the signed link in a message is the proof",
    "r/<path:code>": "the signed link in a message is the proof",
    "o/<str:code>.gif": "the signed picture in an e-mail is the proof",
    "b/<path:token>": "the signed link, good for a month, is the proof",
    "f/<slug:chain>/<str:code>": "a shared link is for everybody",
    "f/<slug:chain>/<str:code>/qr.svg": "says what its address says",
    "metrics": "a token, or the machine itself",
    "api/schema": "the contract is public",
    "api/docs": "the contract is public",
    "api/v1/webhooks/<slug:provider>/<str:token>": "vendors prove themselves by signature",
    "api/v1/webhooks/<str:provider>/<str:token>": "vendors prove themselves by signature",
}
# Endpoints with a gate of their own before `HasPermission`, and why.
OWN_GATE = {"api/v1/marketing/opt-out": "a signed token speaks for itself"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# What each role may do over the API, as the HTTP contract's table says: R receptionist,
# B branch manager, G regional manager, O super owner.
ROLES = {
    "R": Role.RECEPTIONIST,
    "B": Role.BRANCH_MANAGER,
    "G": Role.REGIONAL_MANAGER,
    "O": Role.SUPER_OWNER,
}
CONTRACT = {
    ("GET", "marketing/config"): "BGO",
    ("PATCH", "marketing/config"): "O",
    ("GET", "marketing/config/branch/{}"): "BGO",
    ("PATCH", "marketing/config/branch/{}"): "O",
    ("GET", "customers/{}/consent"): "RBGO",
    ("PATCH", "customers/{}/consent"): "BGO",
    ("POST", "marketing/opt-out"): "RBGO",
    ("GET", "segments"): "RBGO",
    ("POST", "segments"): "BGO",
    ("GET", "segments/{}"): "RBGO",
    ("PATCH", "segments/{}"): "BGO",
    ("DELETE", "segments/{}"): "BGO",
    ("GET", "segments/{}/customers"): "BGO",
    ("POST", "segments/{}/refresh"): "BGO",
    ("GET", "segments/preview"): "BGO",
    ("POST", "segments/preview"): "BGO",
    ("GET", "templates"): "BGO",
    ("POST", "templates"): "BGO",
    ("GET", "templates/{}"): "BGO",
    ("PATCH", "templates/{}"): "BGO",
    ("DELETE", "templates/{}"): "BGO",
    ("POST", "templates/{}/preview"): "BGO",
    ("POST", "templates/whatsapp/submit"): "BGO",
    ("GET", "campaigns"): "RBGO",
    ("POST", "campaigns"): "BGO",
    ("GET", "campaigns/{}"): "RBGO",
    ("PATCH", "campaigns/{}"): "BGO",
    ("DELETE", "campaigns/{}"): "BGO",
    ("POST", "campaigns/{}/submit"): "BGO",
    ("POST", "campaigns/{}/approve"): "GO",
    ("POST", "campaigns/{}/reject"): "GO",
    ("POST", "campaigns/{}/schedule"): "BGO",
    ("POST", "campaigns/{}/send"): "BGO",
    ("POST", "campaigns/{}/pause"): "BGO",
    ("POST", "campaigns/{}/resume"): "BGO",
    ("POST", "campaigns/{}/cancel"): "BGO",
    ("POST", "campaigns/{}/test"): "BGO",
    ("GET", "campaigns/{}/recipients"): "RBGO",
    ("GET", "campaigns/{}/analytics"): "RBGO",
    ("GET", "customers"): "RBGO",
    ("POST", "customers"): "RBGO",
    ("GET", "customers/{}"): "RBGO",
    ("PATCH", "customers/{}"): "RBGO",
    ("GET", "customers/{}/timeline"): "RBGO",
    ("GET", "customers/{}/messages"): "RBGO",
    ("GET", "coupons"): "RBGO",
    ("POST", "coupons"): "BGO",
    ("GET", "coupons/{}"): "RBGO",
    ("PATCH", "coupons/{}"): "BGO",
    ("DELETE", "coupons/{}"): "BGO",
    ("GET", "coupons/{}/redemptions"): "RBGO",
    ("POST", "coupons/validate"): "RBGO",
    ("GET", "offers"): "RBGO",
    ("POST", "offers"): "BGO",
    ("GET", "offers/{}"): "RBGO",
    ("PATCH", "offers/{}"): "BGO",
    ("GET", "offers/{}/codes"): "BGO",
    ("POST", "offers/{}/codes"): "BGO",
    ("DELETE", "offers/{}/codes/{}"): "BGO",
    ("GET", "offers/{}/batches"): "RBGO",
    ("GET", "offers/{}/batches/{}"): "RBGO",
    ("DELETE", "offers/{}/batches/{}"): "BGO",
    ("GET", "counter/settings"): "BGO",
    ("PATCH", "counter/settings"): "O",
    ("GET", "loyalty/expiring"): "BGO",
    ("GET", "customers/{}/points"): "RBGO",
    ("GET", "customers/{}/points/entries"): "RBGO",
    ("POST", "billing/quote"): "RBGO",
    ("POST", "billing/reserve"): "RBGO",
    ("POST", "billing/reservations/{}/redeem"): "RBGO",
    ("POST", "billing/reservations/{}/release"): "RBGO",
    ("POST", "billing/reservations/{}/renew"): "RBGO",
    ("POST", "billing/invoices"): "RBGO",
    ("POST", "billing/invoices/{}/refund"): "RBGO",
    ("POST", "billing/invoices/{}/void"): "RBGO",
    ("POST", "events"): "O",
    ("GET", "customers/{}/referral-code"): "RBGO",
    ("GET", "referrals"): "RBGO",
    ("GET", "referrals/config"): "RBGO",
    ("PATCH", "referrals/config"): "O",
    ("POST", "referrals/apply"): "RBGO",
    ("GET", "referrals/leaderboard"): "RBGO",
    ("PUT", "services"): "O",
    ("PUT", "service-categories"): "O",
    ("GET", "staff/followups"): "RBGO",
    ("POST", "staff/followups"): "RBGO",
    ("PATCH", "staff/followups/{}"): "RBGO",
    ("DELETE", "staff/followups/{}"): "RBGO",
    ("GET", "staff/inactive-customers"): "RBGO",
}
SAMPLES = {
    "uuid": str(uuid.UUID(int=7)),
    "int": "7",
    "slug": "meta",
    "str": "meta",
    "path": "x",
}
PLACEHOLDER = re.compile(r"<(?:(\w+):)?\w+>")


@dataclass(frozen=True)
class Address:
    route: str
    view: Any

    @property
    def url(self) -> str:
        """The route with a value in each placeholder."""
        return "/" + PLACEHOLDER.sub(lambda m: SAMPLES[m.group(1) or "str"], self.route)

    @property
    def api_view(self) -> type[ApiView] | None:
        view = getattr(self.view, "cls", None)
        return view if view is not None and issubclass(view, ApiView) else None

    @property
    def methods(self) -> list[str]:
        view = self.api_view
        return [name for name in METHODS if hasattr(view, name.lower())]


def addresses(patterns: list[Any], prefix: str = "") -> Iterator[Address]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield Address(route, pattern.callback)


def known() -> list[Address]:
    """Every address but the admin's, which has one gate of its own (see tests/core/test_admin)."""
    found = addresses(get_resolver().url_patterns)
    return [address for address in found if not address.route.startswith("admin/")]


PAGES = [a for a in known() if not a.route.startswith("api/") and a.route not in PUBLIC]
API = [a for a in known() if a.route.startswith("api/") and a.route not in PUBLIC]


def named(address: Address) -> str:
    return address.route or "home"


@pytest.mark.parametrize("address", PAGES, ids=named)
def test_every_page_names_a_known_permission(address):
    assert getattr(address.view, "permission", None) in PERMISSIONS


@pytest.mark.parametrize("address", PAGES, ids=named)
def test_strangers_are_sent_to_log_in(db, address):
    answers = [getattr(Client(), method)(address.url) for method in ("get", "post")]
    offered = [answer for answer in answers if answer.status_code != 405]
    assert offered
    for answer in offered:
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("address", API, ids=named)
def test_every_method_of_the_api_names_a_known_permission(address):
    view = address.api_view
    assert view is not None, "derive it from ApiView"
    assert set(address.methods) == set(view.permissions)
    assert set(view.permissions.values()) <= set(PERMISSIONS)
    assert HasPermission in view.permission_classes or address.route in OWN_GATE


@pytest.mark.parametrize("address", API, ids=named)
def test_strangers_are_refused_by_the_api(db, address):
    for method in address.methods:
        answer = getattr(Client(), method.lower())(address.url, content_type="application/json")
        assert answer.status_code == 401, method
        assert answer.json()["error"]["code"] == "MARKETING_401"


def endpoint(address: Address) -> str:
    return PLACEHOLDER.sub("{}", address.route.removeprefix("api/v1/"))


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [(*key, roles) for key, roles in CONTRACT.items()],
    ids=[" ".join(key) for key in CONTRACT],
)
def test_roles_are_those_of_the_contract(method, path, roles):
    views = {endpoint(address): address.api_view for address in API}
    assert path in views
    permission = views[path].permissions[method]
    assert PERMISSIONS[permission] == {ROLES[letter] for letter in roles}


def test_the_contract_names_every_method_of_every_endpoint():
    served = {(method, endpoint(address)) for address in API for method in address.methods}
    assert set(CONTRACT) == served


def test_the_public_list_holds_nothing_that_is_gone():
    routes = {address.route for address in known()}
    webhooks = {route for route in PUBLIC if "webhooks" in route}
    assert set(PUBLIC) - webhooks <= routes
