"""What rules count, counted for everybody at once."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from marketing.segments import services, tally
from marketing.segments.models import Segment
from tests.factories.customers import PurchaseFactory, VisitFactory
from tests.factories.segments import SegmentFactory, group
from tests.segments.test_compiler import person


def counted(kind: str, narrowed: Any, op: str = "gte", times: Any = 1, **more: Any) -> Any:
    return group("AND", {kind: narrowed, "count": {"op": op, "value": times}, **more})


@pytest.fixture
def visits(chain):
    """The names of people who came so often, on so many days."""
    now = dt.datetime.now(dt.UTC)
    for name, days in {"never": [], "once": [3], "thrice": [1, 3, 400]}.items():
        customer = person(name)
        for each in days:
            VisitFactory(
                customer=customer, branch=chain.north, visited_at=now - dt.timedelta(days=each)
            )


def counts() -> dict[str, int | None]:
    return dict(Segment.objects.values_list("name", "customer_count"))


def test_a_table_is_gone_through_once_for_all_rules(visits):
    SegmentFactory(name="any", rules=counted("visit", {}))
    SegmentFactory(name="none", rules=counted("visit", {}, "eq", 0))
    SegmentFactory(name="lately twice", rules=counted("visit", {}, "gte", 2, within={"days": 30}))
    SegmentFactory(name="at most once", rules=counted("visit", {}, "lte", 1))
    with CaptureQueriesContext(connection) as captured:
        services.refresh_all()
    asked = [each["sql"] for each in captured if '"customers_visit"' in each["sql"]]
    assert len(asked) == 1
    assert asked[0].count('FROM "customers_visit"') == 1
    assert counts() == {"any": 2, "none": 1, "lately twice": 1, "at most once": 2}


def test_what_looks_into_another_table_is_gone_through_by_itself(chain):
    for lines in (1, 2):
        PurchaseFactory(customer__first_name=f"{lines}", lines=lines)
    Customer.objects.exclude(first_name__in="12").delete()
    service = Customer.objects.get(first_name="1").purchases.get().lines.get().service
    rules = counted("purchase", {"service": str(service.pk)})
    SegmentFactory(name="this service", rules=rules)
    SegmentFactory(name="bills", rules=counted("purchase", {}))
    services.refresh_all()
    assert counts() == {"this service": 1, "bills": 2}


def test_what_is_beyond_the_limit_is_looked_up_by_person(visits, monkeypatch):
    monkeypatch.setattr(tally, "MOST", 1)
    SegmentFactory(name="once", rules=counted("visit", {}, "eq", 1))
    SegmentFactory(name="thrice", rules=counted("visit", {}, "gte", 3, within={"days": 500}))
    services.refresh_all()
    assert counts() == {"once": 1, "thrice": 1}
