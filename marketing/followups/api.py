"""Staff follow-ups over HTTP, with Module 11's names and what was added to them."""

import datetime as dt
import uuid
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from customers.selectors import get_customer_for_actor
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.drf.pages import Pages
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.drf.views import ApiView
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.models import Staff
from marketing.core.tenancy import current_tenant
from marketing.followups import rules, selectors, services
from marketing.followups.models import FollowupReminder
from marketing.followups.selectors import Due, InactiveCustomer

NOTE_LENGTH = 2_000


class FollowupFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=FollowupReminder.Status.choices)
    staffId = django_filters.UUIDFilter(field_name="staff_id")  # noqa: N815  as it travels
    customerId = django_filters.UUIDFilter(field_name="customer_id")  # noqa: N815
    due = django_filters.ChoiceFilter(choices=[(d, d) for d in Due], method="of_due")

    class Meta:
        model = FollowupReminder
        fields: list[str] = []

    def of_due(
        self, reminders: QuerySet[FollowupReminder], name: str, value: str
    ) -> QuerySet[FollowupReminder]:
        return selectors.where_due(reminders, Due(value))


# `from` is a word of Python's.
FollowupFilter.base_filters["from"] = django_filters.DateFilter("reminder_date", "gte")
FollowupFilter.base_filters["to"] = django_filters.DateFilter("reminder_date", "lte")


class InactiveFilter(ApiSerializer):
    days = serializers.IntegerField(
        min_value=1, max_value=rules.MOST_INACTIVE_DAYS, default=rules.INACTIVE_DAYS
    )
    staff_id = serializers.UUIDField(required=False)


class FollowupPatch(ApiSerializer):
    staff_id = serializers.UUIDField(required=False)
    reminder_date = serializers.DateField(required=False)
    reminder_time = serializers.TimeField(input_formats=["%H:%M"], required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE_LENGTH)
    status = serializers.ChoiceField(FollowupReminder.Status.choices, required=False)
    outcome = serializers.ChoiceField(
        FollowupReminder.Outcome.choices, required=False, allow_blank=True
    )


class FollowupInput(ApiSerializer):
    customer_id = serializers.UUIDField()
    staff_id = serializers.UUIDField(required=False)
    reminder_date = serializers.DateField()
    reminder_time = serializers.TimeField(input_formats=["%H:%M"], required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE_LENGTH)


class FollowupOutput(ApiSerializer):
    id = serializers.UUIDField()
    staff_id = serializers.UUIDField()
    staff_name = serializers.CharField(source="staff.name")
    customer_id = serializers.UUIDField()
    customer_name = serializers.CharField(source="customer.name")
    customer_phone = serializers.CharField(source="customer.phone")
    marketing_opted_out = serializers.SerializerMethodField("get_marketing_opted_out")
    branch_id = serializers.UUIDField(allow_null=True)
    reminder_date = serializers.DateField()
    reminder_time = serializers.TimeField(format="%H:%M", allow_null=True)
    due_at = serializers.SerializerMethodField("get_due_at")
    is_overdue = serializers.SerializerMethodField("get_is_overdue")
    note = serializers.CharField()
    status = serializers.ChoiceField(FollowupReminder.Status.choices)
    outcome = serializers.ChoiceField(["", *FollowupReminder.Outcome.values])
    completed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_marketing_opted_out(self, reminder: FollowupReminder) -> bool:
        consent = getattr(reminder.customer, "consent", None)
        return bool(consent and consent.marketing_opted_out)

    def get_due_at(self, reminder: FollowupReminder) -> dt.datetime:
        zone = self._zone(reminder)
        return rules.due_at(reminder.reminder_date, reminder.reminder_time, zone)

    def get_is_overdue(self, reminder: FollowupReminder) -> bool:
        return rules.is_overdue(
            reminder.status, reminder.reminder_date, self.context["now"], self._zone(reminder)
        )

    def _zone(self, reminder: FollowupReminder) -> str:
        zone: str = reminder.branch.time_zone if reminder.branch else self.context["zone"]
        return zone


class FollowupAnswer(ApiSerializer):
    followup = FollowupOutput()


class InactiveCustomerOutput(ApiSerializer):
    customer_id = serializers.UUIDField(source="customer.pk")
    customer_name = serializers.CharField(source="customer.name")
    customer_phone = serializers.CharField(source="customer.phone")
    language = serializers.CharField(source="customer.language")
    marketing_opted_out = serializers.SerializerMethodField("get_marketing_opted_out")
    last_visit_at = serializers.DateTimeField(source="last_visit.visited_at")
    days_since_last_visit = serializers.IntegerField(source="days")
    branch_id = serializers.UUIDField(source="last_visit.branch_id")
    last_service = serializers.CharField()
    visit_count = serializers.IntegerField(source="visits")
    total_spend = serializers.DecimalField(max_digits=12, decimal_places=2, source="spent")
    currency = serializers.SerializerMethodField()
    followup_id = serializers.UUIDField(source="reminder.pk", allow_null=True, default=None)

    def get_marketing_opted_out(self, person: InactiveCustomer) -> bool:
        consent = getattr(person.customer, "consent", None)
        return bool(consent and consent.marketing_opted_out)

    def get_currency(self, person: InactiveCustomer) -> str:
        currency: str = self.context["currency"]
        return currency


class FollowupApiView(ApiView):
    """What the views of follow-ups share."""

    def followup(self, pk: uuid.UUID) -> FollowupReminder:
        return selectors.get_followup_for_actor(self.actor, pk)

    @property
    def shown(self) -> dict[str, Any]:
        """What the output needs to know."""
        return {"now": clock.now(), "zone": current_tenant().time_zone}

    def answer(self, followup: FollowupReminder, status: int = 200) -> Response:
        read = self.followup(followup.pk)
        shown = FollowupOutput(read, context=self.shown).data
        return Response({"followup": shown}, status=status)

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """The body as the service takes it."""
        if "staff_id" in data:
            data["staff"] = _named_staff(self.actor, data.pop("staff_id"))
        return data


class Followups(FollowupApiView):
    permissions = {"GET": "followup.use", "POST": "followup.use"}
    orderings = {"id": "id", "createdAt": "id", "reminderDate": "reminder_date"}
    default_ordering = "reminder_date"

    @extend_schema(
        operation_id="listFollowups",
        parameters=[
            OpenApiParameter("status", str, enum=FollowupReminder.Status.values),
            OpenApiParameter("due", str, enum=[each.value for each in Due]),
            OpenApiParameter("staffId", uuid.UUID),
            OpenApiParameter("customerId", uuid.UUID),
            OpenApiParameter("from", dt.date, description="The first reminder date."),
            OpenApiParameter("to", dt.date, description="The last reminder date."),
        ],
        responses=FollowupOutput(many=True),
    )
    def get(self, request: Any) -> Response:
        """The caller's own reminders; a manager's also those of her branches."""
        visible = selectors.followups_for_actor(self.actor)
        found = FollowupFilter(request.query_params, queryset=visible)
        if not found.is_valid():
            faults = {name: list(texts) for name, texts in found.errors.items()}
            raise ValidationFailed(fields=faults)
        rows = found.qs.select_related("customer__consent", "staff", "branch")
        return self.page(rows, FollowupOutput, context=self.shown)

    @extend_schema(
        operation_id="createFollowup", request=FollowupInput, responses={201: FollowupAnswer}
    )
    def post(self, request: Any) -> Response:
        """Remind the caller of a customer, or as a manager somebody of her branches."""
        return self.once("create", self._create)

    def _create(self) -> Response:
        data = self.values(self.read(FollowupInput))
        try:
            customer = get_customer_for_actor(self.actor, data.pop("customer_id"))
        except NotFound as error:
            raise ValidationFailed(fields={"customerId": ["There is no such customer."]}) from error
        made = services.create_followup(actor=self.actor, customer=customer, **data)
        return self.answer(made, status=201)


class FollowupDetail(FollowupApiView):
    permissions = {"PATCH": "followup.use", "DELETE": "followup.use"}

    @extend_schema(operation_id="updateFollowup", request=FollowupPatch, responses=FollowupAnswer)
    def patch(self, request: Any, pk: uuid.UUID) -> Response:
        """Change it; an `outcome` completes it, the status `pending` opens it again."""
        followup = self.followup(pk)
        values = self.values(self.read(FollowupPatch))
        return self.answer(
            services.update_followup(actor=self.actor, followup=followup, values=values)
        )

    @extend_schema(operation_id="deleteFollowup", responses={204: None})
    def delete(self, request: Any, pk: uuid.UUID) -> Response:
        """Take it away for good."""
        services.delete_followup(actor=self.actor, followup=self.followup(pk))
        return Response(status=204)


class InactiveCustomers(ApiView):
    permissions = {"GET": "followup.use"}
    orderings = {"lastVisitAt": "visited_at"}
    default_ordering = "-visited_at"

    @extend_schema(
        operation_id="listInactiveCustomers",
        parameters=[
            OpenApiParameter("days", int, description="60 where nothing is said."),
            OpenApiParameter("staffId", uuid.UUID, description="The caller, by default."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int),
        ],
        responses=InactiveCustomerOutput(many=True),
    )
    def get(self, request: Any) -> Response:
        """Whose last visit with the staff member is longer ago, those seen last first."""
        given = request.query_params
        form = InactiveFilter(
            data={name: given[name] for name in ("days", "staffId") if name in given}
        )
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        staff = self.actor.staff
        if "staff_id" in asked:
            staff = selectors.get_colleague_for_actor(self.actor, asked["staff_id"])
        if staff is None:
            raise NotFound()
        zone = selectors.zone_of_staff(staff)
        pages = Pages()
        visits: Any = pages.paginate_queryset(
            selectors.last_visits_before(staff, asked["days"], zone), request, self
        )
        people = selectors.describe_visits(staff, visits, zone)
        context = {"currency": current_tenant().currency}
        return pages.get_paginated_response(
            InactiveCustomerOutput(people, many=True, context=context).data
        )


def _named_staff(actor: Actor, pk: uuid.UUID) -> Staff:
    """Raises `ValidationFailed` for whom the actor may not remind."""
    try:
        return selectors.get_colleague_for_actor(actor, pk)
    except NotFound as error:
        raise ValidationFailed(
            fields={"staffId": ["There is no such person in your branches."]}
        ) from error
