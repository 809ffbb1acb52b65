"""Who sends SMS."""

from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider
from marketing.policy.vendors.shape import AccountField, Text, Vendor
from marketing.policy.vendors.twilio import twilio

ENTITY_ID = AccountField(
    "entity_id",
    _("DLT entity ID"),
    is_required=False,
    pattern=r"\d{10,25}",
    help_text=_("From the DLT portal; SMS in India do not go without it."),
)


def _batch_size(pattern: str, help_text: Text) -> AccountField:
    return AccountField(
        "batch_size",
        _("Messages a call"),
        is_required=False,
        pattern=pattern,
        help_text=help_text,
    )


MSG91 = Vendor(
    Provider.MSG91,
    Channel.SMS,
    "https://control.msg91.com",
    sends_own_copy=True,
    credentials=(AccountField("authkey", _("Auth key"), column="sms_api_key"),),
    sender=(
        AccountField(
            "header",
            _("Sender header"),
            column="sms_sender_id",
            pattern=r"[A-Za-z0-9]{3,11}",
            help_text=_("Six letters, as registered on the DLT portal."),
        ),
        ENTITY_ID,
        _batch_size(
            r"[1-9]\d{0,2}", _("At most so many numbers are handed over together; empty: 100.")
        ),
    ),
    callbacks=_(
        "Enter this address at MSG91 under SMS, Webhook, as delivery report of version 2 or 3. "
        "Reports are not signed: keep the address to yourself."
    ),
)
TWILIO = twilio(
    Provider.TWILIO,
    Channel.SMS,
    AccountField(
        "from_number",
        _("Number or sender name"),
        is_required=False,
        column="sms_sender_id",
        pattern=r"\+\d{7,15}|[A-Za-z0-9 ]{3,11}",
        help_text=_("With country code; in India the registered header."),
    ),
    ENTITY_ID,
)
SSL_WIRELESS = Vendor(
    Provider.SSL_WIRELESS,
    Channel.SMS,
    "https://smsplus.sslwireless.com",
    credentials=(AccountField("api_token", _("API token"), column="sms_api_key"),),
    sender=(
        AccountField(
            "sid",
            _("Sender (SID)"),
            column="sms_sender_id",
            help_text=_(
                "As approved for the brand. Enter the address of this server in the portal too."
            ),
        ),
        _batch_size(
            r"[1-9]\d?|100", _("At most so many texts are handed over together; empty: 100.")
        ),
    ),
    callbacks="",
)
