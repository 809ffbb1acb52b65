"""A priced bill in plain words: what applies, what does not and why, what would change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.coupons import selectors
from marketing.coupons.code_symbols import key_of, normalise
from marketing.coupons.pricing.answer import CodeDecision, Decision, PricedLine, Quote, Verdict
from marketing.coupons.selectors import Priced
from marketing.coupons.wording import Names, reason_in_words, unlock_in_words
from marketing.coupons.wording.amounts import rupees

# So many that could still apply stand in sight.
NEAR = 4
POINTS_REASONS = {
    "not_enough": gettext_lazy("She does not have so many points."),
    "below_least": gettext_lazy("Fewer points than may be used at a time."),
    "above_most": gettext_lazy("More points than may be used on this bill."),
    "customer_required": gettext_lazy("Say who she is, to use points."),
    "programme_off": gettext_lazy("The points programme is switched off."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferWords:
    """`amount` is paise given, or what it would give alone."""

    pk: str
    name: str
    code: str
    amount: int
    why: Sequence[str] = ()
    unlock: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteWords:
    """What does not apply: `typed` by their codes, `near` could still, `others` stand folded.

    `codes` open nothing: each with why, and with its field on the page where it is the first of it.
    """

    quote: Quote
    hash: str
    lines: Sequence[tuple[PricedLine, str]]
    applied: Sequence[OfferWords]
    typed: Sequence[OfferWords]
    near: Sequence[OfferWords]
    others: Sequence[OfferWords]
    codes: Sequence[tuple[str, Sequence[str], str]]
    points: Mapping[str, Any] = field(default_factory=dict)
    points_fault: str = ""
    referral: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seen(self) -> str:
        """What was shown, to tell later what has changed: to pay, and the offers."""
        return " ".join([str(self.quote.payable), *(one.pk for one in self.applied)])


def in_words(priced: Priced, names: Mapping[str, str], friends_code: str = "") -> QuoteWords:
    """`names` are of the lines' services, by id; `friends_code` is what was typed as one. At most
    five statements more."""
    quote = priced.quote
    waiting = [one for one in quote.decisions if one.unlock]
    terms = [priced.catalogue.by_id[one.offer].terms for one in waiting]
    known = selectors.names_of(terms) if terms else Names()
    told = {one.offer: _offer(priced, one, known) for one in quote.decisions}
    given = {one.offer: one for one in quote.applied}
    refused = [one for one in quote.decisions if one.offer not in given]
    rest = [one for one in refused if not one.code]
    points = dict(priced.told.get("points", {}))
    return QuoteWords(
        quote=quote,
        hash=priced.quote_hash,
        lines=[
            (line, names.get(entry.service, ""))
            for line, entry in zip(quote.lines, priced.facts.cart.lines, strict=True)
        ],
        applied=[
            OfferWords(
                pk=one.offer,
                name=name_of(priced, one.offer),
                code=one.code,
                amount=one.amount,
                unlock=told[one.offer].unlock if one.offer in told else (),
            )
            for one in quote.applied
        ],
        typed=[told[one.offer] for one in refused if one.code],
        near=[told[one.offer] for one in rest if one.unlock][:NEAR],
        others=[told[one.offer] for one in rest if not one.unlock]
        + [told[one.offer] for one in rest if one.unlock][NEAR:],
        codes=_of_fields(
            [
                one
                for one in quote.codes
                if one.verdict is Verdict.BLOCKED and one.offer not in told
            ],
            friends_code,
        ),
        points=points,
        points_fault=str(POINTS_REASONS.get(points.get("reason") or "", "")),
        referral=priced.told.get("referral", {}),
    )


def _of_fields(
    codes: Sequence[CodeDecision], friends_code: str
) -> list[tuple[str, list[str], str]]:
    named: set[str] = set()
    rows = []
    for one in codes:
        is_friends = key_of(normalise(one.code)) == key_of(normalise(friends_code))
        place = "referral" if is_friends else "codes"
        why = [reason_in_words(each) for each in one.reasons]
        rows.append((one.code, why, "" if place in named else place))
        named.add(place)
    return rows


def name_of(priced: Priced, offer: str) -> str:
    found = priced.catalogue.by_id.get(offer)
    return found.terms.name if found else ""


def changes(seen: str, now: QuoteWords, names: Mapping[str, str]) -> list[str]:
    """What differs from what was `seen`, a sentence each; `names` are of all offers then shown."""
    payable, *offers = seen.split() or ["0"]
    here = {one.pk: one.name for one in now.applied}
    reasons = {one.pk: one for one in (*now.typed, *now.near, *now.others)}
    told = []
    for pk in offers:
        if pk not in here:
            name = names.get(pk) or _("An offer")
            why = ", ".join(reasons[pk].why) if pk in reasons else ""
            told.append(
                _("%(offer)s does not apply any more: %(why)s") % {"offer": name, "why": why}
                if why
                else _("%(offer)s does not apply any more.") % {"offer": name}
            )
    told += [
        _("%(offer)s applies now.") % {"offer": name}
        for pk, name in here.items()
        if pk not in offers
    ]
    if payable.isdecimal() and int(payable) != now.quote.payable:
        told.append(
            _("To pay are %(now)s instead of %(then)s.")
            % {"now": rupees(now.quote.payable), "then": rupees(int(payable))}
        )
    return told


def _offer(priced: Priced, one: Decision, known: Names) -> OfferWords:
    why = list(dict.fromkeys(reason_in_words(reason) for reason in one.reasons))
    if one.verdict is Verdict.BEATEN and one.beaten_by:
        others = " + ".join(filter(None, (name_of(priced, pk) for pk in one.beaten_by)))
        why = [f"{', '.join(why)}: {others}"]
    return OfferWords(
        pk=one.offer,
        name=name_of(priced, one.offer),
        code=one.code,
        amount=one.saving,
        why=why,
        unlock=[unlock_in_words(step, known) for step in one.unlock],
    )
