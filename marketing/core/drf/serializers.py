"""Bodies travel in camelCase; what was not declared is refused."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers
from rest_framework.utils.formatting import lazy_format

from marketing.core.plain_words import limit_text


@lru_cache(maxsize=2_048)
def camel_case(name: str) -> str:
    """`branch_ids` as `branchIds`."""
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


class ApiSerializer(serializers.Serializer[Any]):
    """Fields are declared in snake_case and travel in camelCase; unknown input is refused.

    Only declared names are turned, so the keys of JSON fields (rules, properties) stay.
    """

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, field in super().get_fields().items():
            camel = camel_case(name)
            if camel != name and field.source is None:
                field.source = name
            _group_limits(field)
            fields[camel] = field
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = set(data) - set(self.fields)
            if unknown:
                raise serializers.ValidationError(
                    {name: ["There is no such field."] for name in sorted(unknown)}
                )
        return super().to_internal_value(data)


def _group_limits(field: Any) -> None:
    if getattr(field, "min_value", None) is None and getattr(field, "max_value", None) is None:
        return
    for each in field.validators:
        if isinstance(each, MinValueValidator | MaxValueValidator):
            told = {each.code: limit_text(each.limit_value)}
            message: Any = lazy_format(field.error_messages[each.code], **told)
            each.message = message
