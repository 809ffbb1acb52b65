"""Unsaved terms tried out: on the sample bill, and on the bills of the past."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.coupons import selectors, services
from marketing.coupons.forms import Choices, OfferForm, SampleForm
from marketing.coupons.models import Offer
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.views.words import decision_in_words
from marketing.coupons.wording import headline


@dataclass
class Trial:
    """Terms as the form has them now, or None with the `faults` that keep them from being any."""

    actor: Actor
    choices: Choices
    terms: OfferTerms | None
    faults: list[tuple[str, str]]
    bill: SampleForm

    @classmethod
    def of_post(cls, request: StaffRequest, choices: Choices) -> "Trial":
        """What the browser has in its form; the offer of `offer_id` lends what is not in it."""
        offer = _offer_of(request)
        form = OfferForm(request.POST, choices=choices, offer=offer)
        form.is_valid()
        return cls._tried(request, form, choices, offer)

    @classmethod
    def of_form(cls, request: StaffRequest, form: OfferForm, choices: Choices) -> "Trial":
        """The form as it is shown: judged as if it had been sent, where it was not."""
        if not form.is_bound:
            form = _as_sent(form, choices)
        form.is_valid()
        return cls._tried(request, form, choices, form.offer)

    @classmethod
    def _tried(
        cls, request: StaffRequest, form: OfferForm, choices: Choices, offer: Offer | None
    ) -> "Trial":
        terms, faults = None, []
        wrong = {name: errors for name, errors in form.errors.items() if name not in _UNASKED}
        if wrong:
            faults = [
                (str(form.fields[name].label) if name in form.fields else "", str(each))
                for name, errors in wrong.items()
                for each in errors
            ]
        else:
            try:
                terms = services.read_terms(actor=request.actor, values=form.values(), offer=offer)
            except DomainError as error:
                faults = _faults(form, error)
        usual = [] if request.method == "POST" else selectors.usual_services()
        data = request.POST if request.method == "POST" else None
        return cls(
            actor=request.actor,
            choices=choices,
            terms=terms,
            faults=faults,
            bill=SampleForm(data, choices=choices, usual=usual),
        )

    def sample(self) -> dict[str, Any]:
        """What the panel of the sample bill shows."""
        context: dict[str, Any] = {
            "bill": self.bill,
            "service_choices": self.choices.services,
            "faults": self.faults,
        }
        if self.terms is None:
            return context
        names = selectors.names_of([self.terms])
        priced = selectors.sample_bill(self.actor, self.terms, self.bill.lines(), clock.now())
        context |= {"headline": headline(self.terms, names), "priced": priced}
        if priced is not None:
            context |= decision_in_words(priced.decision, names)
        return context

    def cost(self) -> dict[str, Any]:
        """What the offer would have cost."""
        if self.terms is None:
            return {"faults": self.faults, "asked_cost": True}
        cost = selectors.simulate(self.actor, self.terms, clock.now())
        return {"cost": cost, "by_code": not self.terms.automatic, "asked_cost": True}


# What the sample does not need.
_UNASKED = frozenset({"name", "code", "version"})


def _offer_of(request: StaffRequest) -> Offer | None:
    try:
        pk = uuid.UUID(request.POST.get("offer_id", ""))
    except ValueError:
        return None
    return selectors.get_offer_for_actor(request.actor, pk)


def _as_sent(form: OfferForm, choices: Choices) -> OfferForm:
    data = QueryDict(mutable=True)
    for bound in form:
        value = bound.value()
        if isinstance(value, (list, tuple)):
            data.setlist(bound.name, [str(each) for each in value])
        elif value is True:
            data[bound.name] = "on"
        elif value not in (None, "", False):
            data[bound.name] = str(bound.field.prepare_value(value))
    return OfferForm(data, choices=choices, offer=form.offer, initial=form.initial)


def _faults(form: OfferForm, error: DomainError) -> list[tuple[str, str]]:
    found = []
    for path, messages in error.fields.items():
        name = form.field_of(path)
        label = str(form.fields[name].label) if name else ""
        found += [(label, message) for message in messages]
    return found or [("", str(error.message))]
