"""GST on what each line costs after its discounts (offers.md 5.6).

A discount at or before the supply leaves the taxable value. Central and state tax are halves
of the tax, the odd paisa with the central one.
"""

from collections.abc import Sequence

from marketing.coupons.pricing.answer import RateTotal
from marketing.coupons.pricing.facts import TaxRounding
from marketing.coupons.pricing.paise import WHOLE, apportion, half_up, share_of

Taxed = tuple[int, int]  # taxable, tax


def tax_lines(
    nets: Sequence[int], rates: Sequence[int | None], *, inclusive: bool, rounding: TaxRounding
) -> list[Taxed]:
    """Taxable value and tax of each line of `nets` paise (with tax in it if `inclusive`).

    Per line, or reckoned once per rate over the bill and spread over its lines: inclusive
    prices then keep their gross sums. A rate of None is not known yet: no tax.
    """
    if rounding is TaxRounding.LINE:
        return [_tax(net, rate or 0, inclusive) for net, rate in zip(nets, rates, strict=True)]
    taxed: list[Taxed] = [(net, 0) for net in nets]
    for rate in sorted({rate for rate in rates if rate}):
        members = [i for i, own in enumerate(rates) if own == rate]
        amounts = [nets[i] for i in members]
        _, tax = _tax(sum(amounts), rate, inclusive)
        for i, part in zip(members, apportion(tax, amounts), strict=True):
            taxed[i] = (nets[i] - part if inclusive else nets[i], part)
    return taxed


def halves(tax: int) -> tuple[int, int]:
    """Central and state tax."""
    return tax - tax // 2, tax // 2


def rate_totals(rates: Sequence[int | None], taxed: Sequence[Taxed]) -> tuple[RateTotal, ...]:
    """Sums of the lines of each known rate, the lower rate first."""
    totals = []
    for rate in sorted({rate for rate in rates if rate is not None}):
        own = [taxed[i] for i, other in enumerate(rates) if other == rate]
        parts = [halves(tax) for _, tax in own]
        totals.append(
            RateTotal(
                tax_rate_bp=rate,
                taxable=sum(taxable for taxable, _ in own),
                cgst=sum(central for central, _ in parts),
                sgst=sum(state for _, state in parts),
            )
        )
    return tuple(totals)


def _tax(net: int, rate_bp: int, inclusive: bool) -> Taxed:
    if not inclusive:
        return net, share_of(net, rate_bp)
    taxable = half_up(net * WHOLE, WHOLE + rate_bp)
    return taxable, net - taxable
