"""Pausing, resuming and cancelling a campaign of a million that is being sent.

How long after the service's call, and after the form's POST, the last request of the old kind
reaches the vendor: the last one for pause and cancel, the first one for resume. The whole
product runs. `call_s` is how long the caller waits.
"""

import http.client
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench import ground, product, vendor

RATE = 100
QUIET_SECONDS = 3.0
GIVE_UP_SECONDS = 120
BAR_SECONDS = 5.0
CSRF = "c" * 32

Act = Callable[[str], None]


@dataclass(frozen=True)
class Owner:
    """Somebody who may do it all: by the services, and by the pages with a session."""

    tenant_id: uuid.UUID
    staff_id: uuid.UUID
    session: str

    def call(self, campaign_id: uuid.UUID, verb: str) -> None:
        """The service of that name."""
        from marketing.campaigns import services
        from marketing.campaigns.models import Campaign
        from marketing.core.actor import Actor
        from marketing.core.models import Staff
        from marketing.core.tenancy import tenant_scope

        with tenant_scope(self.tenant_id):
            actor = Actor.for_staff(Staff.objects.get(pk=self.staff_id))
            campaign = Campaign.objects.get(pk=campaign_id)
            getattr(services, f"{verb}_campaign")(actor=actor, campaign=campaign)

    def post(self, port: int, campaign_id: uuid.UUID, verb: str) -> None:
        """The page's button. Raises when it is refused."""
        connection = http.client.HTTPConnection(product.HOST, port, timeout=GIVE_UP_SECONDS)
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "Content-Length": "0",
        }
        connection.request("POST", f"/campaigns/{campaign_id}/{verb}", headers=headers)
        status = connection.getresponse().status
        connection.close()
        if status != http.HTTPStatus.FOUND:
            raise RuntimeError(f"{verb} was answered with {status}")


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.policy.models import Provider

    people = n or 1_000_000
    tenant_id = ground.chain_of(people)
    ground.open_account(tenant_id, Provider.META, rate_per_second=RATE, max_concurrency=50)
    ground.forget_messages()
    owner = _owner(tenant_id)
    with vendor.standing() as asked, product.everything() as port:
        for by in ("the service", "the page"):
            campaign_id = _begin(owner)
            _wait_for(lambda: len(asked.arrivals) > 2 * RATE, "the campaign did not start")

            def act(verb: str, by: str = by, campaign_id: uuid.UUID = campaign_id) -> None:
                if by == "the page":
                    owner.post(port, campaign_id, verb)
                else:
                    owner.call(campaign_id, verb)

            for verb, look in (("pause", _last), ("resume", _first), ("cancel", _last)):
                time.sleep(1)
                seconds, call_seconds = look(asked, verb, act)
                yield {
                    "bench": "control",
                    "what": f"{verb} by {by}",
                    "n": people,
                    "rate": RATE,
                    "seconds": round(seconds, 2),
                    "call_s": round(call_seconds, 2),
                    "bar": {"seconds": BAR_SECONDS},
                    "reached": max(seconds, call_seconds) <= BAR_SECONDS,
                }
            asked.arrivals.clear()
    ground.forget_messages()


def _last(asked: vendor.Vendor, verb: str, act: Act) -> tuple[float, float]:
    """Seconds from the call to the last request after it, and to its return."""
    begun = time.monotonic()
    act(verb)
    returned = time.monotonic()
    _wait_for(
        lambda: time.monotonic() - max(asked.arrivals[-1].at, begun) > QUIET_SECONDS,
        f"requests go on after {verb}",
    )
    return max(asked.arrivals[-1].at - begun, 0.0), returned - begun


def _first(asked: vendor.Vendor, verb: str, act: Act) -> tuple[float, float]:
    """Seconds from the call to the next request, and to its return."""
    begun, before = time.monotonic(), len(asked.arrivals)
    act(verb)
    returned = time.monotonic()
    _wait_for(lambda: len(asked.arrivals) > before, f"no request comes after {verb}")
    return asked.arrivals[before].at - begun, returned - begun


def _owner(tenant_id: uuid.UUID) -> Owner:
    from django.test import Client

    from marketing.core.models import Role, Staff
    from marketing.core.tenancy import tenant_scope
    from tests.factories.core import make_staff
    from tests.factories.delivery import open_all_hours

    with tenant_scope(tenant_id):
        open_all_hours(campaign_approval_required=False)
        known = Staff.objects.filter(role=Role.SUPER_OWNER).select_related("user").first()
        staff = known or make_staff(Role.SUPER_OWNER)
    client = Client()
    client.force_login(staff.user)
    return Owner(tenant_id, staff.pk, client.cookies["sessionid"].value)


def _begin(owner: Owner) -> uuid.UUID:
    """A campaign to everybody, on its way."""
    from marketing.core.models import Staff
    from marketing.core.tenancy import tenant_scope
    from tests.factories.campaigns import make_campaign

    with tenant_scope(owner.tenant_id):
        staff = Staff.objects.get(pk=owner.staff_id)
        campaign_id = make_campaign(staff, target_all_customers=True).pk
    owner.call(campaign_id, "submit")
    owner.call(campaign_id, "send")
    return campaign_id


def _wait_for(is_so: Callable[[], bool], otherwise: str) -> None:
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            raise TimeoutError(otherwise)
        time.sleep(0.02)
