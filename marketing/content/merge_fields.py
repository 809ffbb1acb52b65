"""Merge fields: the names a message may use, and where their values come from.

Apps register theirs while they are loaded. Values are taken set-based, as text: dates in ISO
form, numbers in digits, "" when there is none. Rendering writes them in the reader's language.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from django.db.models import QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Trim
from django.utils.functional import Promise

from customers.models import Customer

TEXT = "text"
NUMBER = "number"
DATE = "date"
DAY_OF_YEAR = "day of year"  # a date whose year is nobody's business, as a birthday
SLOT_KIND = "slot"  # given by whoever makes the campaign, the same for everybody
SYSTEM = "system"  # made by the sender for each message, such as a signed link

# Where a version as it is sent has the code of a tracked link; authors cannot write it. The sample
# is as long as codes are for link numbers up to 30,000; up to 1.8 million they take one more.
LINK = re.compile(r"link_[1-9][0-9]*")
LINK_SAMPLE = "4Kq8ZtW2nB7xYc0LmD5vPa9R"

# What a template leaves open (`slots.py`); no field that is registered may begin so.
SLOT_PREFIX = "slot_"
SLOT = re.compile(r"slot_[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class MergeField:
    """A name that messages may use.

    `expression` is an ORM expression over `Customer` (None for kind SYSTEM), `sample` a value
    as `resolve` would give it. One that `is_given` has no expression either: its value comes with
    what is sent, the same for everybody, or for each person as `personal` finds it by the key
    that the run names.
    """

    name: str
    label: str | Promise
    expression: Combinable | None
    sample: str
    kind: str = TEXT
    is_given: bool = False
    personal: Callable[[str], Combinable] | None = None


_fields: dict[str, MergeField] = {}


def register(*fields: MergeField) -> None:
    """Add fields; called while apps are loaded. A name is registered once."""
    for field in fields:
        if field.name in _fields:
            raise ValueError(f"merge field {field.name} is registered twice")
        _fields[field.name] = field


def all_fields() -> list[MergeField]:
    """Every field, in the order of registration."""
    return list(_fields.values())


def get(name: str) -> MergeField | None:
    return _fields.get(name)


def label(name: str) -> str:
    """The field in the words of the pages; the name itself where nobody registered it."""
    field = _fields.get(name)
    return str(field.label) if field else name


def kind(name: str) -> str:
    """The field's kind; TEXT for a name nobody registered."""
    if field := _fields.get(name):
        return field.kind
    if SLOT.fullmatch(name):
        return SLOT_KIND
    return SYSTEM if LINK.fullmatch(name) else TEXT


def is_given(name: str) -> bool:
    """Whether the value comes with what is sent, not from the customer."""
    field = _fields.get(name)
    return field is not None and field.is_given


def nearest(name: str) -> str | None:
    """The registered name most like this one."""
    return next(iter(get_close_matches(name.lower(), _fields, n=1, cutoff=0.6)), None)


def samples(names: Iterable[str]) -> dict[str, str]:
    """A sample value for each name."""
    samples = {}
    for name in names:
        if field := _fields.get(name):
            samples[name] = field.sample
        elif LINK.fullmatch(name):
            samples[name] = LINK_SAMPLE
    return samples


def resolve(
    customers: QuerySet[Customer], names: Iterable[str], personal: Mapping[str, str] | None = None
) -> QuerySet[Customer]:
    """The customers annotated with `merge_<name>` as text, "" where there is no value.

    `personal` has the run's key for what each person is given. Names of kind SYSTEM are left out.
    Raises KeyError for a name nobody registered.
    """
    keys = personal or {}
    expressions = {name: _expression(_fields[name], keys.get(name)) for name in names}
    return customers.annotate(
        **{
            f"merge_{name}": Coalesce(
                Trim(Cast(expression, TextField())), Value(""), output_field=TextField()
            )
            for name, expression in expressions.items()
            if expression is not None
        }
    )


def _expression(field: MergeField, key: str | None) -> Combinable | None:
    return field.personal(key) if field.personal and key is not None else field.expression


def values_of(customer: Customer, names: Iterable[str]) -> dict[str, str]:
    """One customer's values by name, without what is not hers: kinds SYSTEM and SLOT_KIND."""
    own = [name for name in names if not SLOT.fullmatch(name)]
    wanted = [name for name in own if _fields[name].expression is not None]
    row = resolve(Customer.objects.filter(pk=customer.pk), wanted).values_list(
        *(f"merge_{name}" for name in wanted)
    )
    return dict(zip(wanted, row.get(), strict=True)) if wanted else {}
