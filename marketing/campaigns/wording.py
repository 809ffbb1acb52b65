"""States, reasons and acts in plain words, for pages."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign
from marketing.delivery import wording as delivery
from marketing.delivery.selectors import ACCOUNT_PAUSED

PAUSE_REASONS: dict[str, str | Promise] = {
    **delivery.PAUSE_REASONS,
    "paused_by_person": _("Somebody paused it"),
    "missed_schedule": _("Its time was missed"),
    "audience_grown": _("More people than were approved"),
    "cost_grown": _("It costs more than was approved"),
    "changed_since_approval": _("The segment or the message changed since the approval"),
    "approval_required": _("It has come to need an approval"),
    "budget": _("The budget is not enough"),
    "whatsapp_template_not_approved": _("WhatsApp no longer approves the message"),
    "template_channel_mismatch": _("The message is for another channel"),
    "channel_disabled": _("The channel has no account, or is switched off"),
    "validation_failed": _("The campaign cannot be sent as it stands"),
}

# What becomes of it, where no button of the page says so.
PAUSE_PROSPECTS: dict[str, str | Promise] = {
    ACCOUNT_PAUSED: _(
        "It goes on by itself once the account works again, and nobody gets it twice; if it has "
        "not begun long after its time, it asks first. If it takes long, ask a super owner to look "
        "at the account in the settings."
    ),
    **dict.fromkeys(
        rules.TEMPLATE_REASONS,
        _(
            "When WhatsApp approves the message again, resume it here: nobody gets it twice. It "
            "does not go on by itself, because people complained or a rule was broken."
        ),
    ),
}


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
}
UNKNOWN_ACT = Act(_("Changed"), "circle-dot", "neutral")
