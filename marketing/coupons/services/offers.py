"""Offers made, changed and switched off; each change is a revision that past bills keep."""

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from marketing.core import audit, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, Forbidden, ValidationFailed
from marketing.core.templatetags.formats import format_number
from marketing.coupons.code_symbols import normalise, printed, tails
from marketing.coupons.models import CatalogueMark, Offer, OfferRevision, OfferUse
from marketing.coupons.owners import kept_terms, owner_of
from marketing.coupons.pricing.canonical import encode
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.pricing.terms_check import terms_faults
from marketing.coupons.pricing.wire import WireError, read_offer
from marketing.coupons.rules import first_day, last_day
from marketing.coupons.selectors.offers import body_of, terms_of
from marketing.coupons.services.locks import change_of_offers
from marketing.coupons.services.recounting import recount
from marketing.coupons.services.typed_codes import set_typed_code
from marketing.coupons.wording.amounts import rupees
from marketing.coupons.wording.faults import faults_at_fields
from marketing.segments.models import Segment
from marketing.segments.selectors import narrow_branches

MAX_NAME = 100
# Of a code that is made for an offer that everybody may type.
SYMBOLS = 8
MAX_DESCRIPTION = 2000
# Of the offer itself, not of its terms.
OWN = frozenset({"description", "code", "reusableAfterCancel", "campaignId"})
# Where two fields say the same, the one that is set now takes the other's place.
SAID_BY = {
    "allowStacking": "stacking",
    "validFrom": "startsAt",
    "validUntil": "endsAt",
    "firstVisitOnly": "nthVisit",
}
# None is an answer for these, where leaving them out is Module 11's default.
NONE_IS_SAID = frozenset({"maxUsesPerCustomer"})
LIMITS = (
    "max_total_uses",
    "max_uses_per_customer",
    "max_uses_per_branch",
    "max_uses_per_period",
    "use_period",
    "budget",
)


@transaction.atomic
def create_offer(*, actor: Actor, body: Mapping[str, Any]) -> Offer:
    """Make an offer from the API's fields: Module 11's coupon, or more.

    With `code` it can be typed by everybody; without one it applies by itself (`automatic`) or by
    the codes made for it. Whoever has branches only makes offers for these. Raises
    `ValidationFailed` with each field at fault.
    """
    actor.require("coupon.manage")
    kept = _kept(actor, {key: value for key, value in body.items() if key not in OWN})
    terms = _terms(kept, "new")
    _require_one_way(terms, body.get("code"))
    with change_of_offers():
        offer = Offer(**_columns(terms), **_own(body), created_by=actor.user)
        offer.save()
        _revise(actor, offer, terms, kept)
        if body.get("code"):
            set_typed_code(offer, str(body["code"]))
        audit.record(actor, "coupon.create", offer, {"name": offer.name, "terms": kept})
        events.record(
            "coupon.created",
            {"couponId": str(offer.pk), "userId": actor.user_id and str(actor.user_id)},
            actor_id=actor.user_id,
        )
    return offer


@transaction.atomic
def update_offer(
    *,
    actor: Actor,
    offer: Offer,
    values: Mapping[str, Any],
    version: int | None = None,
    by_owner: bool = False,
) -> Offer:
    """Change the API's fields that are given; None takes one back to its default.

    Bills reserved before keep what was promised. Raises `Conflict` when `version` is given and no
    longer the offer's (`details["current"]`), and `ValidationFailed` as `create_offer`, also for
    a limit or budget below what is used, and for what another module keeps, unless it is this
    that changes it (`by_owner`).
    """
    actor.require("coupon.manage")
    with change_of_offers():
        offer = Offer.objects.select_for_update().get(pk=offer.pk)
        if version is not None and version != offer.version:
            raise Conflict(details={"current": offer.version})
        before = body_of(offer)
        _require_branches(actor, before)
        kept = _kept(actor, _merged(before, values))
        is_only_switched = {**before, "isActive": None} == {**kept, "isActive": None}
        terms = _terms(kept, str(offer.pk), may_stand=is_only_switched)
        code = str(values.get("code") or "") if "code" in values else offer.code
        if not values.keys().isdisjoint(("automatic", "code")):
            _require_one_way(terms, code)
        if not by_owner:
            _require_free(offer, kept_terms(terms, code))
        former = {name: getattr(offer, name) for name in LIMITS}
        changes = {
            name: [before.get(name), kept.get(name)]
            for name in sorted({*before, *kept})
            if before.get(name) != kept.get(name)
        }
        for name, value in {**_columns(terms), **_own(values)}.items():
            if name not in ("name", *LIMITS) and getattr(offer, name) != value:
                changes.setdefault(name, [getattr(offer, name), value])
            setattr(offer, name, value)
        if "code" in values and (values["code"] or "") != offer.code:
            changes["code"] = [offer.code, values["code"]]
            set_typed_code(offer, str(values["code"] or ""))
        if not changes:
            return offer
        if former != {name: getattr(offer, name) for name in LIMITS}:
            counters_of_new_limits(offer)
        offer.version += 1
        if before != kept:
            offer.revision += 1
        offer.save()
        if before != kept:
            _revise(actor, offer, terms, kept)
        audit.record(actor, "coupon.update", offer, changes)
    return offer


def read_terms(
    *, actor: Actor, values: Mapping[str, Any], offer: Offer | None = None
) -> OfferTerms:
    """The terms as `create_offer` or `update_offer` would save them; nothing is saved.

    Raises `ValidationFailed` as these do. A name is not asked for yet.
    """
    actor.require("coupon.manage")
    before = {} if offer is None else body_of(offer)
    named = {**values, "name": values.get("name") or before.get("name") or "–"}
    return _terms(_kept(actor, _merged(before, named)), str(offer.pk) if offer else "new")


def create_coupon(*, actor: Actor, body: Mapping[str, Any]) -> Offer:
    """`create_offer` with a code that is made where `body` has none."""
    code = normalise(str(body.get("code") or ""))
    return create_offer(actor=actor, body={**body, "code": code or printed("", *tails(1, SYMBOLS))})


def deactivate_offer(*, actor: Actor, offer: Offer, version: int | None = None) -> Offer:
    """Switch the offer off for new bills; off twice is off. `version` as in `update_offer`."""
    return update_offer(actor=actor, offer=offer, values={"isActive": False}, version=version)


def require_own(actor: Actor, offer: Offer) -> None:
    """Raises `Forbidden` unless the offer is for branches of the actor's alone."""
    if actor.branch_ids is not None:
        _require_branches(actor, body_of(offer))


def counters_of_new_limits(offer: Offer) -> None:
    """Count for the limits that the offer has from now on, and refuse those passed already."""
    Offer.objects.filter(pk=offer.pk).update(**{name: getattr(offer, name) for name in LIMITS})
    recount([offer.pk])
    uses = OfferUse.objects.filter(offer=offer)
    whole = uses.filter(branch=None).first()
    fields: dict[str, list[str]] = {}
    message = _("More than that is used or reserved already: %(used)s.")
    if whole is not None:
        used, spent = whole.used + whole.reserved, whole.spent + whole.held
        if offer.max_total_uses is not None and used > offer.max_total_uses:
            fields["maxTotalUses"] = [message % {"used": format_number(used)}]
        if offer.budget is not None and spent > offer.budget:
            fields["budget"] = [message % {"used": rupees(spent)}]
    if offer.max_uses_per_branch is not None:
        here = uses.exclude(branch=None).aggregate(most=Max(F("used") + F("reserved")))["most"]
        if here is not None and here > offer.max_uses_per_branch:
            fields["maxUsesPerBranch"] = [message % {"used": format_number(here)}]
    if fields:
        raise ValidationFailed(fields=fields)


def _merged(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    said = {key: value for key, value in values.items() if key not in OWN}
    merged = dict(before)
    for name, other in SAID_BY.items():
        if name in said and other not in said:
            merged.pop(other, None)
        if other in said and name not in said:
            merged.pop(name, None)
    return merged | said


def _kept(actor: Actor, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is kept: without what says nothing, within the actor's branches."""
    kept = {
        name: value for name, value in body.items() if value is not None or name in NONE_IS_SAID
    }
    name = str(kept.get("name") or "").strip()
    if not name or len(name) > MAX_NAME:
        message = _("Give a name of at most %(max)d characters.") % {"max": MAX_NAME}
        raise ValidationFailed(fields={"name": [message]})
    kept["name"] = name
    branches = narrow_branches(actor, _uuids(kept, "branchIds") or None)
    if branches is not None:
        kept["branchIds"] = [str(pk) for pk in branches]
    _require_segments(kept)
    return kept


def _require_free(offer: Offer, wanted: Mapping[str, Any]) -> None:
    """Raises `ValidationFailed` at what another module keeps of the offer and would be changed."""
    owner = owner_of(offer.pk)
    if owner is None:
        return
    now = kept_terms(terms_of(offer), offer.code)
    fields = {name: [str(owner.refused)] for name in now if now[name] != wanted[name]}
    if fields:
        raise ValidationFailed(fields=fields)


def may_change(actor: Actor, body: Mapping[str, Any]) -> bool:
    """Whoever has some branches changes only offers that are for these alone."""
    theirs = _uuids(body, "branchIds")
    return actor.can("coupon.manage") and (
        actor.branch_ids is None or bool(theirs and set(theirs) <= actor.branch_ids)
    )


def _require_branches(actor: Actor, body: Mapping[str, Any]) -> None:
    if not may_change(actor, body):
        raise Forbidden(_("The offer holds in branches that are not yours."))


def _require_segments(body: Mapping[str, Any]) -> None:
    for field in ("segmentIds", "excludedSegmentIds"):
        asked = set(_uuids(body, field))
        if field == "segmentIds" and body.get("segmentId"):
            asked |= set(_uuids({"segmentId": [body["segmentId"]]}, "segmentId"))
        if asked and Segment.objects.filter(pk__in=asked, is_active=True).count() < len(asked):
            raise ValidationFailed(fields={field: [_("There is no such segment.")]})


def _uuids(body: Mapping[str, Any], field: str) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(str(value)) for value in body.get(field) or ()]
    except (ValueError, TypeError) as error:
        raise ValidationFailed(fields={field: [_("These are no ids.")]}) from error


def _terms(body: Mapping[str, Any], pk: str, *, may_stand: bool = False) -> OfferTerms:
    """`may_stand`: also terms that nobody could save today, such as an offer had before."""
    try:
        terms = read_offer(body, offer=pk)
    except WireError as error:
        raise ValidationFailed(fields={error.path: [error.message]}) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        field = str(error.args[0]) if isinstance(error, KeyError) else "terms"
        raise ValidationFailed(fields={field: [_("This cannot be read.")]}) from error
    if not may_stand and (faults := terms_faults(terms)):
        raise ValidationFailed(fields=faults_at_fields(faults))
    return terms


def _require_one_way(terms: OfferTerms, code: object) -> None:
    if terms.automatic and code:
        message = _("An offer that applies by itself has no code.")
        raise ValidationFailed(fields={"code": [message]})


def _columns(terms: OfferTerms) -> dict[str, Any]:
    """What lists and counters read of the terms."""
    limits = terms.limits
    return {
        "name": terms.name,
        "kind": terms.kind.value,
        "is_active": terms.active,
        "is_automatic": terms.automatic,
        "valid_from": first_day(terms),
        "valid_until": last_day(terms),
        "priority": terms.combining.priority,
        "max_total_uses": limits.total,
        "max_uses_per_customer": limits.per_customer,
        "max_uses_per_branch": limits.per_branch,
        "max_uses_per_period": limits.per_period,
        "use_period": limits.period.value,
        "budget": limits.budget,
    }


def _own(body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "description" in body:
        found["description"] = str(body["description"] or "").strip()
        if len(found["description"]) > MAX_DESCRIPTION:
            message = _("At most %(max)d characters.") % {"max": MAX_DESCRIPTION}
            raise ValidationFailed(fields={"description": [message]})
    if "reusableAfterCancel" in body:
        found["reusable_after_cancel"] = body["reusableAfterCancel"] is not False
    if "campaignId" in body:
        value = body["campaignId"]
        found["campaign_id"] = _uuids({"campaignId": [value]}, "campaignId")[0] if value else None
    return found


def _revise(actor: Actor, offer: Offer, terms: OfferTerms, body: Mapping[str, Any]) -> None:
    terms = dataclasses.replace(terms, id=str(offer.pk), revision=offer.revision)
    OfferRevision.objects.create(
        offer=offer,
        revision=offer.revision,
        body=dict(body),
        terms=orjson.loads(encode(terms)),
        # The trigger has moved it: nobody else can, before we commit.
        since=CatalogueMark.objects.values_list("number", flat=True).get(),
        made_by=actor.user,
    )
