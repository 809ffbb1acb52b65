"""What stands on the cards of codes, in the chain's first language."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from marketing.core import clock
from marketing.core.errors import Conflict, NotFound
from marketing.core.models import Tenant
from marketing.core.tenancy import current_tenant
from marketing.coupons.cards import Card
from marketing.coupons.models import CodeBatch, CouponCode, Offer
from marketing.coupons.revocation import revoked_since
from marketing.coupons.rules import local_day

# Fifty pages: what a browser waits for without a doubt.
CARDS_A_FILE = 500


def card_of(offer: Offer, code: CouponCode) -> Card:
    """Raises `Conflict` for a code that opens nothing any more."""
    if revoked_since(code) is not None:
        raise Conflict(_("This code is revoked."))
    return cards_of(offer, [code])[0]


def cards_of(offer: Offer, codes: Iterable[CouponCode]) -> list[Card]:
    """A card for each code."""
    tenant = current_tenant()
    known = [language for language, _name in settings.LANGUAGES]
    language = next((each for each in tenant.languages if each in known), settings.LANGUAGE_CODE)
    with translation.override(language):
        return [
            Card(
                chain=tenant.name,
                offer=offer.name,
                code=code.code,
                validity=_validity(tenant, offer, code),
            )
            for code in codes
        ]


def part_of(batch: CodeBatch, number: int) -> list[CouponCode]:
    """The codes of the batch's file `number`, from 1, in the order of their making.

    Revoked ones are left out of the file in which they would stand. Raises `NotFound` where the
    batch has no such file, `Conflict` while it is being made.
    """
    if batch.state == CodeBatch.State.MAKING:
        raise Conflict(_("The codes are still being made."))
    if not 1 <= number <= files_of(batch):
        raise NotFound()
    start = (number - 1) * CARDS_A_FILE
    rows = CouponCode.objects.filter(batch=batch).select_related("batch").order_by("pk")
    codes = [code for code in rows[start : start + CARDS_A_FILE] if revoked_since(code) is None]
    if not codes:
        raise Conflict(_("These codes are revoked."))
    return codes


def files_of(batch: CodeBatch) -> int:
    """In how many files the cards of a batch come."""
    return -(-batch.made // CARDS_A_FILE)


def _validity(tenant: Tenant, offer: Offer, code: CouponCode) -> str:
    last = [day for day in (offer.valid_until, _last_day(tenant, code)) if day is not None]
    if not last:
        return ""
    until = date_format(min(last), "j F Y")
    today = local_day(clock.now(), tenant.time_zone)
    if offer.valid_from is not None and offer.valid_from > today:
        first = date_format(offer.valid_from, "j F Y")
        return _("Valid %(first)s to %(last)s") % {"first": first, "last": until}
    return _("Valid until %(last)s") % {"last": until}


def _last_day(tenant: Tenant, code: CouponCode) -> dt.date | None:
    """The last whole day, by the chain's clock, on which the code itself holds."""
    if code.expires_at is None:
        return None
    moment = code.expires_at - dt.timedelta(microseconds=1)
    return local_day(moment, tenant.time_zone)
