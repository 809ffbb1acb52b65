"""Campaigns over HTTP: each view reads, calls one service and writes the answer."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from customers.models import Channel
from customers.selectors import get_customer_for_actor
from marketing.campaigns import services
from marketing.campaigns.api import serializers as shapes
from marketing.campaigns.models import Campaign, CampaignStatus, CampaignType
from marketing.campaigns.selectors.campaigns import (
    campaigns_for_actor,
    get_campaign_for_actor,
    get_campaign_in_sight,
    get_campaign_to_resume,
    latest_run,
)
from marketing.campaigns.selectors.offer_figures import offer_figures
from marketing.campaigns.selectors.plan import completion_time
from marketing.campaigns.selectors.progress import engagement_with, figures_of
from marketing.campaigns.services.checks import warnings
from marketing.core.drf.pages import Rows
from marketing.core.drf.views import ApiView
from marketing.core.errors import ValidationFailed
from marketing.core.models import Tenant
from marketing.delivery import selectors as delivery
from marketing.delivery.models import Message, MessageState


class CampaignFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=CampaignStatus.choices)
    channel = django_filters.ChoiceFilter(choices=Channel.choices)
    campaignType = django_filters.ChoiceFilter(  # noqa: N815  as it travels
        field_name="campaign_type", choices=CampaignType.choices
    )
    segmentId = django_filters.UUIDFilter(field_name="segment_id")  # noqa: N815
    templateId = django_filters.UUIDFilter(field_name="template_id")  # noqa: N815
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Campaign
        fields: list[str] = []


class RecipientFilter(forms.Form):
    state = forms.MultipleChoiceField(choices=MessageState.choices, required=False)
    reason = forms.CharField(required=False)


def filtered(
    filter_class: type[django_filters.FilterSet], request: Any, queryset: QuerySet[Any]
) -> QuerySet[Any]:
    """The rows the query string asks for. Raises `ValidationFailed` naming the parameter."""
    found = filter_class(request.query_params, queryset=queryset)
    if not found.is_valid():
        raise wrong_filters(found.errors)
    rows: QuerySet[Any] = found.qs
    return rows


def wrong_filters(errors: Mapping[str, Any]) -> ValidationFailed:
    """The refusal that names each parameter at fault."""
    return ValidationFailed(fields={name: list(texts) for name, texts in errors.items()})


class CampaignApiView(ApiView):
    """What the views of campaigns share."""

    # Whose campaigns a view finds: one's own, or also those one only decides on.
    find = staticmethod(get_campaign_for_actor)

    def campaign(self, pk: uuid.UUID) -> Campaign:
        return self.find(self.actor, pk)

    @property
    def shown(self) -> dict[str, Any]:
        """What serializers need to know beside the campaign."""
        currency = Tenant.objects.values_list("currency", flat=True).get(pk=self.actor.tenant_id)
        return {"currency": currency, "actor": self.actor}

    def change(self, service: Callable[..., Campaign], pk: uuid.UUID) -> Response:
        """Call a service that moves the campaign to another state."""
        campaign = self.campaign(pk)
        version = self.expected_version(self.read(shapes.VersionInput))
        return self.answer(service(actor=self.actor, campaign=campaign, version=version))

    def answer(self, campaign: Campaign, status: int = 200, **more: Any) -> Response:
        shown = shapes.CampaignWithCoupon(campaign, context=self.shown).data
        return Response({"campaign": shown, **more}, status=status)


class Campaigns(CampaignApiView):
    permissions = {"GET": "campaign.view", "POST": "campaign.create"}

    @extend_schema(
        operation_id="listCampaigns",
        responses=shapes.CampaignOutput(many=True),
        parameters=[
            OpenApiParameter("status", str, enum=CampaignStatus.values, many=True),
            OpenApiParameter("channel", str, enum=Channel.values),
            OpenApiParameter("campaignType", str, enum=CampaignType.values),
            OpenApiParameter("segmentId", uuid.UUID),
            OpenApiParameter("templateId", uuid.UUID),
            OpenApiParameter("q", str),
        ],
    )
    def get(self, request: Any) -> Response:
        campaigns = filtered(CampaignFilter, request, campaigns_for_actor(self.actor))
        return self.page(campaigns, shapes.CampaignOutput, context=self.shown)

    @extend_schema(
        operation_id="createCampaign",
        request=shapes.CampaignInput,
        responses={201: shapes.CreatedAnswer},
    )
    def post(self, request: Any) -> Response:
        def create() -> Response:
            campaign = services.create_campaign(
                actor=self.actor, values=self.read(shapes.CampaignInput), must_be_whole=True
            )
            return self.answer(
                campaign,
                status=201,
                estimatedRecipients=campaign.estimated_recipients,
                estimatedCost=shapes.money().to_representation(campaign.estimated_cost),
                requiresApproval=campaign.requires_approval,
                warnings=warnings(campaign),
            )

        return self.once("create", create)


class CampaignDetail(CampaignApiView):
    permissions = {
        "GET": "campaign.view",
        "PATCH": "campaign.create",
        "DELETE": "campaign.create",
    }

    @extend_schema(operation_id="getCampaign", responses=shapes.CampaignAnswer)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """One's own, or one that waits for a decision in somebody's place."""
        return self.answer(get_campaign_in_sight(self.actor, pk))

    @extend_schema(
        operation_id="updateCampaign",
        request=shapes.CampaignPatch(partial=True),
        responses=shapes.CampaignAnswer,
    )
    def patch(self, request: Any, pk: uuid.UUID) -> Response:
        campaign = self.campaign(pk)
        values = self.read(shapes.CampaignPatch, partial=True)
        version = self.expected_version(values)
        return self.answer(
            services.update_campaign(
                actor=self.actor, campaign=campaign, values=values, version=version
            )
        )

    @extend_schema(operation_id="deleteCampaign", responses={204: None})
    def delete(self, request: Any, pk: uuid.UUID) -> Response:
        services.delete_campaign(actor=self.actor, campaign=self.campaign(pk))
        return Response(status=204)


class Submit(CampaignApiView):
    permissions = {"POST": "campaign.create"}

    @extend_schema(
        operation_id="submitCampaign",
        request=shapes.VersionInput,
        responses=shapes.SubmittedAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        campaign = self.campaign(pk)
        version = self.expected_version(self.read(shapes.VersionInput))
        submitted = services.submit_campaign(actor=self.actor, campaign=campaign, version=version)
        return self.answer(submitted, warnings=warnings(submitted))


class Approve(CampaignApiView):
    permissions = {"POST": "campaign.approve"}
    find = staticmethod(get_campaign_in_sight)

    @extend_schema(
        operation_id="approveCampaign",
        request=shapes.VersionInput,
        responses=shapes.CampaignAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        return self.change(services.approve_campaign, pk)


class Reject(CampaignApiView):
    permissions = {"POST": "campaign.approve"}
    find = staticmethod(get_campaign_in_sight)

    @extend_schema(
        operation_id="rejectCampaign",
        request=shapes.RejectInput,
        responses=shapes.CampaignAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        campaign = self.campaign(pk)
        data = self.read(shapes.RejectInput)
        version = self.expected_version(data)
        return self.answer(
            services.reject_campaign(
                actor=self.actor, campaign=campaign, reason=data["reason"], version=version
            )
        )


class Schedule(CampaignApiView):
    permissions = {"POST": "campaign.send"}

    @extend_schema(
        operation_id="scheduleCampaign",
        request=shapes.ScheduleInput,
        responses=shapes.CampaignAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        campaign = self.campaign(pk)
        data = self.read(shapes.ScheduleInput)
        version = self.expected_version(data)
        return self.answer(
            services.schedule_campaign(
                actor=self.actor,
                campaign=campaign,
                scheduled_at=data.get("scheduled_at"),
                version=version,
            )
        )


class Send(CampaignApiView):
    permissions = {"POST": "campaign.send"}

    @extend_schema(
        operation_id="sendCampaign",
        request=shapes.SendInput,
        responses={202: shapes.SendAnswer},
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        def send() -> Response:
            campaign = self.campaign(pk)
            version = self.expected_version(self.read(shapes.SendInput))
            run = services.send_campaign(actor=self.actor, campaign=campaign, version=version)
            return self.answer(
                run.campaign,
                status=202,
                runId=str(run.pk),
                recipientsQueued=run.campaign.estimated_recipients,
                estimatedCompletionTime=completion_time(run.campaign),
            )

        return self.once("send", send)


class Pause(CampaignApiView):
    permissions = {"POST": "campaign.send"}

    @extend_schema(
        operation_id="pauseCampaign",
        request=shapes.VersionInput,
        responses=shapes.CampaignAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        return self.change(services.pause_campaign, pk)


class Resume(CampaignApiView):
    permissions = {"POST": "campaign.send"}
    find = staticmethod(get_campaign_to_resume)

    @extend_schema(
        operation_id="resumeCampaign",
        request=shapes.ResumeInput,
        responses=shapes.CampaignAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        campaign = self.campaign(pk)
        values = self.read(shapes.ResumeInput)
        resumed = services.resume_campaign(
            actor=self.actor,
            campaign=campaign,
            version=self.expected_version(values),
            at_once=values.get("send_now", False),
        )
        return self.answer(resumed)


class Cancel(CampaignApiView):
    permissions = {"POST": "campaign.send"}

    @extend_schema(
        operation_id="cancelCampaign",
        request=shapes.VersionInput,
        responses=shapes.CampaignAnswer,
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        return self.change(services.cancel_campaign, pk)


class Test(CampaignApiView):
    permissions = {"POST": "campaign.send"}

    @extend_schema(
        operation_id="testCampaign",
        request=shapes.TestInput,
        responses={202: shapes.TestsAnswer},
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        def send() -> Response:
            campaign = self.campaign(pk)
            data = self.read(shapes.TestInput)
            customer = None
            if "customer_id" in data:
                customer = get_customer_for_actor(self.actor, data["customer_id"])
            messages = services.send_test(
                actor=self.actor,
                campaign=campaign,
                customer=customer,
                language=data.get("language", ""),
                with_samples=data.get("with_samples", False),
                phone=data.get("phone", ""),
                email=data.get("email", ""),
            )
            shown = shapes.TestAnswer(messages, many=True).data
            return Response({**shown[0], "messages": shown}, status=202)

        return self.once("test", send)


class Recipients(CampaignApiView):
    permissions = {"GET": "campaign.view"}
    orderings = {"id": "id", "createdAt": "id"}
    default_ordering = "id"

    @extend_schema(
        operation_id="listCampaignRecipients",
        responses=shapes.RecipientOutput(many=True),
        parameters=[
            OpenApiParameter("state", str, enum=MessageState.values, many=True),
            OpenApiParameter("reason", str),
        ],
    )
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """The people of the newest run, each once; none before the audience is frozen."""
        asked = RecipientFilter(request.query_params)
        if not asked.is_valid():
            raise wrong_filters(asked.errors)
        run = latest_run(self.campaign(pk))

        def read(**bounds: Any) -> list[Message]:
            if run is None:
                return []
            wanted = asked.cleaned_data
            return delivery.recipients_page(
                run.send_run, states=wanted["state"], reason=wanted["reason"], **bounds
            )

        return self.page(Rows(read), shapes.RecipientOutput, context=self.shown)


class Analytics(CampaignApiView):
    permissions = {"GET": "campaign.view"}

    @extend_schema(operation_id="getCampaignAnalytics", responses=shapes.AnalyticsOutput)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        campaign = self.campaign(pk)
        figures = figures_of([campaign])[campaign.pk]
        shown = shapes.AnalyticsOutput(
            {
                "campaign_id": campaign.pk,
                "campaign_name": campaign.name,
                "channel": campaign.channel,
                "metrics": figures,
                "engagement": engagement_with(figures.runs),
                "coupon_metrics": offer_figures(campaign, figures),
                "cost": {
                    "cost": figures.cost,
                    "cost_per_message": figures.cost / figures.sent if figures.sent else None,
                    "currency": self.shown["currency"],
                },
                "period": figures,
            }
        )
        return Response(shown.data)
