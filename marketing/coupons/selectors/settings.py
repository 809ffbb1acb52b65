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


def counter_settings() -> CounterSettings:
    """The chain's row, or one with every default that is not saved."""
    return CounterSettings.objects.first() or CounterSettings()


def settings_now() -> Settings:
    """What the engine goes by, read by itself; a priced bill reads it with everything else."""
    kept = counter_settings()
    return engine_settings([getattr(kept, name) for name in SETTINGS])


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
