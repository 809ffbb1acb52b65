"""Referrals over HTTP, with Module 11's names and what was added to them."""

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from customers.models import Channel, Service
from customers.selectors import get_customer_for_actor
from marketing.core.drf.filters import FlagFilter
from marketing.core.drf.serializers import ApiSerializer, camel_case
from marketing.core.drf.views import ApiView
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.referrals import links, rules, selectors, services
from marketing.referrals.models import NoticeKind, Referral, ReferralProgramme, RewardOn, RewardType

MONEY: dict[str, Any] = {"max_digits": 10, "decimal_places": 2}


class ChannelsFields(ApiSerializer):
    """Ids of messages; null: none tells it on this channel."""

    whatsapp = serializers.UUIDField(required=False, allow_null=True)
    sms = serializers.UUIDField(required=False, allow_null=True)
    email = serializers.UUIDField(required=False, allow_null=True)


class NoticesFields(ApiSerializer):
    """What is not named stays."""

    joined = ChannelsFields(required=False)
    came = ChannelsFields(required=False)
    rewarded = ChannelsFields(required=False)
    friend_joined = ChannelsFields(required=False)
    friend_came = ChannelsFields(required=False)
    friend_rewarded = ChannelsFields(required=False)


class ReferralConfigFields(ApiSerializer):
    is_enabled = serializers.BooleanField(required=False)
    referrer_reward_type = serializers.ChoiceField(RewardType.choices, required=False)
    referrer_reward_value = serializers.DecimalField(min_value=0, required=False, **MONEY)
    referrer_reward_service_id = serializers.UUIDField(required=False, allow_null=True)
    referred_reward_type = serializers.ChoiceField(RewardType.choices, required=False)
    referred_reward_value = serializers.DecimalField(min_value=0, required=False, **MONEY)
    referred_reward_service_id = serializers.UUIDField(required=False, allow_null=True)
    max_referrals_per_month = serializers.IntegerField(
        min_value=1, max_value=10_000, required=False
    )
    min_order_for_reward = serializers.DecimalField(min_value=0, required=False, **MONEY)
    reward_on = serializers.ChoiceField(RewardOn.choices, required=False)
    hold_days = serializers.IntegerField(min_value=0, max_value=90, required=False)
    reward_days = serializers.IntegerField(min_value=1, max_value=1_100, required=False)
    weekly_rewards = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    monthly_rewards = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    entries_per_staff = serializers.IntegerField(min_value=1, max_value=1_000, required=False)
    flags_surnames = serializers.BooleanField(required=False)
    share_text = serializers.DictField(
        child=serializers.CharField(max_length=1_000, allow_blank=True), required=False
    )
    notices = NoticesFields(
        required=False, help_text="Of each notice the messages that tell it, by channel."
    )


class ReferralConfigPatch(ReferralConfigFields):
    version = serializers.IntegerField(min_value=1, required=False)


class ReferralConfigOutput(ReferralConfigFields):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class ReferralConfigAnswer(ApiSerializer):
    config = ReferralConfigOutput()


class ReferralOutput(ApiSerializer):
    """Module 11's referral; `state`, `signals` and `reason` say more than its `status`."""

    id = serializers.UUIDField()
    referrer_customer_id = serializers.UUIDField(source="referrer_id")
    referrer_name = serializers.CharField(source="referrer.name")
    referral_code = serializers.CharField(source="code.code")
    referred_customer_id = serializers.UUIDField(source="friend_id", allow_null=True)
    referred_name = serializers.CharField(source="friend.name", default="")
    referred_phone = serializers.CharField(source="friend_phone")
    branch_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(rules.STATUSES)
    state = serializers.ChoiceField(Referral.State.choices)
    reason = serializers.CharField()
    converted_at = serializers.DateTimeField(allow_null=True)
    hold_until = serializers.DateTimeField(allow_null=True)
    first_invoice_id = serializers.CharField(source="bill_invoice", allow_blank=True)
    first_invoice_amount = serializers.SerializerMethodField("get_first_invoice_amount")
    referrer_rewarded = serializers.SerializerMethodField("get_referrer_rewarded")
    referrer_reward_at = serializers.DateTimeField(allow_null=True)
    referrer_reward_type = serializers.ChoiceField(RewardType.choices, allow_blank=True)
    referrer_reward_value = serializers.DecimalField(allow_null=True, **MONEY)
    referred_rewarded = serializers.SerializerMethodField("get_referred_rewarded")
    referred_reward_at = serializers.DateTimeField(source="friend_reward_at", allow_null=True)
    fraud_flag = serializers.BooleanField(source="is_flagged")
    fraud_reason = serializers.SerializerMethodField("get_fraud_reason")
    signals = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_first_invoice_amount(self, row: Referral) -> str | None:
        paise = row.bill_total
        return None if paise is None else f"{paise // 100}.{paise % 100:02d}"

    def get_referrer_rewarded(self, row: Referral) -> bool:
        return row.state == rules.REWARDED

    def get_referred_rewarded(self, row: Referral) -> bool:
        """She may have had her discount long before anybody is thanked for her."""
        return row.friend_reward_at is not None and row.state not in rules.OVER

    def get_fraud_reason(self, row: Referral) -> str:
        return row.reason if row.state == rules.REJECTED else ", ".join(row.signals)


class ReferralCodeOutput(ApiSerializer):
    customer_id = serializers.UUIDField()
    referral_code = serializers.CharField()
    share_url = serializers.CharField()
    share_text = serializers.CharField()
    whatsapp_url = serializers.CharField()
    qr_url = serializers.CharField(help_text="The link as a picture, SVG.")


def token(help_text: str) -> serializers.CharField:
    """Opaque; kept only as a keyed hash, and told to nobody."""
    return serializers.CharField(
        max_length=services.LONGEST_TOKEN,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text=f"{help_text} Opaque, kept only as a keyed hash.",
    )


class ApplyReferralInput(ApiSerializer):
    referral_code = serializers.CharField(max_length=60)
    referred_phone = serializers.CharField(max_length=40)
    referred_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    branch_id = serializers.UUIDField(required=False, allow_null=True)
    instrument_token = token("What her payment provider calls her card or account by.")
    device_token = token("What the app or site knows her device by.")


class ReferredCustomer(ApiSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    phone = serializers.CharField()


class ReferredReward(ApiSerializer):
    type = serializers.ChoiceField(RewardType.choices)
    value = serializers.DecimalField(**MONEY)
    description = serializers.CharField()


class ApplyReferralAnswer(ApiSerializer):
    referral = ReferralOutput()
    referred_customer = ReferredCustomer()
    referred_reward = ReferredReward(required=False)


class LeaderOutput(ApiSerializer):
    place = serializers.IntegerField()
    customer_id = serializers.UUIDField(source="customer.pk")
    customer_name = serializers.CharField(source="customer.name")
    referrals = serializers.IntegerField(source="brought")
    rewarded = serializers.IntegerField()


class LeaderboardFilter(ApiSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=200, default=20)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's.
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return super().get_fields() | days

    def validate_to(self, day: dt.date) -> dt.date:
        if day == dt.date.max:
            raise serializers.ValidationError("A day that another one follows.")
        return day


class ReferralFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=rules.STATUSES, method="of_status")
    state = django_filters.ChoiceFilter(choices=Referral.State.choices)
    referrerCustomerId = django_filters.UUIDFilter(field_name="referrer_id")  # noqa: N815
    referredCustomerId = django_filters.UUIDFilter(field_name="friend_id")  # noqa: N815
    referralCode = django_filters.CharFilter(field_name="code__code", lookup_expr="iexact")  # noqa: N815
    fraudFlag = FlagFilter(field_name="is_flagged")  # noqa: N815
    branchId = django_filters.UUIDFilter(field_name="branch_id")  # noqa: N815

    class Meta:
        model = Referral
        fields: list[str] = []

    def of_status(self, rows: QuerySet[Referral], name: str, value: str) -> QuerySet[Referral]:
        states = [state for state, status in rules.STATUS.items() if status == value]
        return rows.filter(state__in=states)


class ReferralConfigView(ApiView):
    permissions = {"GET": "referral.view", "PATCH": "referral.config"}

    @extend_schema(operation_id="getReferralConfig", responses=ReferralConfigAnswer)
    def get(self, request: Any) -> Response:
        return self._answer(services.ensure_programme())

    @extend_schema(
        operation_id="updateReferralConfig",
        request=ReferralConfigPatch,
        responses=ReferralConfigAnswer,
    )
    def patch(self, request: Any) -> Response:
        """Change what is given; what was promised before stays promised."""
        data = self.read(ReferralConfigPatch)
        version = self.expected_version(data)
        for side in ("referrer", "referred"):
            if f"{side}_reward_service_id" in data:
                data[f"{side}_reward_service"] = self._service(
                    data.pop(f"{side}_reward_service_id"), side
                )
        chosen = {
            (kind, channel): template_id
            for kind, channels in data.pop("notices", {}).items()
            for channel, template_id in channels.items()
        }
        try:
            programme = services.configure(
                actor=self.actor, values=data, chosen=chosen, version=version
            )
        except ValidationFailed as error:
            # As the page's form names them: notice_came_sms.
            error.fields = {_notice_path(name): each for name, each in error.fields.items()}
            raise
        return self._answer(programme)

    def _service(self, pk: uuid.UUID | None, side: str) -> Service | None:
        service = Service.objects.filter(pk=pk).first() if pk else None
        if pk and service is None:
            raise ValidationFailed(fields={f"{side}RewardServiceId": ["There is no such service."]})
        return service

    def _answer(self, programme: ReferralProgramme) -> Response:
        programme.notices = _chosen()  # type: ignore[attr-defined]
        return Response({"config": ReferralConfigOutput(programme).data})


def _chosen() -> dict[str, dict[str, uuid.UUID | None]]:
    """The messages chosen, by notice and channel; all of them are named."""
    found: dict[str, dict[str, uuid.UUID | None]] = {
        kind: dict.fromkeys(Channel.values) for kind in NoticeKind.values
    }
    for (kind, channel), row in selectors.chosen_notices().items():
        found[kind][channel] = row.template_id
    return found


def _notice_path(name: str) -> str:
    places = {
        f"notice_{kind}_{channel}": f"notices.{camel_case(kind)}.{channel}"
        for kind in NoticeKind.values
        for channel in Channel.values
    }
    return places.get(name, name)


class Referrals(ApiView):
    permissions = {"GET": "referral.view"}

    @extend_schema(operation_id="listReferrals", responses=ReferralOutput(many=True), filters=True)
    def get(self, request: Any) -> Response:
        """The referrals of one's branches, newest first."""
        found = ReferralFilter(request.query_params, selectors.referrals_for_actor(self.actor))
        if not found.is_valid():
            raise ValidationFailed(
                fields={
                    name: [str(fault) for fault in faults] for name, faults in found.errors.items()
                }
            )
        return self.page(found.qs, ReferralOutput)


class CustomerReferralCode(ApiView):
    permissions = {"GET": "referral.view"}

    @extend_schema(operation_id="getCustomerReferralCode", responses=ReferralCodeOutput)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """Her code, made at the first time of asking, with link and words to share."""
        customer = get_customer_for_actor(self.actor, pk)
        code = services.get_or_create_code(actor=self.actor, customer=customer).code
        text = selectors.share_text(customer.language, code)
        shown = {
            "customer_id": customer.pk,
            "referral_code": code,
            "share_url": links.share_url(current_tenant(), code),
            "qr_url": links.qr_url(current_tenant(), code),
            "share_text": text,
            "whatsapp_url": links.whatsapp_url(text),
        }
        return Response(ReferralCodeOutput(shown).data)


class ApplyReferral(ApiView):
    permissions = {"POST": "referral.apply"}
    failures = {
        "404": "There is no such code",
        "422": "The key was sent with something else before",
    }

    @extend_schema(
        operation_id="applyReferral",
        parameters=[
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)
        ],
        request=ApplyReferralInput,
        responses={201: ApplyReferralAnswer},
    )
    def post(self, request: Any) -> Response:
        """The friend with this phone is brought by the code; needs an `Idempotency-Key`."""
        data = self.read(ApplyReferralInput)

        def work() -> Response:
            row = services.apply_code(
                actor=self.actor,
                code=data["referral_code"],
                phone=data["referred_phone"],
                name=data.get("referred_name", ""),
                branch_id=data.get("branch_id"),
                tokens=services.tokens_of(data),
            )
            referral = selectors.with_names(row.pk)
            answer: dict[str, Any] = {
                "referral": ReferralOutput(referral).data,
                "referredCustomer": ReferredCustomer(referral.friend).data,
            }
            programme = selectors.programme()
            reward = {
                "type": referral.friend_reward_type,
                "value": referral.friend_reward_value,
                "description": selectors.reward_words(
                    referral.friend_reward_type,
                    referral.friend_reward_value,
                    programme.referred_reward_service,
                ),
            }
            answer["referredReward"] = ReferredReward(reward).data
            return Response(answer, status=201)

        return self.once("applyReferral", work, required=True)


class ReferralLeaderboard(ApiView):
    permissions = {"GET": "referral.view"}

    @extend_schema(
        operation_id="getReferralLeaderboard",
        parameters=[LeaderboardFilter],
        responses=LeaderOutput(many=True),
    )
    def get(self, request: Any) -> Response:
        """Who brought most friends that came, in one's branches; days are the chain's."""
        form = LeaderboardFilter(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        zone = ZoneInfo(current_tenant().time_zone)

        def midnight(day: dt.date | None, more: int = 0) -> dt.datetime | None:
            if day is None:
                return None
            return dt.datetime.combine(day + dt.timedelta(days=more), dt.time(), zone)

        rows = selectors.leaderboard(
            self.actor,
            since=midnight(asked.get("from")),
            until=midnight(asked.get("to"), 1),
            size=asked["limit"],
        )
        return Response(LeaderOutput(rows, many=True).data)
