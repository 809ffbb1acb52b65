"""Whose things an address shows: another branch's and another chain's are not there.

Each address that names a thing is asked for one's own, which is there, and for others', which is
not: so a view that finds its object without asking for whom fails here.
"""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from billing_bridge.models import RawRow
from billing_bridge.services import record_raw
from customers.models import CustomerMerge, CustomerNote, DuplicatePair, ImportJob
from marketing.campaigns.models import CampaignRun
from marketing.core import api_keys, clock
from marketing.core.actor import PERMISSIONS, Actor
from marketing.core.models import Branch, Delegation, Role, Staff, StaffNotification
from marketing.core.tenancy import current_tenant_id, tenant_scope
from marketing.coupons.models import CouponCode
from marketing.coupons.services import make_codes
from marketing.delivery.models import WebhookEvent
from marketing.loyalty.models import Tier
from marketing.policy.models import ProviderAccount
from tests.architecture.test_permissions import API, PAGES, PLACEHOLDER, Address
from tests.factories.campaigns import FestivalFactory, approved, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.core import make_staff
from tests.factories.coupons import make_offer, reserve, system
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import make_run
from tests.factories.followups import FollowupFactory
from tests.factories.referrals import bring
from tests.factories.segments import SegmentFactory

# What would call a vendor, or is judged before the object: asked only for others' things.
NOT_TRIED = {
    "settings/accounts/<uuid:pk>/test": "calls the vendor",
    "templates/<uuid:pk>/links/check": "follows the links",
    "templates/<uuid:pk>/submit": "hands it to the vendor",
    "operations/accounts/<uuid:pk>/try-again": "calls the vendor",
}
# Things of a branch; all others are the whole chain's.
OF_A_BRANCH = {
    "campaigns/<uuid:pk>",
    "followups/<uuid:pk>",
    "failures/<uuid:pk>",
    "segments/<uuid:pk>",
    "customers/imports/<uuid:pk>",
    "received/<uuid:pk>",
    "customers/duplicates/<uuid:pk>",
    "me/away/<uuid:pk>",
    "notifications/<uuid:pk>",
    "staff/followups/<uuid:pk>",
    "referrals/<uuid:pk>",
    "marketing/config/branch/<uuid:pk>",
    "campaigns/<uuid:pk>/people/<uuid:customer_pk>",
    "billing/reservations/<uuid:pk>",
    "counter/<uuid:pk>",
}


def things(branch: Branch, author: Staff, approver: Staff, reader: Staff) -> dict[str, Any]:
    """One of everything that an address may name, by how the address begins.

    All of `branch`, or of the chain; the notification and the delegation are `reader`'s.
    """
    customer, other = CustomerFactory.create_batch(2, home_branch=branch)
    make_ground(branch, people=1)
    campaign = approved(author, approver, branch_ids=[branch.pk])
    run = make_run(branch_ids=[branch.pk])
    CampaignRun.objects.create(campaign=campaign, number=1, send_run=run, due_at=clock.now())
    account = ProviderAccount.objects.get(channel="sms")
    note = CustomerNote.objects.create(customer=customer, text="Prefers mornings", author=author)
    first, second = sorted((customer, other), key=lambda one: one.pk)
    pair = DuplicatePair.objects.create(first=first, second=second, reasons=["phone"], score=1)
    gone = CustomerFactory(home_branch=branch)
    merge = CustomerMerge.objects.create(
        survivor=customer, merged=gone, record={"kept": True}, merged_at=clock.now()
    )
    now = clock.now()
    away = Delegation.objects.create(
        delegator=reader, delegate=author, begins_at=now, ends_at=now + dt.timedelta(days=1)
    )
    news = StaffNotification.objects.create(
        staff=reader,
        kind="campaign.approved",
        key=str(campaign.pk),
        target_id=campaign.pk,
        facts={"by": author.name, "campaign": campaign.name},
    )
    job = ImportJob.objects.create(
        started_by=author, branch_ids=[branch.pk], file_name="a.csv", file_bytes=1, format="csv",
        headers=["Name"], samples=[["Asha"]], mapping=[""],
    )  # fmt: skip
    event = WebhookEvent.objects.create(
        account_id=account.pk, provider=account.provider, body=b"{}"
    )
    row = RawRow.objects.get(
        pk=record_raw(
            actor=Actor.for_staff(author),
            operation="invoice",
            body=b"{}",
            state="failed",
            branch_id=branch.pk,
        )
    )
    offer = make_offer(code="OPEN", branchIds=[str(branch.pk)])
    batch = make_codes(actor=system(), offer=offer, count=1)
    code = CouponCode.objects.get(offer=offer)
    key, _secret = api_keys.issue_api_key(
        tenant_id=current_tenant_id(), name="CRM", scopes=["read"], branch_ids=None
    )
    return {
        "campaigns/festivals/<uuid:pk>": FestivalFactory(),
        "campaigns/<uuid:pk>": campaign,
        "coupons/<uuid:pk>": offer,
        "offers/<uuid:pk>": offer,
        "offers/<uuid:pk>/codes/<uuid:code>": (offer, code),
        "offers/<uuid:pk>/batches/<uuid:batch>": (offer, batch),
        "points/tiers/<uuid:pk>": Tier.objects.create(name="Gold", level=1, threshold=0),
        "customers/<uuid:customer>": customer,
        "followups/new/<uuid:customer>": customer,
        "followups/<uuid:pk>": FollowupFactory(staff=author, customer=customer, branch=branch),
        "staff/followups/<uuid:pk>": FollowupFactory(
            staff=author, customer=customer, branch=branch, in_days=3
        ),
        "failures/<uuid:pk>": run,
        "segments/<uuid:pk>": SegmentFactory(branch_ids=[branch.pk]),
        "templates/<uuid:pk>": TemplateFactory(email=True),
        "operations/accounts/<uuid:pk>": account,
        "settings/accounts/<uuid:pk>": account,
        "settings/webhooks/accounts/<uuid:pk>": account,
        "settings/webhooks/<uuid:pk>": event,
        "received/<uuid:pk>": row,
        "settings/budget/<uuid:pk>": branch,
        "marketing/config/branch/<uuid:pk>": branch,
        "settings/staff/<uuid:pk>": author,
        "settings/keys/<uuid:pk>": key,
        "customers/imports/<uuid:pk>": job,
        "customers/duplicates/<uuid:pk>": pair,
        "customers/merges/<uuid:pk>": merge,
        "customers/<uuid:pk>/notes/<uuid:note>": (customer, note),
        "customers/<uuid:pk>/merge/<uuid:other>": (customer, other),
        "campaigns/<uuid:pk>/people/<uuid:customer_pk>": (campaign, customer),
        "customers/<uuid:pk>": customer,
        "referrals/<uuid:pk>": bring(customer, CustomerFactory(last_name="Das"), branch),
        "me/away/<uuid:pk>": away,
        "notifications/<uuid:pk>": news,
        "billing/reservations/<uuid:pk>": reserve(branch).reservation,
        "counter/<uuid:pk>": reserve(branch).reservation,
    }


NAMING = [address for address in (*PAGES, *API) if "<uuid:" in address.route]


def methods_of(address: Address) -> list[str]:
    return [name.lower() for name in address.methods] if address.api_view else ["get", "post"]


def who_may(address: Address, method: str) -> str:
    """The member of the staff who asks: the regional manager, or the owner where she may not."""
    view = address.api_view
    permission = view.permissions[method.upper()] if view else address.view.permission
    return "regional" if Role.REGIONAL_MANAGER in PERMISSIONS[permission] else "owner"


def beginning(address: Address, found: dict[str, Any]) -> str:
    """How `found` calls what the address names: by its longest beginning."""
    route = address.route.removeprefix("api/v1/")
    return max((known for known in found if route.startswith(known)), key=len)


def url_of(address: Address, found: dict[str, Any]) -> str:
    wanted = found[beginning(address, found)]
    keys = iter(wanted if isinstance(wanted, tuple) else (wanted,))
    samples = {"int": "1", "slug": "png" if "card." in address.route else "details"}
    return "/" + PLACEHOLDER.sub(
        lambda place: samples.get(place.group(1)) or str(next(keys).pk), address.route
    )


def asked(client: Client, method: str, url: str) -> int:
    """The status; what was done is undone, so that the next finds everything again."""
    body: dict[str, Any] = {}
    if url.startswith("/api/") and method != "get":
        body = {"data": {"reason": "No"}, "content_type": "application/json"}
    with transaction.atomic():
        status: int = getattr(client, method)(url, **body).status_code
        transaction.set_rollback(True)
    return status


@pytest.fixture
def asking(login, bare_refusals, monkeypatch):
    """`asking(address, method, things)` is the status for whoever of the chain may ask."""
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *args, **options: None)
    clients = {name: login(name) for name in ("regional", "owner")}

    def ask(address: Address, method: str, found: dict[str, Any]) -> int:
        return asked(clients[who_may(address, method)], method, url_of(address, found))

    return ask


def test_ones_own_is_there(chain, asking):
    own = things(chain.north, chain.manager, chain.regional, reader=chain.regional)
    for address in NAMING:
        if address.route not in NOT_TRIED:
            statuses = {method: asking(address, method, own) for method in methods_of(address)}
            assert set(statuses.values()) - {404, 405}, (address.route, statuses)


def test_another_branchs_is_not_there(chain, asking):
    manager = make_staff(Role.BRANCH_MANAGER, chain.west)
    elsewhere = things(chain.west, manager, chain.owner, reader=chain.owner)
    tried = set()
    for address in NAMING:
        for method in methods_of(address):
            is_theirs = who_may(address, method) == "regional"
            if is_theirs and beginning(address, elsewhere) in OF_A_BRANCH:
                status = asking(address, method, elsewhere)
                assert status in (404, 405), (address.route, method)
                tried.add(beginning(address, elsewhere))
    assert tried == OF_A_BRANCH


def test_another_chains_is_not_there(chain, other_chain, asking):
    with tenant_scope(other_chain.tenant.pk):
        foreign = things(
            other_chain.north, other_chain.manager, other_chain.regional, other_chain.regional
        )
    for address in NAMING:
        for method in methods_of(address):
            assert asking(address, method, foreign) in (404, 405), (address.route, method)
