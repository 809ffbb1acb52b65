"""States, reasons and acts in plain words, for pages."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign
from marketing.campaigns.recurrence import Fault, Repetition, Silence
from marketing.core.templatetags.formats import clock_time
from marketing.delivery import wording as delivery
from marketing.delivery.selectors import ACCOUNT_PAUSED, BUDGET

PAUSE_REASONS: dict[str, str | Promise] = {
    **delivery.PAUSE_REASONS,
    "paused_by_person": _("Somebody paused it"),
    "missed_schedule": _("Its time was missed"),
    "audience_grown": _("More people than were approved"),
    "cost_grown": _("It costs more than was approved"),
    "changed_since_approval": _("The segment, the message or the offer changed since the approval"),
    "approval_required": _("It has come to need an approval"),
    BUDGET: _("The budget is not enough"),
    "whatsapp_template_not_approved": _("WhatsApp no longer approves the message"),
    "template_channel_mismatch": _("The message is for another channel"),
    "channel_disabled": _("The channel has no account, or is switched off"),
    "offer_not_live": _("The offer no longer holds"),
    "validation_failed": _("The campaign cannot be sent as it stands"),
}

# What becomes of it, where no button of the page says so.
PAUSE_PROSPECTS: dict[str, str | Promise] = {
    ACCOUNT_PAUSED: _(
        "It goes on by itself once the account works again, and nobody gets it twice; if it has "
        "not begun long after its time, it asks first. If it takes long, ask a super owner to look "
        "at the account in the settings."
    ),
    BUDGET: _(
        "It goes on by itself once there is money again, be it a raised limit or a new month, and "
        "nobody gets it twice; if it has not begun long after its time, it asks first."
    ),
    **dict.fromkeys(
        rules.TEMPLATE_REASONS,
        _(
            "When WhatsApp approves the message again, resume it here: nobody gets it twice. It "
            "does not go on by itself, because people complained or a rule was broken."
        ),
    ),
}

RECURRENCE_FAULTS: dict[Fault, Promise] = {
    Fault.UNREADABLE: _(
        "This is not a rule that can be followed. Write it as RFC 5545 does, beginning with "
        "FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY."
    ),
    Fault.TOO_OFTEN: _("A campaign goes once a day at most: give one time of the day."),
    Fault.TOO_LONG: _("The rule is too long, or skips too many dates."),
    Fault.TOO_OLD: _("It begins too long ago; choose a later start."),
}

SILENCES: dict[Silence, Promise] = {
    Silence.NEVER: _("There is no such date in the next ten years."),
    Silence.OVER: _("This recurrence is over: choose a later end or a later start."),
    Silence.ALL_SKIPPED: _("Every date is skipped: leave at least one."),
}


def repetition(rule: str) -> str:
    """How a recurring campaign repeats, in words, its time in the active time zone.

    A rule that says more is shown as it is written.
    """
    made = Repetition.of(rule)
    if made is None:
        return rule.split("\n")[0]
    zone = timezone.get_current_timezone_name()
    words = [_how_often(made), f"{clock_time(made.at)} ({zone})"]
    if made.weekdays:
        days = [str(WEEKDAYS[(number - 1) % 7]) for number in made.weekdays]
        words.insert(1, ", ".join(days))
    if made.day:
        on_day = (
            gettext("on day %(day)s, or the last") if made.day > 28 else gettext("on day %(day)s")
        )
        words.insert(1, on_day % {"day": made.day})
    if made.until:
        words.append(gettext("until %(date)s") % {"date": date_format(made.until, "j M Y")})
    if made.times:
        text = ngettext("%(count)s time", "%(count)s times", made.times)
        words.append(text % {"count": made.times})
    return " · ".join(words)


def _how_often(made: Repetition) -> str:
    number, count = made.interval, {"count": made.interval}
    if made.pattern == "daily":
        many = ngettext("Every %(count)s day", "Every %(count)s days", number) % count
        return many if number > 1 else gettext("Every day")
    if made.pattern == "weekly":
        many = ngettext("Every %(count)s week", "Every %(count)s weeks", number) % count
        return many if number > 1 else gettext("Every week")
    many = ngettext("Every %(count)s month", "Every %(count)s months", number) % count
    return many if number > 1 else gettext("Every month")


def pause_reason(code: str) -> str | Promise:
    """Why a campaign stands still, as a heading."""
    return PAUSE_REASONS.get(code) or code.replace("_", " ").capitalize()


def pause_message(campaign: Campaign) -> str:
    """Why the campaign stands still and what becomes of it, in sentences; "" if it does not."""
    if not campaign.pause_reason:
        return ""
    why = ": ".join(
        filter(None, (str(pause_reason(campaign.pause_reason)), campaign.pause_detail.rstrip(".")))
    )
    prospects = str(PAUSE_PROSPECTS.get(campaign.pause_reason, ""))
    return f"{why}. {prospects}".strip()


@dataclass(frozen=True)
class Act:
    """How an entry of the history is shown."""

    title: Promise
    icon: str
    tone: str


ACTS = {
    "create": Act(_("Made"), "pencil", "neutral"),
    "edit": Act(_("Edited"), "edit", "neutral"),
    "submit": Act(_("Submitted"), "hourglass", "warning"),
    "approve": Act(_("Approved"), "shield-check", "success"),
    "reject": Act(_("Rejected"), "circle-x", "danger"),
    "ask_for_changes": Act(_("Sent back for changes"), "reload", "warning"),
    "schedule": Act(_("Scheduled"), "calendar-time", "info"),
    "send": Act(_("Sending began"), "send", "primary"),
    "pause": Act(_("Paused"), "player-pause", "warning"),
    "stop": Act(_("Stopped by Parlour"), "hand-stop", "warning"),
    "resume": Act(_("Resumed"), "player-play", "info"),
    "retry": Act(_("Sent again to whom it failed"), "reload", "primary"),
    "cancel": Act(_("Cancelled"), "ban", "danger"),
    "comment": Act(_("Said"), "message-circle", "info"),
}
UNKNOWN_ACT = Act(_("Changed"), "circle-dot", "neutral")

# What ended a campaign's wait, told to who came too late.
HAPPENED = {
    "approve": _("%(by)s approved it meanwhile."),
    "reject": _("%(by)s rejected it meanwhile."),
    "ask_for_changes": _("%(by)s sent it back for changes meanwhile."),
    "edit": _("%(by)s edited it meanwhile."),
}

# Why somebody else must approve.
THRESHOLDS = {"recipients": _("people"), "cost": _("cost"), "discount": _("discount")}

# The parts of the plan, as an edit names them.
PLAN_FIELDS = {
    "name": _("Name"),
    "description": _("Description"),
    "campaign_type": _("When"),
    "channel": _("Channel"),
    "template_id": _("Message"),
    "channel_mode": _("Channels"),
    "further_steps": _("Channels"),
    "coupon_id": _("Offer"),
    "unique_codes": _("Offer"),
    "segment_id": _("Audience"),
    "target_all_customers": _("Audience"),
    "exclude_segment_ids": _("Audience"),
    "branch_ids": _("Branches"),
    "scheduled_at": _("When"),
    "recurrence_rule": _("When"),
}
