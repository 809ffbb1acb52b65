from marketing.coupons.forms.choices import Choices
from marketing.coupons.forms.codes import CodesForm, RedemptionFilter
from marketing.coupons.forms.kinds import STARTS, Start
from marketing.coupons.forms.listing import OfferFilter
from marketing.coupons.forms.offer import OfferForm
from marketing.coupons.forms.reading import initial_of
from marketing.coupons.forms.sample import SampleForm

__all__ = [
    "STARTS",
    "Choices",
    "CodesForm",
    "OfferFilter",
    "OfferForm",
    "RedemptionFilter",
    "SampleForm",
    "Start",
    "initial_of",
]
