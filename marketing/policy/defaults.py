"""What a new chain begins with: Module 11's settings and the vendors' price lists."""

import datetime as dt
from decimal import Decimal

from customers.models import Channel
from marketing.core.models import Tenant
from marketing.core.tenancy import current_tenant_id
from marketing.policy.models import MarketingConfig, Provider, RateCard

# India, base price of a message (SMS: of a segment) without GST; Meta's as of January 2026.
RATES = [
    (Provider.META, Channel.WHATSAPP, "marketing", Decimal("0.8631")),
    (Provider.META, Channel.WHATSAPP, "utility", Decimal("0.1150")),
    (Provider.MSG91, Channel.SMS, "marketing", Decimal("0.2500")),
    (Provider.MSG91, Channel.SMS, "utility", Decimal("0.2500")),
    (Provider.SENDGRID, Channel.EMAIL, "marketing", Decimal("0.0200")),
    (Provider.SENDGRID, Channel.EMAIL, "utility", Decimal("0.0200")),
]
RATES_FROM = dt.date(2026, 1, 1)


def ensure_config() -> MarketingConfig:
    """The tenant's settings, made with the defaults and a first price list where missing.

    In India links in SMS stay as they are: ours would have to be whitelisted with DLT first.
    """
    config, is_new = MarketingConfig.objects.get_or_create(
        defaults={"track_sms_links": Tenant.objects.get(pk=current_tenant_id()).country != "IN"}
    )
    if is_new:
        ensure_rate_cards()
    return config


def ensure_rate_cards() -> None:
    """Give the tenant the first price list; prices that it has already stay."""
    RateCard.objects.bulk_create(
        [
            RateCard(
                provider=provider,
                channel=channel,
                category=category,
                amount=amount,
                effective_from=RATES_FROM,
            )
            for provider, channel, category, amount in RATES
        ],
        ignore_conflicts=True,
    )
