"""The offer whose codes the programme gives on birthdays, and what stands against it."""

from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from marketing.core import clock
from marketing.core.tenancy import current_tenant
from marketing.coupons.models import Offer
from marketing.coupons.owners import owned_offers
from marketing.coupons.selectors.listing import OfferState, with_state
from marketing.loyalty.models import LoyaltyProgramme


def offers_for_birthdays() -> QuerySet[Offer]:
    """With their state, those that go by code, hold now or begin later, and that no other module
    keeps; the latest first."""
    to_choose = Q(state__in=(OfferState.ON, OfferState.STARTS))
    fitting = _with_state().filter(to_choose, is_automatic=False)
    return fitting.exclude(pk__in=owned_offers()).order_by("-id")


def birthday_offer(of: LoyaltyProgramme) -> Offer | None:
    """The offer of which a birthday brings a code now, if there is one."""
    if not of.is_enabled or of.birthday_offer_id is None:
        return None
    holds = Q(state=OfferState.ON)
    return offers_for_birthdays().filter(holds, pk=of.birthday_offer_id).first()


def birthday_warning(of: LoyaltyProgramme) -> str:
    """Why nobody gets a code on her birthday, or why it may open nothing; empty where all is well,
    or no offer is chosen."""
    if of.birthday_offer_id is None:
        return ""
    offer = _with_state().get(pk=of.birthday_offer_id)
    state = OfferState(offer.state)  # type: ignore[attr-defined]
    if not of.is_enabled:
        words = _("The points programme is switched off: nobody gets a birthday code.")
    elif state == OfferState.OFF:
        words = _("“%(name)s” is switched off: nobody gets a birthday code.")
    elif state == OfferState.OVER:
        words = _("“%(name)s” is over: nobody gets a birthday code. Choose another offer.")
    elif state == OfferState.USED_UP:
        words = _("“%(name)s” is used up: nobody gets a birthday code. Choose another offer.")
    elif state == OfferState.STARTS:
        words = _("“%(name)s” has not begun: nobody gets a birthday code before it does.")
    elif offer.is_automatic:
        words = _("“%(name)s” applies by itself: it has no codes. Choose another offer.")
    elif offer.max_uses_per_customer is not None:
        words = _(
            "A customer may use “%(name)s” only so often in all: once she has, next year’s code"
            " opens nothing. Limit it by the year instead."
        )
    else:
        return ""
    return words % {"name": offer.name}


def _with_state() -> QuerySet[Offer]:
    zone = ZoneInfo(current_tenant().time_zone)
    return with_state(Offer.objects.all(), clock.now().astimezone(zone))
