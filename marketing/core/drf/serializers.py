"""Bodies travel in camelCase; what was not declared is refused."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rest_framework import serializers


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
