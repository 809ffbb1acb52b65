"""Typed codes: which offer each opens, and what one at fault does to the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from marketing.coupons.pricing.answer import CodeDecision, Decision, Verdict
from marketing.coupons.pricing.bill import Cart, EnteredCode
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason


@dataclass(slots=True)
class TypedCodes:
    """The codes of a cart. `opened` maps an offer to its code; `faults` says why others do not."""

    opened: dict[str, str] = field(default_factory=dict)
    faults: dict[int, Reason] = field(default_factory=dict)

    @property
    def at_fault(self) -> bool:
        """A code typed twice is no fault of the others."""
        return any(why.code is not ReasonCode.CODE_REPEATED for why in self.faults.values())


def open_offers(cart: Cart, catalogue: Catalogue, max_codes: int) -> TypedCodes:
    """Each code's offer, the first code of an offer only, up to `max_codes`."""
    typed = TypedCodes()
    for place, entry in enumerate(cart.codes):
        if entry.fault is not None:
            typed.faults[place] = entry.fault
        elif entry.offer not in catalogue.by_id:
            typed.faults[place] = Reason(ReasonCode.CODE_UNKNOWN)
        elif entry.offer in typed.opened:
            typed.faults[place] = Reason(ReasonCode.CODE_REPEATED)
        elif len(typed.opened) >= max_codes:
            typed.faults[place] = reason(ReasonCode.CODES_TOO_MANY, limit=max_codes)
        else:
            typed.opened[entry.offer] = entry.code
    return typed


def code_decisions(
    codes: Sequence[EnteredCode], typed: TypedCodes, decisions: dict[str, Decision]
) -> tuple[CodeDecision, ...]:
    """What became of each code, in the order typed."""
    answers = []
    for place, entry in enumerate(codes):
        fault = typed.faults.get(place)
        if fault is not None:
            answers.append(
                CodeDecision(
                    code=entry.code, offer=entry.offer, verdict=Verdict.BLOCKED, reasons=(fault,)
                )
            )
        else:
            decision = decisions[entry.offer]
            answers.append(
                CodeDecision(
                    code=entry.code,
                    offer=entry.offer,
                    verdict=decision.verdict,
                    reasons=decision.reasons,
                )
            )
    return tuple(answers)
