"""Limits that a value has passed, as forms and bodies tell them."""

from decimal import Decimal

import pytest
from django import forms
from django.utils import translation
from rest_framework import serializers

from billing_bridge.api.shapes import PointsInput, QuoteInput
from customers.forms import RefusableForm
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.errors import ValidationFailed
from marketing.core.plain_words import limit_text
from marketing.loyalty.forms import ProgrammeForm
from marketing.loyalty.services.posting import whole_points

MOST = "Ensure this value is less than or equal to 1,00,00,000."


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


class Form(RefusableForm):
    count = forms.IntegerField(min_value=1, max_value=10_000_000)
    amount = forms.DecimalField(min_value=Decimal("0.01"), max_value=Decimal(10_000_000))
    name = forms.CharField(max_length=3)


class Kinds(RefusableForm):
    whole = forms.IntegerField()
    number = forms.DecimalField()
    day = forms.DateField()
    hour = forms.TimeField()
    choice = forms.ChoiceField(choices=[("a", "A")])
    own = forms.IntegerField(error_messages={"invalid": "Ours already."})


class Body(ApiSerializer):
    most_uses = serializers.IntegerField(max_value=10_000_000)
    amount = serializers.DecimalField(
        max_digits=10, decimal_places=2, max_value=10_000_000, min_value=Decimal("0.01")
    )


def test_forms_and_bodies_group_limits():
    form = Form({"count": "10000001", "amount": "0", "name": "long"})
    assert form.errors == {
        "count": ["At most 1,00,00,000, please."],
        "amount": ["At least 0.01, please."],
        "name": ["At most 3 characters, please; these are 4."],
    }
    body = Body(data={"mostUses": 10_000_001, "amount": "10000000.01"})
    assert not body.is_valid()
    assert body.errors == {"mostUses": [MOST], "amount": [MOST]}
    Body(data={"mostUses": 10_000_000, "amount": "0.01"}).is_valid(raise_exception=True)


def test_forms_say_what_is_missing_or_no_value_in_our_words():
    assert set(map(tuple, Kinds({}).errors.values())) == {("Please fill this in.",)}
    assert Kinds(dict.fromkeys(Kinds.base_fields, "x")).errors == {
        "whole": ["A whole number, please."],
        "number": ["A number, please."],
        "day": ["A date, please."],
        "hour": ["A time, please."],
        "choice": ["Choose one of the list."],
        "own": ["Ours already."],
    }


def test_columns_group_theirs_too(chain):
    form = ProgrammeForm({"min_redeem_points": str(2**31)})
    assert form.errors["min_redeem_points"] == ["At most 2,14,74,83,647, please."]


def test_points_and_bills_group_theirs():
    with pytest.raises(ValidationFailed) as refused:
        whole_points(10**9 + 1)
    assert refused.value.fields == {"points": ["From 1 to 1,00,00,00,000."]}
    points = PointsInput(data={"use": 10**9 + 1})
    assert not points.is_valid()
    assert points.errors == {"use": ["A whole number from 1 to 1,00,00,00,000, or max."]}
    bill = QuoteInput(data={"lines": [{"serviceExternalId": "s", "unitPrice": "10000000.01"}]})
    assert not bill.is_valid()
    assert bill.errors["lines"][0]["unitPrice"] == [MOST]


@pytest.mark.parametrize(
    ("limit", "text"),
    [(100, "100"), (-90, "−90"), (0.5, "0.5"), (Decimal("1E+5"), "1,00,000"), ("z", "z")],
)
def test_a_limit_keeps_its_places(limit, text):
    assert limit_text(limit) == text
