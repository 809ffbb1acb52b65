"""Bodies as they nearly always come, read without a serializer's cost.

A shape is turned once into functions that take what is plainly right: the very data that the
serializer would give. At anything else they give up, and the serializer says what is wrong. A till
sends twenty lines of ten fields, for which a serializer takes as long as the price itself.
"""

import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from django.core import validators as django_validators
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from marketing.core.drf.serializers import ApiSerializer

Read = Callable[[Any], Any]
Field = serializers.Field[Any, Any, Any, Any]

_WRITTEN_UUID = 36
# What the readers below look at themselves.
_KNOWN_VALIDATORS = (
    django_validators.MinValueValidator,
    django_validators.MaxValueValidator,
    django_validators.MaxLengthValidator,
    django_validators.ProhibitNullCharactersValidator,
    ProhibitSurrogateCharactersValidator,
)


class NotPlain(Exception):
    """The serializer must look at this."""


def read_plain(shape: type[ApiSerializer], body: Any) -> dict[str, Any] | None:
    """What the shape's `validated_data` would be; None where the serializer must tell."""
    read = _reader(shape)
    if read is None:
        return None
    try:
        found: dict[str, Any] = read(body)
    except (NotPlain, serializers.ValidationError):
        return None
    return found


@cache
def _reader(shape: type[ApiSerializer]) -> Read | None:
    try:
        return _object(shape())
    except NotPlain:
        return None


def _object(serializer: Any) -> Read:
    kind = type(serializer)
    if (
        kind.to_internal_value is not ApiSerializer.to_internal_value
        or kind.run_validation is not serializers.Serializer.run_validation
        or serializer.validators
    ):
        raise NotPlain()
    known: dict[str, tuple[str, bool, Read]] = {}
    absent: list[tuple[str, bool, Any]] = []
    for name, field in serializer.fields.items():
        if field.read_only or field.source_attrs != [field.source]:
            raise NotPlain()
        checked = getattr(serializer, f"validate_{name}", None)
        read = _then(_value(field), checked) if checked else _value(field)
        known[name] = (field.source, field.allow_null and checked is None, read)
        if field.required or field.default is not empty:
            absent.append((field.source, field.required, field.default))
    validate = serializer.validate

    def read_object(body: Any) -> dict[str, Any]:
        if type(body) is not dict:
            raise NotPlain()
        found: dict[str, Any] = {}
        for name, value in body.items():
            entry = known.get(name)
            if entry is None or (value is None and not entry[1]):
                raise NotPlain()
            found[entry[0]] = None if value is None else entry[2](value)
        for source, required, default in absent:
            if source not in found:
                if required:
                    raise NotPlain()
                found[source] = default() if callable(default) else default
        whole: dict[str, Any] = validate(found)
        return whole

    return read_object


def _then(first: Read, second: Read) -> Read:
    return lambda value: second(first(value))


def _value(field: Any) -> Read:
    """How one value is read; a field of a kind not known here reads it itself."""
    if isinstance(field, serializers.ListSerializer):
        return _list(_object(field.child), field)
    if isinstance(field, serializers.Serializer):
        return _object(field)
    make = _READERS.get(type(field))
    if make is None or not all(isinstance(each, _KNOWN_VALIDATORS) for each in field.validators):
        read: Read = field.run_validation
        return read
    return make(field)


def _list(child: Read, field: Any) -> Read:
    least = max(field.min_length or 0, 0 if field.allow_empty else 1)
    most = field.max_length

    def read(value: Any) -> list[Any]:
        if type(value) is not list or len(value) < least:
            raise NotPlain()
        if None in value or (most is not None and len(value) > most):
            raise NotPlain()
        return [child(each) for each in value]

    return read


def _whole(field: Any) -> Read:
    least, most = _bounds(field)

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise NotPlain()
        return value

    return read


def _decimal(field: Any) -> Read:
    places, digits = field.decimal_places, field.max_digits
    if not places or not digits or field.localize or field.normalize_output:
        raise NotPlain()
    least, most = _bounds(field)
    pattern = re.compile(rf"[0-9]{{1,{digits - places}}}(?:\.[0-9]{{1,{places}}})?")
    unit = Decimal(1).scaleb(-places)

    def read(value: Any) -> Decimal:
        text = str(value) if type(value) is int else value
        if type(text) is not str or pattern.fullmatch(text) is None:
            raise NotPlain()
        amount = Decimal(text).quantize(unit)
        if not least <= amount <= most:
            raise NotPlain()
        return amount

    return read


def _bounds(field: Any) -> tuple[Any, Any]:
    least = float("-inf") if field.min_value is None else field.min_value
    return least, float("inf") if field.max_value is None else field.max_value


def _text(field: Any) -> Read:
    longest = field.max_length
    if longest is None or field.min_length:
        raise NotPlain()

    def read(value: Any) -> str:
        if type(value) is not str or not 0 < len(value) <= longest:
            raise NotPlain()
        if not (value.isascii() and value.isprintable()) or value[0] == " " or value[-1] == " ":
            raise NotPlain()
        return value

    return read


def _uuid(field: Any) -> Read:
    def read(value: Any) -> uuid.UUID:
        if type(value) is not str or len(value) != _WRITTEN_UUID:
            raise NotPlain()
        try:
            return uuid.UUID(value)
        except ValueError as error:
            raise NotPlain() from error

    return read


def _flag(field: Any) -> Read:
    def read(value: Any) -> bool:
        if type(value) is not bool:
            raise NotPlain()
        return value

    return read


def _choice(field: Any) -> Read:
    known = field.choice_strings_to_values

    def read(value: Any) -> Any:
        if type(value) is not str or value not in known:
            raise NotPlain()
        return known[value]

    return read


_READERS: dict[type[Any], Callable[[Any], Read]] = {
    serializers.BooleanField: _flag,
    serializers.CharField: _text,
    serializers.ChoiceField: _choice,
    serializers.DecimalField: _decimal,
    serializers.IntegerField: _whole,
    serializers.ListField: lambda field: _list(_value(field.child), field),
    serializers.UUIDField: _uuid,
}
