"""Who sends WhatsApp messages."""

from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider
from marketing.policy.vendors.shape import AccountField, Vendor
from marketing.policy.vendors.twilio import twilio

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
TWILIO_WHATSAPP = twilio(
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
