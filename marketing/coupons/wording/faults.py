"""What is wrong with a value, in words."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy

from marketing.core.sentences import gettext as _
from marketing.core.sentences import sentence
from marketing.core.templatetags.formats import format_number
from marketing.coupons.pricing.faults import Fault, FaultCode, Unit
from marketing.coupons.wording.amounts import rupees, share

FAULTS = {
    FaultCode.REQUIRED: gettext_lazy("This is needed for this kind of offer."),
    FaultCode.OUT_OF_RANGE: gettext_lazy("This is too little or too much."),
    FaultCode.NOT_RISING: gettext_lazy("Each tier begins higher, and gives no less."),
    FaultCode.MIXED: gettext_lazy("Give one or the other, not both."),
    FaultCode.ENDS_BEFORE_START: gettext_lazy("The end is before the start."),
    FaultCode.NOT_FOR_KIND: gettext_lazy("This does not go with this kind of offer."),
    FaultCode.REPEATED: gettext_lazy("This is here twice."),
    FaultCode.TOO_MANY: gettext_lazy("These are too many."),
    FaultCode.GIVES_MORE: gettext_lazy(
        "This takes off more than the bill must come to. Give less, or begin the tier higher."
    ),
    FaultCode.TOO_MANY_UNITS: gettext_lazy("A bill has 5,000 units at most."),
    FaultCode.TOO_HIGH: gettext_lazy(
        "A bill comes to %(most)s at most before anything is taken off. Make two bills of it."
    ),
}
WRITTEN = {Unit.PAISE: rupees, Unit.BASIS_POINTS: share, Unit.PIECES: format_number}


def faults_at_fields(faults: Sequence[Fault]) -> dict[str, list[str]]:
    """The words of each, by field, as a refusal has them."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.field, []).append(_words(fault))
    return found


def _words(fault: Fault) -> str:
    bounds = fault.bounds
    if bounds is None:
        return sentence(FAULTS[fault.code])
    write = WRITTEN[bounds.unit]
    least = write(bounds.least)
    if bounds.most is None:
        return _("At least %(least)s.") % {"least": least}
    most = write(bounds.most)
    if fault.code is FaultCode.TOO_HIGH:
        return sentence(FAULTS[fault.code]) % {"most": most}
    return _("From %(least)s to %(most)s.") % {"least": least, "most": most}
