"""What each vendor asks of an account: its secrets, its sender and its own address."""

from typing import Any

from marketing.policy.vendors.email import SENDGRID, SES, SMTP
from marketing.policy.vendors.shape import AccountField, Vendor
from marketing.policy.vendors.sms import MSG91, SSL_WIRELESS, TWILIO
from marketing.policy.vendors.whatsapp import GUPSHUP, META, TWILIO_WHATSAPP

__all__ = [
    "VENDORS",
    "AccountField",
    "Vendor",
    "named_vendor",
    "secret_hint",
    "vendors_of_channel",
]

# A shorter secret would give away too much of itself by its last four characters.
SHORTEST_HINTED_SECRET = 12
# The first of a channel is opened when none was named.
VENDORS: dict[str, Vendor] = {
    vendor.provider: vendor
    for vendor in (
        *(META, GUPSHUP, TWILIO_WHATSAPP),
        *(MSG91, TWILIO, SSL_WIRELESS),
        *(SENDGRID, SES, SMTP),
    )
}


def secret_hint(secret: str) -> dict[str, Any]:
    """What may be shown of a secret: whether it is set, and how it ends."""
    last = secret[-4:] if len(secret) >= SHORTEST_HINTED_SECRET else ""
    return {"set": bool(secret), "last4": last}


def vendors_of_channel(channel: str) -> list[Vendor]:
    """The vendors that a channel's messages can leave by; the first when none was named."""
    return [vendor for vendor in VENDORS.values() if vendor.channel == channel]


def named_vendor(channel: str, name: str) -> Vendor | None:
    """The vendor of a channel by its name in the API; "twilio" is another on each channel."""
    return next((each for each in vendors_of_channel(channel) if each.name == name), None)
