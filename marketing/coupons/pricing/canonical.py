"""One spelling in bytes for every value of this package, to store, hash and replay by.

Keys are field names in the order of definition; fields at their default are written too, so
that a later default cannot change what was stored; sets are sorted; no white space; money
stays integer paise.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from enum import IntEnum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import orjson

from marketing.coupons.pricing.answer import Quote

T = TypeVar("T")
Read = Callable[[Any], Any]


def encode(value: Any) -> bytes:
    """`value` (a dataclass of this package) as canonical JSON."""
    return orjson.dumps(value, default=_sorted)


def decode(kind: type[T], data: bytes) -> T:
    """The value that `encode` wrote. Raises ValueError where `data` is no such thing."""
    value: T = from_plain(kind, orjson.loads(data))
    return value


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(encode(value)).hexdigest()


def promise_hash(quote: Quote) -> str:
    """`quoteHash`: of what was promised, the amounts; not of why others do not apply.

    Another customer's use of an offer that does not apply here leaves it as it was.
    """
    return digest(
        dataclasses.replace(
            quote, decisions=(), codes=(), optimality=type(quote.optimality).EXACT, compared_sets=0
        )
    )


def from_plain(kind: Any, plain: Any) -> Any:
    """The value of type `kind` out of JSON's own types. Raises ValueError as `decode` does."""
    try:
        return _reader(kind)(plain)
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a {getattr(kind, '__name__', kind)}: {error}") from error


def _sorted(value: Any) -> list[Any]:
    if not isinstance(value, frozenset):
        raise TypeError(f"{value!r} has no canonical spelling")
    return sorted(value)


@cache
def _reader(kind: Any) -> Read:
    """How a value of the type is read, found once for each: a bill holds thousands."""
    origin = get_origin(kind)
    if origin is UnionType:
        return _union(get_args(kind))
    if origin is tuple:
        first, *more = (_reader(item) for item in get_args(kind) if item is not Ellipsis)
        if more:
            readers = (first, *more)
            return lambda plain: tuple(
                [read(part) for read, part in zip(readers, plain, strict=True)]
            )
        return lambda plain: tuple([first(item) for item in plain])
    if origin is frozenset:
        item = _reader(get_args(kind)[0])
        return lambda plain: frozenset([item(part) for part in plain])
    if dataclasses.is_dataclass(kind):
        make: Any = kind
        fields = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
        return lambda plain: make(**{name: fields[name](part) for name, part in plain.items()})
    if issubclass(kind, (StrEnum, IntEnum)):
        member: Read = kind
        return member
    if issubclass(kind, (dt.datetime, dt.date)):
        from_text: Read = kind.fromisoformat
        return from_text
    return _itself(kind)


def _itself(kind: type) -> Read:
    def read(plain: Any) -> Any:
        if type(plain) is not kind:
            raise TypeError(f"{plain!r} is no {kind.__name__}")
        return plain

    return read


def _union(kinds: tuple[Any, ...]) -> Read:
    may_be_none = NoneType in kinds
    many = next((_reader(kind) for kind in kinds if get_origin(kind) in (tuple, frozenset)), None)
    rest = {
        kind: _reader(kind) for kind in kinds if kind is not NoneType and get_origin(kind) is None
    }
    only = next(iter(rest.values())) if len(rest) == 1 else None

    def read(plain: Any) -> Any:
        if plain is None and may_be_none:
            return None
        chosen = many if isinstance(plain, list) else only or rest.get(type(plain))
        if chosen is None:
            raise TypeError(f"{plain!r} is none of {kinds}")
        return chosen(plain)

    return read
