"""Short spellings for tests: carts, offers, and what came of them."""

import datetime as dt

from marketing.coupons.pricing.answer import Verdict
from marketing.coupons.pricing.bill import Cart, CartLine, EnteredCode
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.terms import Combining, Kind, OfferTerms, Stacking

NOON = dt.datetime(2026, 3, 4, 12, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
ITEM = Combining(stacking=Stacking.ITEM)
INVOICE = Combining(stacking=Stacking.INVOICE)


def line(service="cut", rupees=100, **more):
    return {"service": service, "unit_price": round(rupees * 100), **more}


def cart(*lines, **more):
    return Cart(
        **{
            "branch": "main",
            "at": NOON,
            "timezone": "Asia/Kolkata",
            "lines": tuple(
                CartLine(**{"number": number, **one}) for number, one in enumerate(lines, start=1)
            ),
            **more,
        }
    )


def flat(offer="flat", rupees=10, **more):
    return OfferTerms(
        **{
            "id": offer,
            "kind": Kind.FLAT,
            "amount": round(rupees * 100),
            "automatic": True,
            **more,
        }
    )


def share(offer="share", percent=10, **more):
    return OfferTerms(
        **{
            "id": offer,
            "kind": Kind.PERCENTAGE,
            "rate_bp": percent * 100,
            "automatic": True,
            **more,
        }
    )


def typed(*offers):
    """Codes that open these offers."""
    return tuple(EnteredCode(code=offer.upper(), offer=offer) for offer in offers)


def quoted(bill, *offers, **more):
    return quote(bill, Catalogue(offers), **more)


def decision(answer, offer):
    return next(one for one in answer.decisions if one.offer == offer)


def refusal(answer, offer):
    """Verdict and first reason with its numbers."""
    found = decision(answer, offer)
    assert found.verdict is not Verdict.APPLIED
    first = found.reasons[0]
    return found.verdict.value, first.code.value, dict(first.details)


def applied(answer):
    return [one.offer for one in answer.applied]
