"""A refusal says what can be done."""

import importlib

import pytest
from django.utils import translation

from marketing.core.errors import DomainError

APPS = (
    "marketing.coupons.errors",
    "marketing.loyalty.errors",
    "marketing.referrals.errors",
    "billing_bridge.services.refunds",
)


def refusals():
    modules = [importlib.import_module(name) for name in APPS]
    return [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, DomainError)
        and each.__module__ == module.__name__
    ]


@pytest.mark.parametrize("error", refusals(), ids=lambda error: error.__name__)
def test_the_usual_words_of_a_refusal_do_not_end_with_what_is_wrong(error):
    with translation.override(None):
        words = str(error.default_message)
    assert any(mark in words for mark in (". ", ": ", "; "))
