"""How the chain prices its bills."""

from collections.abc import Sequence
from typing import Any

from marketing.coupons.models import CounterSettings
from marketing.coupons.pricing.facts import Choice, Settings, TaxRounding

# The columns that say how, in the order of `engine_settings`.
SETTINGS = (
    "tax_rounding",
    "choice",
    "max_bill_discount",
    "compared",
    "stack_size",
    "max_codes",
)
# Beside them, what the counter's page begins with.
COLUMNS = (*SETTINGS, "prices_include_tax")


def counter_settings() -> CounterSettings:
    """The chain's row, or one with every default that is not saved."""
    return CounterSettings.objects.first() or CounterSettings()


def present_settings() -> Settings:
    """What the engine goes by now."""
    row = CounterSettings.objects.values_list(*SETTINGS).first()
    return Settings() if row is None else engine_settings(row)


def engine_settings(columns: Sequence[Any]) -> Settings:
    """What the engine goes by, out of `SETTINGS`' columns; all None where there is no row."""
    rounding, choice, most, compared, stack_size, max_codes = columns
    if rounding is None:
        return Settings()
    return Settings(
        tax_rounding=TaxRounding(rounding),
        choice=Choice(choice),
        max_bill_discount=most,
        compared=compared,
        stack_size=stack_size,
        max_codes=max_codes,
    )
