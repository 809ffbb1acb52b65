"""What is wrong with a field of an offer, for whoever fills the form in."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.coupons.pricing.faults import FaultCode

WORDS: dict[str, Promise] = {
    FaultCode.REQUIRED: _("Fill this in."),
    FaultCode.OUT_OF_RANGE: _("This is too small or too large."),
    FaultCode.NOT_RISING: _("Each step needs a higher amount, and gives no less."),
    FaultCode.MIXED: _("One or the other, not both."),
    FaultCode.ENDS_BEFORE_START: _("It ends before it begins."),
    FaultCode.NOT_FOR_KIND: _("This does not go with the kind of offer."),
    FaultCode.REPEATED: _("This stands twice."),
    FaultCode.TOO_MANY: _("These are too many."),
}


def fault_in_words(fault: str) -> str:
    """The words of a fault's code; any other text is words already."""
    words = WORDS.get(fault)
    return fault if words is None else str(words)
