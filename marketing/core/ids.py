"""UUID version 7 ids, made by PostgreSQL: time-ordered, and monotonic within a statement."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Func, UUIDField
from django.db.models.expressions import DatabaseDefault


class UUIDv7(Func):
    """PostgreSQL 18's native `uuidv7()`."""

    function = "uuidv7"
    arity = 0
    output_field = UUIDField()


def lower_bound(moment: dt.datetime) -> uuid.UUID:
    """The smallest version 7 id that a row made at `moment` can have.

    Their time begins with 1970: of a moment before it, the smallest of all.
    """
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return uuid.UUID(int=milliseconds << 80)


def moment_of(pk: uuid.UUID) -> dt.datetime:
    """When the row of this id was made, to the millisecond."""
    return dt.datetime.fromtimestamp((pk.int >> 80) / 1000, dt.UTC)


# SQL for the {n}-th version 7 id that a statement makes, where it makes a million: PostgreSQL
# that was built without OpenSSL opens /dev/urandom for every `uuidv7()`. The ids lie 2 microseconds
# apart, which is less than a row takes to be written; the random half is drawn once for them all,
# and is not a secret one. Moments are counted in 4096ths of a millisecond, of which the lowest 12
# bits stand behind the version, 4 bits wide. The first digit is 0 until the year 2527.
_MOMENT = "((SELECT (extract(epoch FROM statement_timestamp()) * 4096000)::bigint) + 8 * ({n}))"
NTH_ID = f"""(
    '0' || to_hex(({_MOMENT} >> 12 << 16) + 28672 + ({_MOMENT} & 4095))
    || (SELECT to_hex(random(-9223372036854775808, -4611686018427387905))))::uuid"""


def uuid_array(ids: Iterable[uuid.UUID]) -> str:
    """The ids as PostgreSQL writes a `uuid[]`, which costs a fifth of adapting a list of them."""
    return "{" + ",".join([each.hex for each in ids]) + "}"


class DatabaseIdField(UUIDField):
    """A primary key that PostgreSQL makes on insert."""

    _pyi_private_get_type: uuid.UUID

    def __init__(self, **options: Any) -> None:
        options |= {"primary_key": True, "db_default": UUIDv7(), "editable": False}
        super().__init__(**options)

    def get_pk_value_on_save(self, instance: models.Model) -> Any:
        return DatabaseDefault(UUIDv7(), output_field=self)


class IdentifiedModel(models.Model):
    """A model whose id is a UUID v7 made by the database.

    Django takes the marker "database default" for a key that is set, and so would not read
    the keys that `bulk_create` made; here it counts as not set until the row is inserted.
    """

    id = DatabaseIdField()

    class Meta:
        abstract = True

    def _is_pk_set(self, meta: Any = None) -> bool:
        is_set: bool = super()._is_pk_set(meta)  # type: ignore[misc]
        return is_set and not isinstance(self._get_pk_val(meta), DatabaseDefault)
