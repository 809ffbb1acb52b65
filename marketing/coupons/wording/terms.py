"""What an offer gives, in one line and section by section."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketing.core.templatetags.formats import clock_time, moment
from marketing.coupons.pricing.terms import (
    Basis,
    BudgetPolicy,
    GroupBy,
    Kind,
    Measure,
    OfferTerms,
    Period,
    Pick,
    Scope,
    Selection,
    SpendTier,
    Stacking,
)
from marketing.coupons.rules import first_day, last_day
from marketing.coupons.wording.amounts import hours, listed, rupees, share

WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What ids stand for, as far as it is there; `selectors.names_of` reads them."""

    services: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    tiers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """One matter of the terms; no lines where the offer says nothing about it."""

    key: str
    label: str
    lines: tuple[str, ...]


def headline(terms: OfferTerms, names: Names) -> str:
    """What it gives, in one line: 20% off Hair."""
    what = what_of(terms.selection, names)
    if terms.kind is Kind.PERCENTAGE:
        return _("%(share)s off %(what)s") % {"share": share(terms.rate_bp), "what": what}
    if terms.kind is Kind.FLAT:
        words = {
            Scope.BILL: _("%(amount)s off %(what)s"),
            Scope.LINE: _("%(amount)s off each line of %(what)s"),
            Scope.UNIT: _("%(amount)s off each of %(what)s"),
        }
        return words[terms.scope] % {"amount": rupees(terms.amount), "what": what}
    if terms.kind is Kind.FIXED_PRICE:
        return _("%(what)s for %(amount)s each") % {"what": what, "amount": rupees(terms.amount)}
    if terms.kind is Kind.FREE_SERVICE:
        if terms.free_units == 1:
            return _("One free: %(what)s") % {"what": what}
        return _("%(count)d free: %(what)s") % {"count": terms.free_units, "what": what}
    if terms.kind is Kind.BUY_X_GET_Y:
        return _buy_get(terms, names)
    if terms.kind is Kind.BUNDLE:
        return _bundle(terms, names)
    return _tiers(terms)


def what_of(selection: Selection, names: Names, whole: str = "") -> str:
    """The services an offer is for: named, or all of them as `whole` says, the bill unless said."""
    inside = [
        listed(selection.categories, names.categories),
        listed(selection.services, names.services),
    ]
    outside = [
        listed(selection.excluded_categories, names.categories),
        listed(selection.excluded_services, names.services),
    ]
    what = ", ".join(filter(None, inside)) or whole or _("the bill")
    without = ", ".join(filter(None, outside))
    if not without:
        return what
    return _("%(what)s without %(without)s") % {"what": what, "without": without}


def sections(terms: OfferTerms, names: Names) -> list[Section]:
    """All the terms, matter by matter, in the order in which the editor has them."""
    return [
        Section("gives", _("It gives"), tuple(_gives(terms, names))),
        Section("what", _("On what"), tuple(_what(terms, names))),
        Section("whom", _("For whom"), tuple(_whom(terms, names))),
        Section("where", _("Where"), tuple(_where(terms, names))),
        Section("when", _("When"), tuple(_when(terms))),
        Section("least", _("The bill has"), tuple(_least(terms, names))),
        Section("limits", _("How often"), tuple(_limits(terms))),
        Section("beside", _("Beside other offers"), tuple(_beside(terms))),
    ]


def _buy_get(terms: OfferTerms, names: Names) -> str:
    deal = terms.buy_get
    if deal is None:
        return ""
    bought = rupees(deal.buy_amount) if deal.buy_amount else str(deal.buy_quantity)
    got = {"bought": bought, "count": deal.get_quantity, "share": share(deal.rate_bp)}
    deal_in_words = (
        _("Buy %(bought)s, get %(count)d free")
        if deal.rate_bp == WHOLE
        else _("Buy %(bought)s, get %(count)d at %(share)s off")
    ) % got
    if deal.get is not None:
        return f"{deal_in_words}: {what_of(deal.get, names, _('any service'))}"
    if terms.selection == Selection():
        return deal_in_words
    return f"{deal_in_words}: {what_of(terms.selection, names)}"


def _bundle(terms: OfferTerms, names: Names) -> str:
    bundle = terms.bundle
    if bundle is None:
        return ""
    parts = [
        f"{part.quantity} × {what}" if part.quantity > 1 else what
        for part in bundle.parts
        for what in [what_of(part.selection, names, _("any service"))]
    ]
    return _("%(parts)s together for %(price)s") % {
        "parts": " + ".join(parts),
        "price": rupees(bundle.price),
    }


def _tiers(terms: OfferTerms) -> str:
    return "; ".join(_tier(tier) for tier in terms.tiers)


def _tier(tier: SpendTier) -> str:
    off = share(tier.rate_bp) if tier.rate_bp else rupees(tier.amount)
    return _("%(off)s off from %(amount)s on") % {"amount": rupees(tier.threshold), "off": off}


def _gives(terms: OfferTerms, names: Names) -> Iterator[str]:
    yield headline(terms, names)
    if terms.scope is Scope.LINE and terms.kind in (Kind.PERCENTAGE, Kind.SPEND_TIERS):
        yield _("Reckoned line by line")
    deal, bundle = terms.buy_get, terms.bundle
    if terms.kind is Kind.BUY_X_GET_Y and deal is not None:
        yield (
            _("The cheapest are reduced")
            if deal.pick is Pick.CHEAPEST
            else _("The dearest are reduced")
        )
        if deal.get is not None:
            yield _("What is bought: %(what)s") % {"what": what_of(terms.selection, names)}
    most = deal.max_groups if deal else bundle.max_groups if bundle else None
    if most:
        yield ngettext("Once a bill", "At most %(count)d times a bill", most) % {"count": most}
    caps = terms.caps
    if caps.bill is not None:
        yield _("At most %(amount)s a bill") % {"amount": rupees(caps.bill)}
    if caps.line is not None:
        yield _("At most %(amount)s a line") % {"amount": rupees(caps.line)}
    if caps.floor_price:
        yield _("Nothing is sold below %(amount)s") % {"amount": rupees(caps.floor_price)}


def _what(terms: OfferTerms, names: Names) -> Iterator[str]:
    chosen = terms.selection
    if chosen.categories:
        yield _("Categories: %(names)s") % {"names": listed(chosen.categories, names.categories)}
    if chosen.services:
        yield _("Services: %(names)s") % {"names": listed(chosen.services, names.services)}
    out = (
        *((chosen.excluded_categories, names.categories),),
        *((chosen.excluded_services, names.services),),
    )
    without = ", ".join(filter(None, (listed(ids, known) for ids, known in out)))
    if without:
        yield _("Not: %(names)s") % {"names": without}
    if terms.skip_discounted:
        yield _("Not on what is reduced already")
    if terms.skip_addons:
        yield _("Not on add-ons")


def _whom(terms: OfferTerms, names: Names) -> Iterator[str]:
    who = terms.audience
    if who.segments:
        yield _("Customers in %(names)s") % {"names": listed(who.segments, names.segments)}
    if who.excluded_segments:
        yield _("Nobody in %(names)s") % {"names": listed(who.excluded_segments, names.segments)}
    if who.tiers:
        yield _("Tiers: %(names)s") % {"names": listed(who.tiers, names.tiers)}
    if who.nth_visit == 1:
        yield _("On the first visit")
    elif who.nth_visit:
        yield _("On visit number %(count)d") % {"count": who.nth_visit}


def _where(terms: OfferTerms, names: Names) -> Iterator[str]:
    places = terms.places
    if places.branches:
        yield listed(places.branches, names.branches)
    if places.excluded_branches:
        yield _("Not in %(names)s") % {"names": listed(places.excluded_branches, names.branches)}


def _when(terms: OfferTerms) -> Iterator[str]:
    table = terms.timetable
    first = _day_or_moment(table.starts, first_day(terms)) if table.starts else None
    last = _day_or_moment(table.ends, last_day(terms)) if table.ends else None
    if table.starts and table.ends and first_day(terms) == last_day(terms):
        yield _one_day(table.starts, table.ends)
    elif first and last:
        yield _("From %(first)s to %(last)s") % {"first": first, "last": last}
    elif first:
        yield _("From %(day)s") % {"day": first}
    elif last:
        yield _("Until %(day)s") % {"day": last}
    yield from (hours(window) for window in table.hours)
    for span in table.blackouts:
        yield _("Not from %(first)s to %(last)s") % {
            "first": date_format(span.first, "j M Y"),
            "last": date_format(span.last, "j M Y"),
        }


def _one_day(starts: dt.datetime, ends: dt.datetime) -> str:
    words = {
        "day": date_format(starts, "j M Y"),
        "first": clock_time(starts),
        "last": clock_time(ends),
    }
    is_begun, is_whole = starts.time() == dt.time(), ends.time() == dt.time()
    if is_begun and is_whole:
        return _("On %(day)s") % words
    if is_begun:
        return _("On %(day)s until %(last)s") % words
    if is_whole:
        return _("On %(day)s from %(first)s on") % words
    return _("On %(day)s from %(first)s to %(last)s") % words


def _day_or_moment(at: dt.datetime, day: dt.date | None) -> str:
    if at.time() == dt.time() and day is not None:
        return date_format(day, "j M Y")
    return moment(at)


def _least(terms: OfferTerms, names: Names) -> Iterator[str]:
    asked = terms.thresholds
    of = _("of what the offer is for") if asked.measure is Measure.ELIGIBLE else _("in all")
    if asked.min_amount is not None:
        yield _("At least %(amount)s") % {"amount": rupees(asked.min_amount)} + f" {of}"
    if asked.max_amount is not None:
        yield _("At most %(amount)s") % {"amount": rupees(asked.max_amount)} + f" {of}"
    if asked.basis is Basis.RUNNING and (asked.min_amount or asked.max_amount):
        yield _("By what is left after other offers")
    if asked.min_quantity > 1:
        words = _("At least %(count)d of the services") % {"count": asked.min_quantity}
        yield words if terms.group_by is GroupBy.BILL else f"{words}, {_('done on one day')}"
    if asked.requires is not None:
        yield _("With it %(count)d × %(what)s") % {
            "count": asked.requires_quantity,
            "what": what_of(asked.requires, names),
        }


def _limits(terms: OfferTerms) -> Iterator[str]:
    limits = terms.limits
    if limits.total is not None:
        yield ngettext("Once in all", "%(count)d times in all", limits.total) % {
            "count": limits.total
        }
    if limits.per_customer is not None:
        yield ngettext(
            "Once for each customer", "%(count)d times for each customer", limits.per_customer
        ) % {"count": limits.per_customer}
    if limits.per_period is not None:
        yield _PERIODS[limits.period](limits.per_period) % {"count": limits.per_period}
    if limits.per_branch is not None:
        yield ngettext(
            "Once in each branch", "%(count)d times in each branch", limits.per_branch
        ) % {"count": limits.per_branch}
    if limits.budget is not None:
        words = _("Until %(amount)s are given away") % {"amount": rupees(limits.budget)}
        partial = limits.budget_policy is BudgetPolicy.PARTIAL
        last = _("the last bill gets the rest") if partial else _("the last bill gets all or none")
        yield f"{words}; {last}"


_PERIODS = {
    Period.DAY: lambda n: ngettext(
        "Once a day for each customer", "%(count)d times a day for each customer", n
    ),
    Period.WEEK: lambda n: ngettext(
        "Once a week for each customer", "%(count)d times a week for each customer", n
    ),
    Period.MONTH: lambda n: ngettext(
        "Once a month for each customer", "%(count)d times a month for each customer", n
    ),
    Period.YEAR: lambda n: ngettext(
        "Once a year for each customer", "%(count)d times a year for each customer", n
    ),
}


def _beside(terms: OfferTerms) -> Iterator[str]:
    how = terms.combining
    yield {
        Stacking.NONE: _("Alone on the bill"),
        Stacking.INVOICE: _("Beside others on the bill, each line has one"),
        Stacking.ITEM: _("Beside others, also on the same line"),
    }[how.stacking]
    if how.tags:
        yield _("Carries: %(names)s") % {"names": ", ".join(sorted(how.tags))}
    if how.combines_with is not None:
        named = ", ".join(sorted(how.combines_with)) or _("nothing")
        yield _("Only beside offers that carry: %(names)s") % {"names": named}
    if how.priority:
        yield _("Priority %(number)d") % {"number": how.priority}
