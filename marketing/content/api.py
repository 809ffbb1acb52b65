"""Message templates over HTTP: each view reads, calls one service and writes the answer."""

import uuid
from collections.abc import Callable
from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from customers.models import Channel
from customers.selectors import get_customer_for_actor
from marketing.content import selectors, services
from marketing.content.models import MessageTemplate, TemplateType
from marketing.content.preview import preview
from marketing.content.serializers import (
    SubmitInput,
    TemplateAnswer,
    TemplateInput,
    TemplateOutput,
    TemplatePatch,
    TemplatePreviewAnswer,
    TemplatePreviewInput,
    content_views,
    merged_contents,
)
from marketing.content.slots import slots_of
from marketing.core.drf.filters import FlagFilter
from marketing.core.drf.serializers import camel_case
from marketing.core.drf.views import ApiView
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.policy.rules import purpose_of


class TemplateFilter(django_filters.FilterSet):
    channel = django_filters.ChoiceFilter(choices=Channel.choices)
    templateType = django_filters.ChoiceFilter(  # noqa: N815  as it travels
        field_name="template_type", choices=TemplateType.choices
    )
    category = django_filters.CharFilter()
    isActive = FlagFilter(field_name="is_active")  # noqa: N815
    isSystem = FlagFilter(field_name="is_system")  # noqa: N815
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = MessageTemplate
        fields: list[str] = []


class TemplateApiView(ApiView):
    """What the views of templates share."""

    def template(self, pk: uuid.UUID) -> MessageTemplate:
        return selectors.get_template_for_actor(self.actor, pk)

    def shown(self) -> dict[str, Any]:
        """What the output needs to know."""
        return {"languages": current_tenant().languages}

    def answer(self, template: MessageTemplate, status: int = 200) -> Response:
        return Response({"template": TemplateOutput(template, context=self.shown()).data}, status)

    def write(
        self, data: dict[str, Any], work: Callable[[dict[str, Any]], MessageTemplate], present: Any
    ) -> MessageTemplate:
        """Do `work` with the body's contents merged; faults are named as the caller did."""
        languages = current_tenant().languages
        sent = {
            f"contents.{language}.{part}": camel_case(name)
            for name, (language, part) in content_views(languages).items()
            if name in data
        }
        contents = merged_contents(data, present, languages)
        if contents is not None:
            data["contents"] = contents
        try:
            return work(data)
        except ValidationFailed as error:
            fields = {sent.get(path, path): texts for path, texts in error.fields.items()}
            raise ValidationFailed(error.message, fields=fields) from error


class Templates(TemplateApiView):
    permissions = {"GET": "template.view", "POST": "template.manage"}

    @extend_schema(
        operation_id="listTemplates",
        responses=TemplateOutput(many=True),
        parameters=[
            OpenApiParameter("channel", str, enum=Channel.values),
            OpenApiParameter("templateType", str, enum=TemplateType.values),
            OpenApiParameter("category", str),
            OpenApiParameter("isActive", bool),
            OpenApiParameter("isSystem", bool),
            OpenApiParameter("q", str, description="Part of the name."),
        ],
    )
    def get(self, request: Any) -> Response:
        """All templates of the chain, pre-built ones too."""
        found = TemplateFilter(
            request.query_params, queryset=selectors.templates_for_actor(self.actor)
        )
        if not found.is_valid():
            raise ValidationFailed(fields={k: list(v) for k, v in found.errors.items()})
        return self.page(found.qs, TemplateOutput, context=self.shown())

    @extend_schema(
        operation_id="createTemplate", request=TemplateInput, responses={201: TemplateAnswer}
    )
    def post(self, request: Any) -> Response:
        """Make a template. A WhatsApp one must then be handed in and approved."""
        return self.once("create", self._create)

    def _create(self) -> Response:
        def create(data: dict[str, Any]) -> MessageTemplate:
            return services.create_template(actor=self.actor, **{"contents": {}, **data})

        return self.answer(self.write(self.read(TemplateInput), create, {}), status=201)


class OneTemplate(TemplateApiView):
    permissions = {"GET": "template.view", "PATCH": "template.manage", "DELETE": "template.manage"}

    @extend_schema(operation_id="getTemplate", responses=TemplateAnswer)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        return self.answer(self.template(pk))

    @extend_schema(operation_id="updateTemplate", request=TemplatePatch, responses=TemplateAnswer)
    def patch(self, request: Any, pk: uuid.UUID) -> Response:
        """Change what is named. Other words make a new version, on WhatsApp pending again."""
        template = self.template(pk)
        data = self.read(TemplatePatch)
        version = self.expected_version(data)

        def update(values: dict[str, Any]) -> MessageTemplate:
            return services.update_template(
                actor=self.actor, template=template, values=values, version=version
            )

        present = selectors.current_version(template).contents
        return self.answer(self.write(data, update, present))

    @extend_schema(operation_id="deleteTemplate", responses={204: None})
    def delete(self, request: Any, pk: uuid.UUID) -> Response:
        """Take it out of use; 409 with `usedBy` while something uses it."""
        services.deactivate_template(actor=self.actor, template=self.template(pk))
        return Response(status=204)


class TemplatePreview(TemplateApiView):
    permissions = {"POST": "template.view"}

    @extend_schema(
        operation_id="previewTemplate",
        request=TemplatePreviewInput,
        responses={200: TemplatePreviewAnswer},
    )
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        """The newest version for a customer, or with `sampleData` over our own samples."""
        template = self.template(pk)
        data = self.read(TemplatePreviewInput)
        customer_id = data.get("customer_id")
        languages = current_tenant().languages
        seen = preview(
            template.channel,
            selectors.current_version(template).contents,
            languages=languages,
            language=data.get("language", languages[0]),
            customer=get_customer_for_actor(self.actor, customer_id) if customer_id else None,
            sample_data=data.get("sample_data"),
            purpose=purpose_of(template.template_type, template.trigger_type),
            slots=slots_of(selectors.current_version(template)),
        )
        answer = {
            "preview": seen.rendered.body,
            "language": seen.rendered.language,
            "subject": seen.rendered.subject,
            "html": seen.rendered.html,
            "placeholders_used": seen.placeholders,
            "missing": seen.missing,
            "character_count": seen.characters,
            "sms_segments": seen.sms.segments if seen.sms else None,
            "sms_encoding": seen.sms.encoding if seen.sms else None,
        }
        return Response(TemplatePreviewAnswer(answer).data)


class SubmitTemplate(TemplateApiView):
    permissions = {"POST": "template.manage"}

    @extend_schema(
        operation_id="submitTemplate", request=SubmitInput, responses={202: TemplateAnswer}
    )
    def post(self, request: Any) -> Response:
        """Have WhatsApp review the newest version; what it says comes later, as its status."""
        return self.once("submit", self._submit)

    def _submit(self) -> Response:
        template = self.template(self.read(SubmitInput)["template_id"])
        services.submit_whatsapp(actor=self.actor, template=template)
        return self.answer(self.template(template.pk), status=202)
