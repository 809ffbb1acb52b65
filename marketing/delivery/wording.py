"""The gate's reasons in plain words, one place for pages and exports."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.delivery.models import Message, MessageState

REASONS = {
    "marketing_disabled": _("Marketing is switched off"),
    "channel_disabled": _("The channel is switched off"),
    "suppressed": _("The address bounced, complained or does not exist"),
    "no_address": _("No address for this channel"),
    "opted_out": _("Opted out of marketing"),
    "no_consent": _("Has not agreed to this channel"),
    "dnd": _("On the do-not-disturb register"),
    "duplicate_address": _("Shares the address with someone who gets it"),
    "holdout": _("Kept out to measure the effect"),
    "daily_cap": _("Has had today's number of messages"),
    "weekly_cap": _("Has had this week's number of messages"),
    "missing_value": _("A value the text needs is missing"),
    "outside_window": _("Waiting for the send window to open"),
    "budget": _("Waiting for budget"),
    "account_paused": _("Waiting for the provider account"),
    "cancelled": _("The campaign was cancelled"),
    "reached": _("Reached on another channel by then"),
    "complained": _("The reader marked it as spam"),
}

# The classes of vendors' answers: `rules.ResultClass`.
CLASSES = {
    "retry": _("The provider would not take it now"),
    "retry_later_24h": _("Has had enough marketing messages for now"),
    "fail_recipient": _("The person cannot be reached on this channel"),
    "fail_optout": _("Stopped these messages at the provider"),
    "fail_content": _("The provider refuses the text"),
    "fail_account": _("The provider refuses the account"),
    "unknown": _("The answer was lost"),
}
# Causes that say more than their class: Meta's codes (Gupshup's and Twilio's WhatsApp, too),
# Twilio's of SMS, and our own. Others read as their class, with the vendor's words beside them.
CODES = {
    "130472": _("Kept out by an experiment of WhatsApp's"),
    "131026": _("Not on WhatsApp, or cannot be reached there"),
    "131047": _("Did not write to you in the last 24 hours"),
    "131049": _("WhatsApp holds back more marketing for this person"),
    "131050": _("Stopped your offers in WhatsApp"),
    "132001": _("WhatsApp does not know this template"),
    "132007": _("The text breaks WhatsApp's rules"),
    "132015": _("WhatsApp has paused this template"),
    "132016": _("WhatsApp has switched this template off"),
    "21610": _("Answered STOP to your number"),
    "30003": _("The phone is off or out of reach"),
    "30005": _("There is no such number"),
    "30006": _("A landline, or a network that takes no SMS"),
    "30007": _("The network takes it for spam"),
    "render": _("The text could not be filled in"),
    "worker_lost": _("Parlour was stopped while it was being sent"),
    "no_answer": _("The provider took it, and gave no answer"),
    "unreachable": _("The provider could not be reached"),
    "counted_as_failed": _("Counted as failed by somebody"),
}


def cause(code: str, error_class: str) -> str | Promise:
    """Why a message failed or nothing is known of it, in plain words."""
    return CODES.get(code) or CLASSES.get(error_class) or _("The provider does not say why")


def reason(code: str) -> str | Promise:
    """A gate's reason in plain words."""
    return REASONS.get(code, code)


def why(message: Message) -> str:
    """Why a message is where it is, in plain words; empty when nothing went wrong."""
    if message.reason:
        return str(reason(message.reason))
    is_put_off = message.state == MessageState.QUEUED and message.error_class
    if message.state in (MessageState.FAILED, MessageState.UNKNOWN) or is_put_off:
        return str(cause(message.error_code, message.error_class))
    return ""


# Why delivery stops a run by itself.
PAUSE_REASONS = {
    "account_paused": _("Nothing can be sent by this account just now"),
    "complaint_rate": _("Too many readers marked the mail as spam"),
    "content_refused": _("The provider refuses the text"),
    "template_stopped": _("WhatsApp has stopped the template"),
}
