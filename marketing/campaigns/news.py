"""What staff are told about campaigns, in words."""

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketing.campaigns import wording
from marketing.campaigns.selectors.campaigns import ids_in_sight
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


def _said(name: str) -> Callable[[Facts], str]:
    """What somebody wrote, as it stands in the facts."""
    return lambda facts: str(facts[name])


_kind = partial(Kind, address=_campaign, in_sight=ids_in_sight)
_budget_kind = partial(Kind, icon="wallet", tone="warning", address=_spend, more=_budget)

KINDS = {
    notices.SUBMITTED: _kind(
        gettext_lazy("“%(campaign)s” waits for your approval"),
        "clipboard-check",
        tone="warning",
        more=_submission,
    ),
    notices.APPROVED: _kind(
        gettext_lazy("%(by)s approved “%(campaign)s”"), "shield-check", tone="success"
    ),
    notices.REJECTED: _kind(
        gettext_lazy("%(by)s rejected “%(campaign)s”"),
        "circle-x",
        tone="danger",
        more=_said("reason"),
    ),
    notices.CHANGES_ASKED: _kind(
        gettext_lazy("%(by)s asks for changes to “%(campaign)s”"),
        "reload",
        tone="warning",
        more=_said("reason"),
    ),
    notices.COMMENTED: _kind(
        gettext_lazy("%(by)s wrote about “%(campaign)s”"),
        "message-circle",
        tone="info",
        more=_said("text"),
    ),
    notices.STOPPED: _kind(
        gettext_lazy("“%(campaign)s” stands still"), "hand-stop", tone="warning", more=_stop
    ),
    notices.BUDGET_OF_BRANCH: _budget_kind(
        gettext_lazy("%(branch)s has used %(percent)s%% of its month’s budget")
    ),
    notices.BUDGET_OF_CHAIN: _budget_kind(
        gettext_lazy("The whole chain has used %(percent)s%% of its month’s budget")
    ),
}
