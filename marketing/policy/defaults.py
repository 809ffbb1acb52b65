"""What a new chain begins with: Module 11's settings and the vendors' price lists."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from customers.models import Channel
from marketing.core.tenancy import current_tenant
from marketing.policy.models import MarketingConfig, Provider, RateCard


class Rate(NamedTuple):
    """The price of a message, or of an SMS segment, without tax."""

    provider: Provider
    channel: Channel
    category: str
    amount: Decimal
    country: str = "IN"
    currency: str = "INR"


# Meta's list for India as of January 2026. Gupshup's has a fee on top of Meta's price, as one
# reseller gives it. Twilio's own fee on WhatsApp is agreed with each customer and not in here.
# SES asks USD 0.10 for a thousand mails; an own mail server asks nothing.
# No SMS vendor, nor SendGrid, publishes what an Indian or Bangladeshi chain pays: those prices are
# assumed, so that a budget means something before the chain enters its own. One in another
# currency than the chain's is of no use before somebody enters its rate.
RATES = [
    Rate(Provider.META, Channel.WHATSAPP, "marketing", Decimal("0.8631")),
    Rate(Provider.META, Channel.WHATSAPP, "utility", Decimal("0.1150")),
    Rate(Provider.GUPSHUP, Channel.WHATSAPP, "marketing", Decimal("0.9431")),
    Rate(Provider.GUPSHUP, Channel.WHATSAPP, "utility", Decimal("0.1950")),
    Rate(Provider.TWILIO_WHATSAPP, Channel.WHATSAPP, "marketing", Decimal("0.8631")),
    Rate(Provider.TWILIO_WHATSAPP, Channel.WHATSAPP, "utility", Decimal("0.1150")),
    Rate(Provider.MSG91, Channel.SMS, "marketing", Decimal("0.2500")),
    Rate(Provider.MSG91, Channel.SMS, "utility", Decimal("0.2500")),
    Rate(Provider.TWILIO, Channel.SMS, "marketing", Decimal("7.0000")),
    Rate(Provider.TWILIO, Channel.SMS, "utility", Decimal("7.0000")),
    Rate(Provider.SSL_WIRELESS, Channel.SMS, "marketing", Decimal("0.5000"), "BD", "BDT"),
    Rate(Provider.SSL_WIRELESS, Channel.SMS, "utility", Decimal("0.5000"), "BD", "BDT"),
    Rate(Provider.SENDGRID, Channel.EMAIL, "marketing", Decimal("0.0200")),
    Rate(Provider.SENDGRID, Channel.EMAIL, "utility", Decimal("0.0200")),
    Rate(Provider.SES, Channel.EMAIL, "marketing", Decimal("0.0090")),
    Rate(Provider.SES, Channel.EMAIL, "utility", Decimal("0.0090")),
    Rate(Provider.SMTP, Channel.EMAIL, "marketing", Decimal(0)),
    Rate(Provider.SMTP, Channel.EMAIL, "utility", Decimal(0)),
]
RATES_FROM = dt.date(2026, 1, 1)


def ensure_config() -> MarketingConfig:
    """The tenant's settings, made with the defaults and a first price list where missing.

    In India links in SMS stay as they are: ours would have to be whitelisted with DLT first.
    """
    config, is_new = MarketingConfig.objects.get_or_create(
        defaults={"track_sms_links": current_tenant().country != "IN"}
    )
    if is_new:
        ensure_rate_cards()
    return config


def ensure_rate_cards() -> None:
    """Give the tenant the first price list; prices that it has already stay."""
    RateCard.objects.bulk_create(
        [
            RateCard(
                **rate._asdict(),
                effective_from=RATES_FROM,
            )
            for rate in RATES
        ],
        ignore_conflicts=True,
    )
