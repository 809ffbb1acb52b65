"""Types of segment fields: which operators they take, which values, and what those mean in SQL.

A missing value matches only `not_set`, whatever the operator (also `ne`). `clean_operand`
raises ValueError with a message for the person who wrote the rule.
"""

from marketing.segments.value_types.base import OPERATORS, VALUELESS, ValueType
from marketing.segments.value_types.dates import Date, Month
from marketing.segments.value_types.days import DaysAgo, DaysToYearday, DaysUntil
from marketing.segments.value_types.numbers import Money, Number
from marketing.segments.value_types.words import Boolean, Choice, Tags, Text

__all__ = [
    "OPERATORS",
    "VALUELESS",
    "Boolean",
    "Choice",
    "Date",
    "DaysAgo",
    "DaysToYearday",
    "DaysUntil",
    "Money",
    "Month",
    "Number",
    "Tags",
    "Text",
    "ValueType",
]
