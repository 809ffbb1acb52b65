"""What staff are told about campaigns, in words."""

import datetime as dt
import uuid
from decimal import Decimal

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketing.campaigns import wording
from marketing.campaigns.services import notices
from marketing.core.news import Facts, Kind
from marketing.core.templatetags.formats import format_number, money


def _campaign(target_id: uuid.UUID | None) -> str:
    return reverse("campaign-detail", args=[target_id])


def _submission(facts: Facts) -> str:
    people = facts["recipients"]
    counted = ngettext("%(count)s person", "%(count)s people", people)
    return _("%(by)s submitted it: %(people)s, about %(cost)s.") % {
        "by": facts["by"],
        "people": counted % {"count": format_number(people)},
        "cost": money(Decimal(facts["cost"])),
    }


def _stop(facts: Facts) -> str:
    reason = str(wording.pause_reason(facts["reason"]))
    return ": ".join(filter(None, (reason, facts["detail"])))


def _spend(target_id: uuid.UUID | None) -> str:
    return reverse("spend")


def _budget(facts: Facts) -> str:
    month = date_format(dt.date.fromisoformat(facts["month"]), "F Y")
    text = _("The budget of %(month)s. Campaigns that cost more than what is left cannot go.")
    return text % {"month": month}


KINDS = {
    notices.SUBMITTED: Kind(
        title=gettext_lazy("“%(campaign)s” waits for your approval"),
        icon="clipboard-check",
        tone="warning",
        address=_campaign,
        more=_submission,
    ),
    notices.APPROVED: Kind(
        title=gettext_lazy("%(by)s approved “%(campaign)s”"),
        icon="shield-check",
        tone="success",
        address=_campaign,
    ),
    notices.REJECTED: Kind(
        title=gettext_lazy("%(by)s rejected “%(campaign)s”"),
        icon="circle-x",
        tone="danger",
        address=_campaign,
        more=lambda facts: str(facts["reason"]),
    ),
    notices.CHANGES_ASKED: Kind(
        title=gettext_lazy("%(by)s asks for changes to “%(campaign)s”"),
        icon="reload",
        tone="warning",
        address=_campaign,
        more=lambda facts: str(facts["reason"]),
    ),
    notices.COMMENTED: Kind(
        title=gettext_lazy("%(by)s wrote about “%(campaign)s”"),
        icon="message-circle",
        tone="info",
        address=_campaign,
        more=lambda facts: str(facts["text"]),
    ),
    notices.STOPPED: Kind(
        title=gettext_lazy("“%(campaign)s” stands still"),
        icon="hand-stop",
        tone="warning",
        address=_campaign,
        more=_stop,
    ),
    notices.BUDGET_OF_BRANCH: Kind(
        title=gettext_lazy("%(branch)s has used %(percent)s%% of its month’s budget"),
        icon="wallet",
        tone="warning",
        address=_spend,
        more=_budget,
    ),
    notices.BUDGET_OF_CHAIN: Kind(
        title=gettext_lazy("The whole chain has used %(percent)s%% of its month’s budget"),
        icon="wallet",
        tone="warning",
        address=_spend,
        more=_budget,
    ),
}
