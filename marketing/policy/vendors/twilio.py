"""Twilio, whose one API serves WhatsApp and SMS."""

from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider
from marketing.policy.vendors.shape import AccountField, Vendor


def twilio(
    provider: Provider,
    channel: Channel,
    number: AccountField,
    *further: AccountField,
    spelling: str = "",
) -> Vendor:
    """Twilio's account on a channel: one API, the channels differ by what messages leave by."""
    return Vendor(
        provider,
        channel,
        "https://api.twilio.com",
        spelling=spelling,
        credentials=(
            AccountField("account_sid", _("Account SID")),
            AccountField("auth_token", _("Auth token"), column=f"{channel}_api_key"),
            AccountField(
                "webhook_key_secret",
                _("Shared key of the callbacks"),
                is_required=False,
                help_text=_(
                    "Only where callbacks are signed by a shared key instead of the auth token."
                ),
            ),
        ),
        sender=(
            number,
            AccountField(
                "messaging_service_sid",
                _("Messaging service SID"),
                is_required=False,
                help_text=_("Takes the number's place where it is given."),
            ),
            *further,
        ),
        any_of=(number.key, "messaging_service_sid"),
        callbacks=_(
            "Enter this address for incoming messages of the sender; deliveries come to it by "
            "themselves."
        ),
    )
