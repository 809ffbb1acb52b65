"""The gate's reasons in plain words, one place for pages and exports."""

from django.utils.translation import gettext_lazy as _

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
}

# Why delivery stops a run by itself.
PAUSE_REASONS = {"account_paused": _("The provider refuses the account")}
