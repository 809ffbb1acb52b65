"""Rules in words, and the verdict on one customer."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from customers.models import AttributeDefinition, Customer
from marketing.segments import explanation
from marketing.segments.explanation import explain_membership
from marketing.segments.sentence import describe
from tests.factories.customers import CustomerFactory
from tests.factories.segments import (
    SegmentFactory,
    StaticSegmentFactory,
    condition,
    group,
    where,
)

NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=ZoneInfo("Asia/Kolkata"))


@pytest.mark.parametrize(
    ("rules", "english", "hindi"),
    [
        (
            where("last_visit_days", "gt", 30),
            "Everybody whose last visit was more than 30 days ago.",
            "वे सब ग्राहक: पिछली विज़िट 30 दिन से ज़्यादा पहले हुई।",
        ),
        (
            group(
                "AND",
                condition("total_spend", "gte", 125000),
                group(
                    "OR",
                    condition("has_package", "eq", True),
                    condition("last_visit_days", "not_set"),
                ),
                group("NOT", condition("tags", "in", ["bride", "vip"])),
            ),
            "Everybody whose total spend is at least ₹1,25,000 and (who has an active package or "
            "who has never visited) and not those whose tags include any of “bride” or “vip”.",
            "",
        ),
        (
            group(
                "NOT", condition("visit_count", "eq", 0), group("NOT", condition("tags", "is_set"))
            ),
            "Everybody but those whose number of visits is 0 "
            "or not those whose tags are not empty.",
            "",
        ),
        (
            where("birthday_month", "eq", "current"),
            "Everybody whose birthday month is this month.",
            "",
        ),
        (
            where("last_visit_days", "between", [30, 60]),
            "Everybody whose last visit was between 30 and 60 days ago.",
            "",
        ),
        (
            where("visit_count", "between", [2, 5]),
            "Everybody whose number of visits is between 2 and 5.",
            "",
        ),
        (where("sms_consent", "ne", True), "Everybody who did not agree to offers by SMS.", ""),
        (
            where("gender", "in", ["female", "other"]),
            "Everybody whose gender is one of Female or Other.",
            "",
        ),
    ],
)
def test_rules_in_words(chain, rules, english, hindi):
    assert describe(rules, "en") == english
    if hindi:
        assert describe(rules, "hi") == hindi


def verdicts(subject: Any, customer: Customer) -> dict[str, tuple[str, str, bool]]:
    found = explain_membership(subject, customer, language="en", now=NOW)
    return {each.path: (each.sentence, each.value, each.passed) for each in found.verdicts} | {
        "": ("", "", found.included)
    }


def test_each_condition_has_its_verdict(chain):
    AttributeDefinition.objects.create(key="skin", label="Skin type", type="text")
    customer = CustomerFactory(
        tags=["vip"],
        birth_date=dt.date(1990, 3, 12),
        home_branch=chain.north,
        facts={"last_visit_at": NOW - dt.timedelta(days=10), "total_spend": "1234.50"},
    )
    inner = SegmentFactory(name="Spenders", rules=where("total_spend", "gt", 1000))
    rules = group(
        "OR",
        condition("last_visit_days", "gt", 30),
        group("NOT", condition("total_spend", "lt", 5000), condition("birthday_in_days", "lte", 7)),
        condition("attribute.skin", "is_set"),
        condition("has_package", "eq", True),
        condition("home_branch", "eq", str(chain.north.pk)),
        {"segment": str(inner.pk), "op": "in"},
    )
    assert verdicts(rules, customer) == {
        "rules.conditions.0": ("Last visit was more than 30 days ago", "10 days ago", False),
        "rules.conditions.1.conditions.0": ("Total spend is less than ₹5,000", "₹1,234.50", True),
        "rules.conditions.1.conditions.1": ("Birthday comes within 7 days", "in 2 days", True),
        "rules.conditions.2": ("Skin type is known", "–", False),
        "rules.conditions.3": ("Has an active package", "no", False),
        "rules.conditions.4": ("Home branch is North", "North", True),
        "rules.conditions.5": ("Is in “Spenders”", "", True),
        "": ("", "", True),
    }


def test_what_stands_below_not_should_not_hold(chain):
    one = condition("visit_count", "eq", 0)
    rules = group("AND", one, group("NOT", one, group("NOT", one)), one)
    found = explain_membership(rules, CustomerFactory(), language="en", now=NOW)
    assert [each.wanted for each in found.verdicts] == [True, False, True, True]


def test_branches_lists_and_status_are_told_too(chain):
    customer = CustomerFactory(home_branch=chain.south)
    segment = SegmentFactory(rules=where("visit_count", "eq", 0), branch_ids=[chain.north.pk])
    assert verdicts(segment, customer) == {
        "branchIds": ("Home branch is one of North", "South", False),
        "rules.conditions.0": ("Number of visits is 0", "0", True),
        "": ("", "", False),
    }
    assert verdicts(StaticSegmentFactory(), customer)["customerIds"] == (
        "Is on the list",
        "",
        False,
    )
    customer.status = Customer.Status.ERASED
    customer.save()
    assert verdicts(StaticSegmentFactory(members=[customer]), customer) == {
        "status": ("Is a customer still", "Erased", False),
        "customerIds": ("Is on the list", "", True),
        "": ("", "", False),
    }


def test_the_verdict_agrees_with_the_audience_for_somebody_without_facts(chain):
    customer = Customer.objects.create(first_name="Bare")
    rules = group("NOT", condition("last_visit_days", "gt", 30))
    assert verdicts(rules, customer)["rules.conditions.0"][2] is False
    assert verdicts(rules, customer)[""][2] is True


def test_a_verdict_is_read_in_one_statement(chain, django_assert_max_num_queries):
    customer = CustomerFactory(home_branch=chain.north)
    conditions = [condition("last_visit_days", "gt", days) for days in range(50)]
    # The chain, the branches' zones, the verdicts.
    with django_assert_max_num_queries(3):
        explain_membership(group("OR", *conditions), customer, language="en", now=NOW)


def test_more_segments_than_a_statement_has_columns_are_judged_too(chain, monkeypatch):
    monkeypatch.setattr(explanation, "AT_A_TIME", 2)
    customer = CustomerFactory(tags=["vip"])
    actor = chain.actor(chain.owner)
    for number in range(5):
        tag = "vip" if number % 2 == 0 else "other"
        SegmentFactory(name=f"S{number}", rules=group("AND", condition("tags", "contains", tag)))

    held = explanation.segments_of(actor, customer, now=NOW)

    assert [segment.name for segment in held] == ["S0", "S2", "S4"]
