"""One spelling in bytes for every value of this package, to store, hash and replay by.

Keys are field names in the order of definition; fields at their default are written too, so
that a later default cannot change what was stored; sets are sorted; no white space; money
stays integer paise.
"""

import dataclasses
import datetime as dt
import hashlib
from enum import IntEnum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import orjson

from marketing.coupons.pricing.answer import Quote

T = TypeVar("T")


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
        return _read(kind, plain)
    except (TypeError, AttributeError, ValueError, StopIteration) as error:
        raise ValueError(f"not a {getattr(kind, '__name__', kind)}: {error}") from error


def _sorted(value: Any) -> list[Any]:
    if not isinstance(value, frozenset):
        raise TypeError(f"{value!r} has no canonical spelling")
    return sorted(value)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin is UnionType:
        return _read_union(get_args(kind), plain)
    if origin is tuple:
        first, *more = get_args(kind)
        if more and more[0] is not Ellipsis:
            return tuple(
                _read(item, part) for item, part in zip((first, *more), plain, strict=True)
            )
        return tuple(_read(first, item) for item in plain)
    if origin is frozenset:
        return frozenset(_read(get_args(kind)[0], item) for item in plain)
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        return kind(**{name: _read(hints[name], part) for name, part in plain.items()})  # type: ignore[operator]
    if issubclass(kind, (StrEnum, IntEnum)):
        return kind(plain)
    if issubclass(kind, (dt.datetime, dt.date)):
        return kind.fromisoformat(plain)
    if type(plain) is not kind:
        raise TypeError(f"{plain!r} is no {kind.__name__}")
    return plain


def _read_union(kinds: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and NoneType in kinds:
        return None
    if isinstance(plain, list):
        return _read(next(kind for kind in kinds if get_origin(kind) in (tuple, frozenset)), plain)
    rest = [kind for kind in kinds if kind is not NoneType and get_origin(kind) is None]
    if len(rest) == 1:
        return _read(rest[0], plain)
    return _read(next(kind for kind in rest if kind is type(plain)), plain)
