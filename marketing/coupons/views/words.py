"""What became of an offer on a bill, for people."""

from typing import Any

from marketing.coupons.pricing.answer import Decision, Verdict
from marketing.coupons.wording import Names, reason_in_words, unlock_in_words


def decision_in_words(decision: Decision | None, names: Names) -> dict[str, Any]:
    """Why it does not apply, and what would change that."""
    if decision is None:
        return {"why_not": [], "unlocks": []}
    applied = decision.verdict is Verdict.APPLIED
    return {
        "why_not": [] if applied else [reason_in_words(why) for why in decision.reasons],
        "unlocks": [unlock_in_words(step, names) for step in decision.unlock],
    }
