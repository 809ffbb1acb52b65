"""The revisions of an offer: who changed what, in words."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketing.core.models import AuditEntry, Staff
from marketing.coupons.models import Offer, OfferRevision
from marketing.coupons.pricing.canonical import from_plain
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.selectors.names import names_of
from marketing.coupons.wording import Names, sections

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """One matter of two terms: in words, before and after (or theirs and yours)."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A revision: what it changed of the one before, nothing for the first."""

    revision: int
    by: str
    at: dt.datetime
    changed: tuple[Difference, ...]


def history_of(offer: Offer) -> list[Change]:
    """The latest revisions, the newest first; a handful of statements whatever their number."""
    found = list(OfferRevision.objects.filter(offer=offer).order_by("-revision")[: SHOWN + 1])
    terms = [_terms(revision) for revision in found]
    names = names_of(terms)
    people = names_of_people({revision.made_by_id for revision in found})
    changes = []
    for place, revision in enumerate(found[:SHOWN]):
        before = terms[place + 1] if place + 1 < len(terms) else None
        changed = () if before is None else differences(before, terms[place], names)
        by = people.get(revision.made_by_id, "")
        changes.append(Change(revision.revision, by, revision.made_at, tuple(changed)))
    return changes


def last_change(offer: Offer) -> AuditEntry | None:
    """Who changed the offer last, its description and code included."""
    acts = AuditEntry.objects.filter(object_type=offer._meta.label_lower, object_id=offer.pk)
    return acts.order_by("-id").first()


def differences(before: OfferTerms, after: OfferTerms, names: Names) -> tuple[Difference, ...]:
    """What the terms say differently, matter by matter."""
    return tuple(_differences(before, after, names))


def names_of_people(user_ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    """The names of staff by their users."""
    wanted = [pk for pk in user_ids if pk is not None]
    return dict(Staff.objects.filter(user__in=wanted).values_list("user", "name"))


def _differences(before: OfferTerms, after: OfferTerms, names: Names) -> Iterator[Difference]:
    if before.name != after.name:
        yield Difference(_("Name"), before.name, after.name)
    if before.active != after.active:
        words = {True: _("On"), False: _("Switched off")}
        yield Difference(_("State"), words[before.active], words[after.active])
    if before.automatic != after.automatic:
        words = {True: _("By itself"), False: _("With a code")}
        yield Difference(_("How customers get it"), words[before.automatic], words[after.automatic])
    for old, new in zip(sections(before, names), sections(after, names), strict=True):
        if old.lines != new.lines:
            yield Difference(old.label, "; ".join(old.lines), "; ".join(new.lines))


def _terms(revision: OfferRevision) -> OfferTerms:
    terms: OfferTerms = from_plain(OfferTerms, revision.terms)
    return terms
