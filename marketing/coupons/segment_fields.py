"""What rules ask about offers: which she took, when, how often and for how much, what she holds."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    DecimalField,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from marketing.coupons.models import CouponCode, Offer, Redemption
from marketing.coupons.revocation import IN_FORCE
from marketing.segments import behaviours
from marketing.segments.behaviours import Behaviour
from marketing.segments.customer_behaviours import branches
from marketing.segments.fields import Label, SegmentField, register
from marketing.segments.local_time import LocalDay
from marketing.segments.sources import Column, Computed, HasRow, Lasting, Related
from marketing.segments.value_types import Choice, DaysAgo, Money, Several

OFFERS = _("Offers")
# What was given back in full is as if it had never been.
TAKEN = ~Q(state=Redemption.State.REVERSED)


def register_segment_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        SegmentField(
            "offers_used",
            _("Offers used"),
            Several(),
            Related(Redemption, "offer_id", TAKEN),
            OFFERS,
            choices=_offers,
            phrases={"is_set": _("has used an offer"), "not_set": _("has never used an offer")},
        ),
        SegmentField(
            "last_offer_days",
            _("Last use of an offer"),
            DaysAgo(),
            LatestUse(),
            OFFERS,
            sample=30,
            phrases={"is_set": _("has used an offer"), "not_set": _("has never used an offer")},
        ),
        SegmentField(
            "unused_offer_codes",
            _("Offers with an unused code"),
            Several(lapses=True),
            Related(CouponCode, "offer_id", _open_code(), _holds_still),
            OFFERS,
            choices=_offers,
            phrases={
                "is_set": _("has a code that can be used"),
                "not_set": _("has no code that can be used"),
            },
        ),
        *(
            SegmentField(name, label, Received(), Discount(days), OFFERS, sample=500)
            for name, label, days in (
                ("discount_90_days", _("Discount in the last 90 days"), 90),
                ("discount_365_days", _("Discount in the last 365 days"), 365),
            )
        ),
    )
    behaviours.register(
        Behaviour(
            "offer",
            _("Offers used"),
            _("number of offers used"),
            _uses,
            lambda moment: Q(redeemed_at__gte=moment),
            "-redeemed_at",
            [
                SegmentField("offer", _("Offer"), Choice(), Column("offer_id"), choices=_offers),
                SegmentField(
                    "branch", _("Branch"), Choice(), Column("branch_id"), choices=branches
                ),
                SegmentField("discount", _("Discount"), Money(), Computed(_given()), sample=100),
            ],
        )
    )


def _offers() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in Offer.objects.order_by("-id").values_list("pk", "name")]


def _uses() -> QuerySet[Any]:
    return Redemption.objects.filter(TAKEN, customer__isnull=False)


def _given() -> Combinable:
    """Rupees of a use that were not given back."""
    rupees = DecimalField(max_digits=14, decimal_places=2)
    paise = ExpressionWrapper(F("amount") - F("returned"), output_field=BigIntegerField())
    return ExpressionWrapper(Cast(paise, rupees) / Value(100), output_field=rupees)


def _open_code() -> Q:
    left = Q(max_uses=None) | Q(max_uses__gt=F("used") + F("reserved"))
    return left & IN_FORCE & Q(offer__is_active=True)


def _holds_still(day: LocalDay) -> Q:
    lasts = Q(expires_at=None) | Q(expires_at__gt=day.start(0))
    return lasts & (Q(offer__valid_until=None) | Q(offer__valid_until__gte=day.today))


@dataclass(frozen=True)
class LatestUse(Lasting):
    """When she last used an offer. Later than a moment is she who has a use later than it."""

    def compare(self, lookup: str, value: Any) -> Q:
        if lookup in ("gte", "gt"):
            return self._any((f"redeemed_at__{lookup}", value))
        later = "gte" if lookup == "lt" else "gt"
        return self.is_known() & ~self._any((f"redeemed_at__{later}", value))

    def is_known(self) -> Q:
        return self._any()

    def expression(self) -> Combinable:
        last = _uses().filter(customer_id=OuterRef("pk")).order_by().values("customer_id").annotate(last=Max("redeemed_at"))
        return Subquery(last.values("last"))

    def _any(self, *conditions: tuple[str, Any]) -> Q:
        return Q(HasRow(_uses().filter(*[Q(each) for each in conditions])))


@dataclass(frozen=True)
class Discount:
    """What offers took off her bills in so many days; nothing is an amount, too.

    Added up for everybody at once.
    """

    days: int
    day: LocalDay | None = None

    def on(self, day: LocalDay) -> "Discount":
        return replace(self, day=day)

    def compare(self, lookup: str, value: Any) -> Q:
        if lookup == "in":
            return Q(*[self.compare("exact", each) for each in value], _connector=Q.OR)
        if lookup == "exact":
            return self._more("gte", value) & ~self._more("gt", value)
        if lookup in ("lt", "lte"):
            return ~self._more("gte" if lookup == "lt" else "gt", value)
        return self._more(lookup, value)

    def is_known(self) -> Q:
        return Q()

    def expression(self) -> Combinable:
        hers = self._rows().filter(customer_id=OuterRef("pk")).order_by().values("customer_id")
        total = Subquery(hers.annotate(total=Sum(_given())).values("total"))
        return Coalesce(total, Value(0), output_field=DecimalField(max_digits=14, decimal_places=2))

    def _more(self, lookup: str, value: Any) -> Q:
        """At least, or more than, so much."""
        if value < 0 or (value == 0 and lookup == "gte"):
            return Q(Value(True, BooleanField()))
        paise = self._rows().order_by().values("customer_id").annotate(
            paise=Sum(F("amount") - F("returned"))
        )  # fmt: skip
        return Q(pk__in=paise.filter((f"paise__{lookup}", int(value * 100))).values("customer_id"))

    def _rows(self) -> QuerySet[Any]:
        rows = _uses()
        return (
            rows if self.day is None else rows.filter(redeemed_at__gte=self.day.start(-self.days))
        )


class Received(Money):
    """An amount of the days up to today."""

    uses_clock = True

    def condition(self, source: Any, op: str, operand: Any, day: LocalDay) -> Q:
        return super().condition(source.on(day), op, operand, day)
