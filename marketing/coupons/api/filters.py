"""What lists of offers, redemptions and codes can be narrowed by."""

import uuid
from typing import Any

import django_filters
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from marketing.core import clock
from marketing.core.drf.filters import FlagFilter
from marketing.core.errors import ValidationFailed
from marketing.coupons.code_symbols import key_of, normalise
from marketing.coupons.models import CouponCode, Offer, OfferKind, OfferRevision, Redemption
from marketing.coupons.revocation import IN_FORCE, REVOKED


class OfferFilter(django_filters.FilterSet):
    isActive = FlagFilter(field_name="is_active")  # noqa: N815  as it travels
    automatic = FlagFilter(field_name="is_automatic")
    discountType = django_filters.ChoiceFilter(  # noqa: N815
        field_name="kind", choices=OfferKind.choices
    )
    campaignId = django_filters.UUIDFilter(field_name="campaign_id")  # noqa: N815
    branchId = django_filters.UUIDFilter(method="in_branch")  # noqa: N815
    validOn = django_filters.DateFilter(method="valid_on")  # noqa: N815
    code = django_filters.CharFilter(method="with_code")
    q = django_filters.CharFilter(method="named")

    class Meta:
        model = Offer
        fields: list[str] = []

    def in_branch(self, offers: QuerySet[Offer], name: str, pk: uuid.UUID) -> QuerySet[Offer]:
        latest = OfferRevision.objects.filter(offer=OuterRef("pk"), revision=OuterRef("revision"))
        places = "terms__places__branches"
        here = latest.filter(Q(**{places: []}) | Q(**{f"{places}__contains": [str(pk)]}))
        return offers.filter(
            Exists(here.exclude(terms__places__excluded_branches__contains=[str(pk)]))
        )

    def valid_on(self, offers: QuerySet[Offer], name: str, day: Any) -> QuerySet[Offer]:
        return offers.filter(
            Q(valid_from=None) | Q(valid_from__lte=day),
            Q(valid_until=None) | Q(valid_until__gte=day),
        )

    def with_code(self, offers: QuerySet[Offer], name: str, text: str) -> QuerySet[Offer]:
        key = key_of(normalise(text))
        return offers.filter(pk__in=CouponCode.objects.filter(key=key).values("offer_id"))

    def named(self, offers: QuerySet[Offer], name: str, text: str) -> QuerySet[Offer]:
        return offers.filter(Q(name__icontains=text) | Q(code__icontains=normalise(text)))


class RedemptionFilter(django_filters.FilterSet):
    branchId = django_filters.UUIDFilter(field_name="branch_id")  # noqa: N815
    customerId = django_filters.UUIDFilter(field_name="customer_id")  # noqa: N815
    state = django_filters.ChoiceFilter(choices=Redemption.State.choices)
    redeemedFrom = django_filters.IsoDateTimeFilter(  # noqa: N815
        field_name="redeemed_at", lookup_expr="gte"
    )
    redeemedUntil = django_filters.IsoDateTimeFilter(  # noqa: N815
        field_name="redeemed_at", lookup_expr="lt"
    )

    class Meta:
        model = Redemption
        fields: list[str] = []


class CodeFilter(django_filters.FilterSet):
    """`state`: `live` can be used now, as far as the code itself says."""

    batchId = django_filters.UUIDFilter(field_name="batch_id")  # noqa: N815
    customerId = django_filters.UUIDFilter(field_name="customer_id")  # noqa: N815
    code = django_filters.CharFilter(method="spelled")
    state = django_filters.ChoiceFilter(
        method="in_state", choices=[(name, name) for name in ("live", "used", "over", "revoked")]
    )

    class Meta:
        model = CouponCode
        fields: list[str] = []

    def spelled(self, codes: QuerySet[CouponCode], name: str, text: str) -> QuerySet[CouponCode]:
        return codes.filter(key=key_of(normalise(text)))

    def in_state(self, codes: QuerySet[CouponCode], name: str, state: str) -> QuerySet[CouponCode]:
        over = Q(expires_at__lte=clock.now())
        used = Q(max_uses__isnull=False, used__gte=F("max_uses"))
        if state == "live":
            return codes.filter(IN_FORCE).exclude(over).exclude(used)
        return codes.filter({"used": used, "over": over, "revoked": REVOKED}[state])


def filtered(kind: type[django_filters.FilterSet], params: Any, found: QuerySet[Any]) -> Any:
    """The rows that the query string asks for. Raises `ValidationFailed` at its faults."""
    narrowed = kind(params, queryset=found)
    if not narrowed.is_valid():
        faults = {name: [str(text) for text in texts] for name, texts in narrowed.errors.items()}
        raise ValidationFailed(fields=faults)
    return narrowed.qs
