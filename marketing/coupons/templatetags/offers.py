"""How amounts of offers are written: the engine's are paise."""

from decimal import Decimal

from django import template

from marketing.core.templatetags.formats import MISSING, money
from marketing.core.tenancy import current_tenant
from marketing.coupons.wording.amounts import rupees

register = template.Library()


@register.filter
def paise(amount: int | None) -> str:
    """₹499, or ₹499.50 where there are odd paise."""
    return MISSING if amount is None else rupees(amount)


@register.filter
def about(amount: Decimal | None) -> str:
    """An estimate in whole rupees."""
    if amount is None:
        return MISSING
    return money(amount.quantize(Decimal(1)), current_tenant().currency).removesuffix(".00")
