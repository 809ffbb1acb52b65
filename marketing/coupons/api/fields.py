"""Kinds of values in offers' bodies. Times are the branch's wall clock, without a zone."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from marketing.core.drf.serializers import ApiSerializer

MOST_IDS = 1_000
MOST_NUMBER = 2_147_483_647
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


def money(**options: Any) -> serializers.DecimalField:
    """Rupees, two places, never below zero."""
    options = {"required": False, "allow_null": True, "min_value": Decimal(0), **options}
    return serializers.DecimalField(**{"max_digits": 10, "decimal_places": 2, **options})


def percent(**options: Any) -> serializers.DecimalField:
    return money(max_value=Decimal(100), **options)


def whole(**options: Any) -> serializers.IntegerField:
    options = {"required": False, "allow_null": True, "min_value": 1, **options}
    return serializers.IntegerField(max_value=MOST_NUMBER, **options)


def flag(**options: Any) -> serializers.BooleanField:
    return serializers.BooleanField(required=False, allow_null=True, **options)


def choice(of: Any, **options: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        [str(each) for each in of], required=False, allow_null=True, **options
    )


def ids(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        max_length=MOST_IDS,
        **options,
    )


def words(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=50),
        required=False,
        allow_null=True,
        max_length=100,
        **options,
    )


class WallClockField(serializers.CharField):
    """`YYYY-MM-DDTHH:MM`, whatever the zone of the branch is."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is not None or len(text) < len("2026-01-01T10:00"):
            raise serializers.ValidationError("YYYY-MM-DDTHH:MM, on the branch's own clock.")
        return moment.isoformat(timespec="minutes")


class MinuteField(serializers.CharField):
    """`HH:MM`; 24:00 is the end of the day."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if TIME.fullmatch(text) is None:
            raise serializers.ValidationError("HH:MM, please.")
        return text


class FromSerializer(ApiSerializer):
    """A field `from_` travels as `from`, which Python keeps for itself."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {name.rstrip("_"): field for name, field in fields.items()}


def rows(of: ApiSerializer, most: int, **options: Any) -> serializers.ListField:
    """At most so many of them."""
    return serializers.ListField(child=of, max_length=most, **options)
