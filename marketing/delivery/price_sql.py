"""What a message costs, as SQL: by the country that its address is of."""

from typing import Any

from marketing.policy.selectors import Prices


def price_case(prefix: str, address: str, prices: Prices) -> str:
    """The price of a message, or of an SMS segment, to `address`; with `price_values`."""
    home = f"%({prefix}_price)s::numeric"
    cases = " ".join(
        f"WHEN starts_with({address}, %({prefix}_code_{place})s)"
        f" THEN %({prefix}_price_{place})s::numeric"
        for place in range(len(prices.by_dialling_code))
    )
    return f"CASE {cases} ELSE {home} END" if cases else home


def price_values(prefix: str, prices: Prices) -> dict[str, Any]:
    """The parameters that `price_case` names."""
    return {f"{prefix}_price": prices.home} | {
        f"{prefix}_{name}_{place}": value
        for place, pair in enumerate(prices.by_dialling_code)
        for name, value in zip(("code", "price"), pair, strict=True)
    }
