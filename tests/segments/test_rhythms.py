"""Scores, and who is late by their own rhythm, as rules ask for them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from customers.models import CategoryRhythm, Customer
from marketing.core.errors import ValidationFailed
from marketing.segments.compiler import compile_rules
from marketing.segments.explanation import explain_membership
from marketing.segments.sentence import describe
from tests.factories.core import BranchFactory
from tests.factories.customers import CustomerFactory, ServiceCategoryFactory
from tests.factories.segments import condition, group, where

ZONE = "Asia/Kolkata"
NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=ZoneInfo(ZONE))
TODAY = NOW.date()


def names(rules):
    found = Customer.objects.filter(compile_rules(rules, now=NOW, zone=ZONE))
    return sorted(found.values_list("first_name", flat=True))


def late(name, days, **values):
    due = TODAY - dt.timedelta(days=days)
    return CustomerFactory(first_name=name, facts={"due_on": due}, **values)


def rhythm(customer, category, days):
    CategoryRhythm.objects.create(
        customer=customer,
        category=category,
        visits=3,
        last_at=NOW,
        interval_days=30,
        due_on=TODAY - dt.timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (where("rfm_group", "eq", "champions"), ["best"]),
        (where("rfm_group", "in", ["champions", "lost"]), ["best", "gone"]),
        (where("rfm_group", "ne", "champions"), ["gone"]),
        (where("rfm_group", "not_set"), ["never"]),
        (where("rfm_recency", "gte", 4), ["best"]),
        (where("rfm_frequency", "lte", 1), ["gone"]),
        (where("rfm_monetary", "is_set"), ["best", "gone"]),
        (group("NOT", condition("rfm_monetary", "gte", 4)), ["gone", "never"]),
    ],
)
def test_scores_and_groups(chain, rules, expected):
    scores = ("rfm_recency", "rfm_frequency", "rfm_monetary")
    CustomerFactory(first_name="best", facts={"rfm_group": "champions", **dict.fromkeys(scores, 5)})
    CustomerFactory(first_name="gone", facts={"rfm_group": "lost", **dict.fromkeys(scores, 1)})
    CustomerFactory(first_name="never")
    assert names(rules) == expected


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("gt", 1, ["long"]),
        ("gte", 1, ["just", "long"]),
        ("lt", 9, ["just"]),
        ("lte", 9, ["just", "long"]),
        ("eq", 9, ["long"]),
        ("ne", 9, ["just"]),
        ("between", [1, 8], ["just"]),
        ("is_set", None, ["just", "long"]),
        ("not_set", None, ["none", "soon", "today"]),
    ],
)
def test_days_late(chain, op, value, expected):
    late("long", 9)
    late("just", 1)
    late("today", 0)
    late("soon", -5)
    CustomerFactory(first_name="none")
    assert names(where("overdue_days", op, value)) == expected


@pytest.mark.parametrize("value", [0, -3, 40_000, "7"])
def test_days_late_are_days(chain, value):
    with pytest.raises(ValidationFailed):
        compile_rules(where("overdue_days", "gt", value), now=NOW, zone=ZONE)


def test_overdue_for_a_category(chain):
    hair, nails, brows = ServiceCategoryFactory.create_batch(3)
    both, one, soon = (CustomerFactory(first_name=name) for name in ("both", "one", "soon"))
    CustomerFactory(first_name="never")
    rhythm(both, hair, 3)
    rhythm(both, nails, 1)
    rhythm(one, hair, 1)
    rhythm(one, nails, 0)
    rhythm(soon, brows, -1)
    assert names(where("overdue_category", "eq", str(hair.pk))) == ["both", "one"]
    assert names(where("overdue_category", "eq", str(nails.pk))) == ["both"]
    assert names(where("overdue_category", "eq", str(brows.pk))) == []
    several = [str(nails.pk), str(brows.pk)]
    assert names(where("overdue_category", "in", several)) == ["both"]
    assert names(where("overdue_category", "is_set")) == ["both", "one"]
    assert names(where("overdue_category", "not_set")) == ["never", "soon"]
    not_hair = group("NOT", condition("overdue_category", "eq", str(hair.pk)))
    assert names(not_hair) == ["never", "soon"]
    either = group("OR", condition("visit_count", "gt", 5), not_hair)
    assert names(either) == ["never", "soon"], "nobody gets lost below OR"


def test_an_unknown_category_is_refused(chain):
    with pytest.raises(ValidationFailed):
        compile_rules(where("overdue_category", "eq", str(chain.tenant.pk)), now=NOW, zone=ZONE)


def test_late_begins_with_the_branchs_own_day(chain):
    hair = ServiceCategoryFactory()
    west = BranchFactory(time_zone="Pacific/Honolulu")  # yesterday evening there
    home = late("home", 1, home_branch=chain.north)
    away = late("away", 1, home_branch=west)
    rhythm(home, hair, 1)
    rhythm(away, hair, 1)
    assert names(where("overdue_days", "is_set")) == ["home"]
    assert names(where("overdue_category", "is_set")) == ["home"]


def test_chains_in_one_zone_join_no_branches(chain):
    q = compile_rules(where("overdue_category", "is_set"), now=NOW, zone=ZONE)
    assert "core_branch" not in str(Customer.objects.filter(q).query)


def test_in_words_and_with_her_own_value(chain):
    hair, nails = ServiceCategoryFactory(name="Hair"), ServiceCategoryFactory(name="Nails")
    asha = late("Asha", 9)
    rhythm(asha, hair, 9)
    rhythm(asha, nails, -9)
    rules = group(
        "AND",
        condition("overdue_category", "eq", str(hair.pk)),
        condition("overdue_days", "gt", 7),
    )
    assert describe(rules, "en") == (
        "Everybody whose own rhythm is exceeded for Hair"
        " and whose days late by the own rhythm are more than 7."
    )
    verdicts = explain_membership(rules, asha, language="en", now=NOW).verdicts
    assert [(verdict.value, verdict.passed) for verdict in verdicts] == [
        ("Hair", True),
        ("9 days late", True),
    ]


@pytest.mark.parametrize("op", ["within_last", "within_next"])
def test_days_late_have_no_span(chain, op):
    with pytest.raises(ValidationFailed) as caught:
        compile_rules(where("overdue_days", op, 3), now=NOW, zone=ZONE)
    assert list(caught.value.fields) == ["rules.conditions.0.op"]
