"""What is wrong with a value, in words."""

from django.utils.translation import gettext_lazy

from marketing.coupons.pricing.faults import FaultCode

FAULTS = {
    FaultCode.REQUIRED: gettext_lazy("This is needed for this kind of offer."),
    FaultCode.OUT_OF_RANGE: gettext_lazy("This is too little or too much."),
    FaultCode.NOT_RISING: gettext_lazy("Each tier begins higher, and gives no less."),
    FaultCode.MIXED: gettext_lazy("Give one or the other, not both."),
    FaultCode.ENDS_BEFORE_START: gettext_lazy("The end is before the start."),
    FaultCode.NOT_FOR_KIND: gettext_lazy("This does not go with this kind of offer."),
    FaultCode.REPEATED: gettext_lazy("This is here twice."),
    FaultCode.TOO_MANY: gettext_lazy("These are too many."),
    FaultCode.TOO_MANY_UNITS: gettext_lazy("A bill has 5000 units at most."),
}
