"""What each vendor asks of an account: its secrets, its sender and its own address."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider

# A shorter secret would give away too much of itself by its last four characters.
SHORTEST_HINTED_SECRET = 12


@dataclass(frozen=True)
class AccountField:
    """One value of an account. `column` is Module 11's name for it on the default account."""

    key: str
    label: str | Promise
    is_required: bool = True
    column: str = ""
    help_text: str | Promise = ""


@dataclass(frozen=True)
class Vendor:
    """`base_url` is empty where the sender's own values say what is called."""

    provider: Provider
    channel: Channel
    base_url: str
    credentials: tuple[AccountField, ...]
    sender: tuple[AccountField, ...]


MAIL_SENDER = (
    AccountField("from_email", _("From address"), column="email_from_address"),
    AccountField("from_name", _("From name"), is_required=False, column="email_from_name"),
    AccountField("reply_to", _("Reply address"), is_required=False),
    AccountField(
        "unsubscribe_email",
        _("Mailbox for unsubscribing"),
        is_required=False,
        help_text=_("Some mail programs write there; empty: the from address."),
    ),
)

VENDORS: dict[str, Vendor] = {
    vendor.provider: vendor
    for vendor in (
        Vendor(
            Provider.META,
            Channel.WHATSAPP,
            "https://graph.facebook.com",
            credentials=(
                AccountField("access_token", _("Access token"), column="whatsapp_api_key"),
                AccountField("app_secret", _("App secret"), help_text=_("Proves the callbacks.")),
                AccountField(
                    "verify_token",
                    _("Verify token"),
                    is_required=False,
                    help_text=_("Any word; type the same one where Meta asks for it."),
                ),
            ),
            sender=(
                AccountField("phone_number_id", _("Phone number ID")),
                AccountField(
                    "waba_id", _("WhatsApp business account ID"), column="whatsapp_business_id"
                ),
                AccountField(
                    "business_number",
                    _("Business number"),
                    is_required=False,
                    column="whatsapp_business_number",
                ),
            ),
        ),
        Vendor(
            Provider.MSG91,
            Channel.SMS,
            "https://control.msg91.com",
            credentials=(AccountField("authkey", _("Auth key"), column="sms_api_key"),),
            sender=(
                AccountField(
                    "header",
                    _("Sender header"),
                    column="sms_sender_id",
                    help_text=_("Six letters, as registered on the DLT portal."),
                ),
                AccountField("entity_id", _("DLT entity ID"), is_required=False),
            ),
        ),
        Vendor(
            Provider.SENDGRID,
            Channel.EMAIL,
            "https://api.sendgrid.com",
            credentials=(
                AccountField("api_key", _("API key"), column="email_api_key"),
                AccountField(
                    "webhook_public_key",
                    _("Webhook public key"),
                    is_required=False,
                    help_text=_("From SendGrid's signed event webhook page."),
                ),
            ),
            sender=MAIL_SENDER,
        ),
        Vendor(
            Provider.SES,
            Channel.EMAIL,
            "https://email.ap-south-1.amazonaws.com",
            credentials=(
                AccountField("access_key_id", _("Access key ID")),
                AccountField("secret_access_key", _("Secret access key"), column="email_api_key"),
            ),
            sender=(
                *MAIL_SENDER,
                AccountField(
                    "configuration_set",
                    _("Configuration set"),
                    is_required=False,
                    help_text=_("The one that publishes events to SNS; without it nothing comes."),
                ),
                AccountField(
                    "topic_arn",
                    _("SNS topic ARN"),
                    is_required=False,
                    help_text=_("Where it is given, events of no other topic are taken."),
                ),
            ),
        ),
        Vendor(
            Provider.SMTP,
            Channel.EMAIL,
            "",
            credentials=(
                AccountField("username", _("User name"), is_required=False),
                AccountField("password", _("Password"), is_required=False, column="email_api_key"),
            ),
            sender=(
                AccountField("host", _("Server")),
                AccountField(
                    "port",
                    _("Port"),
                    is_required=False,
                    help_text=_("Empty: 587, or 465 with TLS from the start."),
                ),
                AccountField(
                    "security",
                    _("Encryption"),
                    is_required=False,
                    help_text=_('"starttls" (when empty), "tls" or "none".'),
                ),
                *MAIL_SENDER,
                AccountField(
                    "return_path",
                    _("Bounce address"),
                    is_required=False,
                    help_text=_("Who gets the bounces; empty: the from address."),
                ),
            ),
        ),
    )
}


def secret_hint(secret: str) -> dict[str, Any]:
    """What may be shown of a secret: whether it is set, and how it ends."""
    last = secret[-4:] if len(secret) >= SHORTEST_HINTED_SECRET else ""
    return {"set": bool(secret), "last4": last}


def vendor_of_channel(channel: str) -> Vendor:
    """The vendor a channel's account is opened with when none was named."""
    return next(vendor for vendor in VENDORS.values() if vendor.channel == channel)
