"""The words of the news that the core itself tells."""

import datetime as dt
import uuid

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core import news


def _days(facts: news.Facts) -> str:
    days = (dt.date.fromisoformat(facts[day]) for day in ("from", "to"))
    first, last = (date_format(day, "j M Y") for day in days)
    return _("From %(first)s to %(last)s, inclusive.") % {"first": first, "last": last}


def _own_page(target_id: uuid.UUID | None) -> str:
    return reverse("own-page")


DELEGATION_NAMED = news.Kind(
    title=gettext_lazy("You approve in the place of %(by)s"),
    icon="user-check",
    address=_own_page,
    tone="info",
    more=_days,
)
