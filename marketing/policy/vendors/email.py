"""Who sends e-mail."""

from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider
from marketing.policy.vendors.shape import AccountField, Vendor

MAIL_ADDRESS = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"
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
        AccountField(
            "bounce_password",
            _("Password of the bounce mailbox"),
            is_required=False,
            pattern=r"[ -~]+",
        ),
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
            help_text=_(
                "Bounces and complaints are read there every two minutes; empty: nobody reads them."
            ),
        ),
        AccountField(
            "bounce_port",
            _("Port of the IMAP server"),
            is_required=False,
            pattern=r"\d{1,5}",
            help_text=_("Empty: 993, with TLS."),
        ),
        AccountField(
            "bounce_security",
            _("Encryption of the IMAP server"),
            is_required=False,
            choices=(
                ("", _("TLS from the start")),
                ("none", _("None; on your own network only")),
            ),
        ),
    ),
    callbacks="",
)
