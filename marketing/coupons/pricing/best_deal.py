"""Which offers apply together: the bounded best deal, or by priority (offers.md 5.4).

Offers are always applied in one order (stage, priority, id), so a set has one price. Sets are
walked as a tree in that order, each adding one offer to the state before it; a branch is left
when even the sum of what its offers could give at best does not reach what was found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from marketing.coupons.pricing.compiled import combine
from marketing.coupons.pricing.effects import Candidate, Effect, apply, effect, saving
from marketing.coupons.pricing.facts import Settings
from marketing.coupons.pricing.running import Bill, State
from marketing.coupons.pricing.terms import Kind

OutOfTime = Callable[[], bool]


@dataclass(slots=True)
class Deal:
    """Candidates that apply, in order, and what they save together."""

    chosen: tuple[Candidate, ...] = ()
    saved: int = 0

    @property
    def offers(self) -> tuple[str, ...]:
        return tuple(candidate.offer.id for candidate in self.chosen)


@dataclass(slots=True)
class Contender:
    """A candidate with what it saves alone."""

    candidate: Candidate
    alone: int


def contend(candidate: Candidate, bill: Bill, settings: Settings) -> Contender:
    """What the candidate is worth by itself."""
    return Contender(candidate, saving(candidate, bill, bill.start, settings.max_bill_discount))


def by_worth(contender: Contender) -> tuple[int, int, str]:
    """The order in which automatic offers are let into the comparison."""
    offer = contender.candidate.offer
    return -contender.alone, -offer.terms.combining.priority, offer.id


def in_order(
    contenders: Sequence[Contender], bill: Bill, settings: Settings, must: bool = False
) -> Deal:
    """What fits by priority, each kept if it still gives something beside those kept before.

    With `must` the codes are taken first.
    """
    by_priority = sorted(
        contenders,
        key=lambda one: (
            not (must and one.candidate.code),
            -one.candidate.offer.terms.combining.priority,
            one.candidate.offer.order,
        ),
    )
    deal = Deal()
    for one in by_priority:
        new = one.candidate
        if not new.code and sum(not kept.code for kept in deal.chosen) >= settings.stack_size:
            continue
        if all(combine(new.offer, kept.offer) for kept in deal.chosen):
            trial = sorted((*deal.chosen, new), key=lambda kept: kept.offer.order)
            taken, after = steps(trial, bill, settings)
            if all(step.done.total for step in taken):
                deal = Deal(tuple(trial), after.saved)
    return deal


@dataclass(slots=True)
class Step:
    """One offer as it is applied: the state it finds, and what it takes off."""

    candidate: Candidate
    before: State
    done: Effect


def steps(chosen: Sequence[Candidate], bill: Bill, settings: Settings) -> tuple[list[Step], State]:
    """`chosen` (in their order) applied one by one, and the state after all."""
    state = bill.start
    taken = []
    for candidate in chosen:
        done = effect(candidate, bill, state, room(settings, state))
        taken.append(Step(candidate, state, done))
        if done.total:
            state = apply(candidate, state, done, bill)
    return taken, state


class Search:
    """The best deal among contenders; `bounded` when time ran out before all was compared."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        bill: Bill,
        settings: Settings,
        out_of_time: OutOfTime,
        must: bool = False,
    ) -> None:
        """With `must` only sets with every code of `contenders` count."""
        self._all = sorted(contenders, key=lambda one: one.candidate.offer.order)
        self._bill = bill
        self._settings = settings
        self._out_of_time = out_of_time
        self._codes = sum(bool(one.candidate.code) for one in self._all) if must else 0
        self._must = must
        self._friends = self._friendships()
        self._reach = self._reaches()
        self.best = Deal()
        self._best_key: tuple[object, ...] | None = None
        self.tried = 0
        self.bounded = False

    def run(self) -> Deal:
        for one in self._all:
            self._offer((one.candidate,), one.alone)
        if self._must:
            # However little time there is, a set with every code is not overlooked.
            self._offer_in_order()
        everybody = (1 << len(self._all)) - 1
        self._walk(0, self._bill.start, (), everybody, self._settings.stack_size)
        if self.bounded and not self._must:
            # Nor is what simply fits together: the walk may have come to single offers only.
            self._offer_in_order()
        return self.best

    def _offer_in_order(self) -> None:
        deal = in_order(self._all, self._bill, self._settings, self._must)
        self._offer(deal.chosen, deal.saved)

    def _walk(
        self, begin: int, state: State, chosen: tuple[Candidate, ...], allowed: int, autos: int
    ) -> None:
        for i in range(begin, len(self._all)):
            if not self._worth_it(state.saved + self._reach[i][autos], len(chosen)):
                return
            one = self._all[i]
            candidate = one.candidate
            code = bool(candidate.code)
            if allowed >> i & 1 and (code or autos):
                if self._out_of_time():
                    self.bounded = True
                    return
                self._take(i, state, chosen, allowed, autos)
                if self.bounded:
                    return
            if code and self._must:
                return

    def _take(
        self, i: int, state: State, chosen: tuple[Candidate, ...], allowed: int, autos: int
    ) -> None:
        candidate = self._all[i].candidate
        self.tried += 1
        left_to_give = room(self._settings, state)
        left = autos - (0 if candidate.code else 1)
        friends = allowed & self._friends[i]
        taken = (*chosen, candidate)
        if not friends >> i + 1 or (not left and not self._reach[i + 1][0]):
            total = saving(candidate, self._bill, state, left_to_give)
            if total:
                self._offer(taken, state.saved + total)
            return
        done = effect(candidate, self._bill, state, left_to_give)
        if done.total:
            saved = state.saved + done.total
            self._offer(taken, saved)
            if self._worth_it(saved + self._reach[i + 1][left], len(taken)):
                after = apply(candidate, state, done, self._bill)
                self._walk(i + 1, after, taken, friends, left)

    def _worth_it(self, reachable: int, size: int) -> bool:
        """Whether a larger set that saves up to `reachable` could be better than the best."""
        if reachable != self.best.saved or self._best_key is None:
            return reachable > self.best.saved or self._best_key is None
        return size < len(self.best.chosen)

    def _offer(self, chosen: tuple[Candidate, ...], saved: int) -> None:
        if not chosen or saved < self.best.saved:
            return
        if self._must and sum(bool(one.code) for one in chosen) < self._codes:
            return
        key = _preference(chosen, saved)
        if self._best_key is None or key < self._best_key:
            self.best, self._best_key = Deal(chosen, saved), key

    def _friendships(self) -> list[int]:
        """For each contender, those it may stand with, as a mask."""
        friends = [0] * len(self._all)
        for i, one in enumerate(self._all):
            for j in range(i + 1, len(self._all)):
                if combine(one.candidate.offer, self._all[j].candidate.offer):
                    friends[i] |= 1 << j
                    friends[j] |= 1 << i
        return friends

    def _reaches(self) -> list[list[int]]:
        """From each place on, the most that codes and up to so many automatic ones could give."""
        codes, autos = 0, [0] * self._settings.stack_size
        reach = [[0] * (self._settings.stack_size + 1)]
        for one in reversed(self._all):
            if one.candidate.code:
                codes += _bound(one, self._bill)
            elif autos:
                autos = sorted([*autos, _bound(one, self._bill)], reverse=True)[:-1]
            reach.append([codes, *(codes + most for most in accumulate(autos))])
        return reach[::-1]


def room(settings: Settings, state: State) -> int | None:
    """What all offers together may still give, if that is bounded."""
    if settings.max_bill_discount is None:
        return None
    return max(0, settings.max_bill_discount - state.saved)


def _preference(chosen: Sequence[Candidate], saved: int) -> tuple[object, ...]:
    """Smaller is better: more saved, fewer offers, higher priority, lower id."""
    priorities = sorted(-one.offer.terms.combining.priority for one in chosen)
    return -saved, len(chosen), priorities, sorted(one.offer.id for one in chosen)


def _bound(contender: Contender, bill: Bill) -> int:
    """The most it could save in any company."""
    if contender.candidate.offer.picks and contender.alone:
        return _dearest(contender.candidate, bill)
    return contender.alone


def _dearest(candidate: Candidate, bill: Bill) -> int:
    """More than the candidate can ever save: everything it may touch, or its dearest units."""
    terms = candidate.offer.terms
    mask = candidate.got
    if terms.kind is not Kind.FREE_SERVICE:
        return sum(bill.start.net[i] for i in bill.members(mask))
    prices = sorted(
        (net for i in bill.members(mask) for net in bill.start.unit_nets(i)),
        reverse=True,
    )
    return sum(prices[: terms.free_units])
