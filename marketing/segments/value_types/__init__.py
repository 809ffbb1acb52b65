"""Types of segment fields: which operators they take, which values, and what those mean in SQL.

A missing value matches only `not_set`, whatever the operator (also `ne`). `clean_operand`
raises ValueError with a message for the person who wrote the rule.
"""

from marketing.segments.value_types.base import LISTS, OPERATORS, VALUELESS, ValueType
from marketing.segments.value_types.dates import Date, Month
from marketing.segments.value_types.days import Age, DaysAgo, DaysToYearday, DaysUntil
from marketing.segments.value_types.numbers import Money, Number
from marketing.segments.value_types.places import Circle, Place
from marketing.segments.value_types.words import Boolean, Choice, Several, Tags, Text

__all__ = [
    "LISTS",
    "OPERATORS",
    "VALUELESS",
    "Age",
    "Boolean",
    "Choice",
    "Circle",
    "Date",
    "DaysAgo",
    "DaysToYearday",
    "DaysUntil",
    "Money",
    "Month",
    "Number",
    "Place",
    "Several",
    "Tags",
    "Text",
    "ValueType",
]
