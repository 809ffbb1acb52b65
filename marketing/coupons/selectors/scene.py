"""What a bill is priced against besides offers: the branch, the customer, her segments."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from customers.models import Customer, Purchase
from customers.services.standing import followed
from marketing.core.errors import NotFound
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons import quote_effects
from marketing.coupons.pricing.compiled import Catalogue, CompiledOffer
from marketing.coupons.pricing.facts import Settings
from marketing.coupons.selectors.settings import SETTINGS, engine_settings

SCENE = """
SELECT branch.time_zone, mark.token, customer.id, customer.status,
       (SELECT count(*) FROM customers_purchase bill
        WHERE bill.customer_id = customer.id AND bill.status = %(finalised)s),
       {tier}, tenant.time_zone, {settings}
FROM core_branch branch
JOIN core_tenant tenant ON tenant.id = branch.tenant_id
LEFT JOIN coupons_cataloguemark mark ON mark.tenant_id = branch.tenant_id
LEFT JOIN coupons_countersettings settings ON settings.tenant_id = branch.tenant_id
LEFT JOIN customers_customer customer
    ON customer.id = %(customer)s AND customer.tenant_id = branch.tenant_id
WHERE branch.id = %(branch)s AND branch.tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`visits` counts her finalised bills; `token` says which offers are live now.

    `zone` is the branch's, `home_zone` the chain's; `settings` how the chain prices.
    """

    zone: str
    home_zone: str
    token: uuid.UUID | None
    customer_id: uuid.UUID | None
    visits: int
    tier: str
    settings: Settings


def read_scene(branch_id: uuid.UUID, customer_id: uuid.UUID | None) -> Scene:
    """One statement. Raises `NotFound` for a branch or customer that is not the chain's."""
    with kept_cursor() as cursor:
        cursor.execute(
            SCENE.format(
                tier=quote_effects.tier_sql(),
                settings=", ".join(f"settings.{name}" for name in SETTINGS),
            ),
            {
                "branch": branch_id,
                "customer": customer_id,
                "tenant": current_tenant_id(),
                "finalised": Purchase.Status.FINALISED,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFound()
    zone, token, found, status, visits, tier, home_zone, *settings = row
    if customer_id is not None:
        if found is None or status == Customer.Status.ERASED:
            raise NotFound(details={"customerId": str(customer_id)})
        if status == Customer.Status.MERGED:
            return read_scene(branch_id, followed(customer_id))
    return Scene(
        zone=zone,
        home_zone=home_zone,
        token=token,
        customer_id=found,
        visits=visits or 0,
        tier=tier or "",
        settings=engine_settings(settings),
    )


def segments_asked(
    catalogue: Catalogue, opened: Collection[str], branch: str, local: dt.datetime
) -> frozenset[str]:
    """The segments that decide about an offer which may hold here and now."""
    asked: set[str] = set()
    for offer in catalogue.automatic:
        if offer.selective and may_hold(offer, branch, local):
            asked |= _segments_of(offer)
    for pk in opened:
        if pk in catalogue.by_id:
            asked |= _segments_of(catalogue.by_id[pk])
    return frozenset(asked)


def _segments_of(offer: CompiledOffer) -> frozenset[str]:
    who = offer.terms.audience
    return who.segments | who.excluded_segments


def may_hold(offer: CompiledOffer, branch: str, local: dt.datetime) -> bool:
    """Whether branch and dates leave it open that the offer applies; hours are not looked at."""
    places, table = offer.terms.places, offer.terms.timetable
    return (
        (not places.branches or branch in places.branches)
        and branch not in places.excluded_branches
        and (table.starts is None or table.starts <= local)
        and (table.ends is None or local < table.ends)
    )
