"""Forms of the campaigns' pages. They check and label; the services change."""

from marketing.campaigns.forms.audience import NOBODY_CHOSEN, AudienceForm
from marketing.campaigns.forms.details import DetailsForm
from marketing.campaigns.forms.festivals import DayForm, FestivalForm
from marketing.campaigns.forms.message import MessageForm
from marketing.campaigns.forms.offer import OfferForm
from marketing.campaigns.forms.schedule import ScheduleForm
from marketing.campaigns.forms.step import FIELD_OF, StepForm
from marketing.campaigns.forms.test_send import TestSendForm

__all__ = [
    "FIELD_OF",
    "NOBODY_CHOSEN",
    "AudienceForm",
    "DayForm",
    "DetailsForm",
    "FestivalForm",
    "MessageForm",
    "OfferForm",
    "ScheduleForm",
    "StepForm",
    "TestSendForm",
]
