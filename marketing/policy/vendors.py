"""What each vendor asks of an account: its secrets, its sender and its own address."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider

# A shorter secret would give away too much of itself by its last four characters.
SHORTEST_HINTED_SECRET = 12
Text = str | Promise
CALLBACKS = _(
    "Enter this address at the vendor, so that deliveries, replies and opt-outs reach you."
)


@dataclass(frozen=True)
class AccountField:
    """One value of an account. `column` is Module 11's name for it on the default account.

    A value that is given must be one of `choices` and match the whole `pattern`, where there
    are any.
    """

    key: str
    label: Text
    is_required: bool = True
    column: str = ""
    help_text: Text = ""
    choices: tuple[tuple[str, Text], ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class Vendor:
    """`spelling` is Module 11's name of the vendor, where it is not ours.

    `base_url` is empty where the sender's `host` is what is called. One of the sender's
    `any_of` must be given. `sends_own_copy`: the vendor knows the words of an SMS by an id of
    its own, and is told the variables only. `callbacks` says what to do with the address that
    the vendor is to call; empty: it never calls.
    """

    provider: Provider
    channel: Channel
    base_url: str
    credentials: tuple[AccountField, ...]
    sender: tuple[AccountField, ...]
    spelling: str = ""
    any_of: tuple[str, ...] = ()
    sends_own_copy: bool = False
    callbacks: Text = CALLBACKS

    @property
    def name(self) -> str:
        """What the API calls it, among the vendors of its channel."""
        return self.spelling or self.provider.value

    def field(self, column: str) -> tuple[str, str] | None:
        """("credentials" or "sender", key) of a column of Module 11's; None when it has none."""
        for group, fields in (("credentials", self.credentials), ("sender", self.sender)):
            for field in fields:
                if field.column == column:
                    return group, field.key
        return None


MAIL_ADDRESS = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"
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


def _twilio(
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


META = Vendor(
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
        AccountField("waba_id", _("WhatsApp business account ID"), column="whatsapp_business_id"),
        AccountField(
            "business_number",
            _("Business number"),
            is_required=False,
            column="whatsapp_business_number",
        ),
        AccountField(
            "api_version",
            _("Version of the API"),
            is_required=False,
            pattern=r"v\d{1,3}\.\d",
            help_text=_("Such as v23.0, which is used when this is empty."),
        ),
        AccountField(
            "marketing_endpoint",
            _("Marketing messages go to"),
            is_required=False,
            choices=(
                ("", _("the Cloud API (/messages)")),
                ("marketing_messages", _("the Marketing Messages API (/marketing_messages)")),
            ),
            help_text=_("The second where Meta answers with 131063."),
        ),
        AccountField(
            "parameter_format",
            _("Variables of the templates"),
            is_required=False,
            choices=(("", _("numbered")), ("NAMED", _("named"))),
            help_text=_("As the templates were made; those of both kinds need two accounts."),
        ),
    ),
)
GUPSHUP = Vendor(
    Provider.GUPSHUP,
    Channel.WHATSAPP,
    "https://api.gupshup.io",
    credentials=(
        AccountField("api_key", _("API key"), column="whatsapp_api_key"),
        AccountField(
            "callback_secret",
            _("Secret of the callbacks"),
            is_required=False,
            help_text=_(
                "Where Gupshup sends it in the header X-Callback-Secret. Callbacks are not "
                "signed: keep their address to yourself."
            ),
        ),
    ),
    sender=(
        AccountField("source", _("Business number"), column="whatsapp_business_number"),
        AccountField("app_name", _("App name"), help_text=_("As in Gupshup's dashboard.")),
    ),
    callbacks=_(
        "Enter this address as callback URL of the app, version 2 or 3, and switch on the modes "
        "sent, delivered, read, failed, message, template and account."
    ),
)
TWILIO_WHATSAPP = _twilio(
    Provider.TWILIO_WHATSAPP,
    Channel.WHATSAPP,
    AccountField(
        "from_number",
        _("WhatsApp sender"),
        is_required=False,
        column="whatsapp_business_number",
        pattern=r"\+\d{7,15}",
        help_text=_("With country code, such as +14155238886."),
    ),
    spelling="twilio",
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
TWILIO = _twilio(
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
MAIL_SENDER = (
    AccountField("from_email", _("From address"), column="email_from_address"),
    AccountField("from_name", _("From name"), is_required=False, column="email_from_name"),
    AccountField("reply_to", _("Reply address"), is_required=False, pattern=MAIL_ADDRESS),
    AccountField(
        "unsubscribe_email",
        _("Mailbox for unsubscribing"),
        is_required=False,
        pattern=MAIL_ADDRESS,
        help_text=_("Some mail programs write there; empty: the from address."),
    ),
)
SENDGRID = Vendor(
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
)
SES = Vendor(
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
            pattern=r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d+:\S+",
            help_text=_("Where it is given, events of no other topic are taken."),
        ),
    ),
    callbacks=_(
        "Subscribe this address to the SNS topic of the configuration set, by HTTPS and without "
        "raw message delivery; the subscription is confirmed by itself."
    ),
)
SMTP = Vendor(
    Provider.SMTP,
    Channel.EMAIL,
    "",
    credentials=(
        AccountField("username", _("User name"), is_required=False),
        AccountField("password", _("Password"), is_required=False, column="email_api_key"),
        AccountField(
            "bounce_username",
            _("User name of the bounce mailbox"),
            is_required=False,
            pattern=r"[^\s\"\\(){%*]+",
        ),
        AccountField("bounce_password", _("Password of the bounce mailbox"), is_required=False),
    ),
    sender=(
        AccountField("host", _("Server"), pattern=r"[A-Za-z0-9.-]+"),
        AccountField(
            "port",
            _("Port"),
            is_required=False,
            pattern=r"\d{1,5}",
            help_text=_("Empty: 587, or 465 with TLS from the start."),
        ),
        AccountField(
            "security",
            _("Encryption"),
            is_required=False,
            choices=(
                ("", "STARTTLS"),
                ("tls", _("TLS from the start")),
                ("none", _("None; on your own network only")),
            ),
        ),
        *MAIL_SENDER,
        AccountField(
            "return_path",
            _("Bounce address"),
            is_required=False,
            pattern=MAIL_ADDRESS,
            help_text=_("Who gets the bounces; empty: the from address."),
        ),
        AccountField(
            "bounce_host",
            _("IMAP server of the bounce mailbox"),
            is_required=False,
            pattern=r"[A-Za-z0-9.-]+",
            help_text=_("Bounces are read there every two minutes; empty: nobody reads them."),
        ),
        AccountField(
            "bounce_port",
            _("Port of the IMAP server"),
            is_required=False,
            pattern=r"\d{1,5}",
            help_text=_("Empty: 993, with TLS."),
        ),
    ),
    callbacks="",
)
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
