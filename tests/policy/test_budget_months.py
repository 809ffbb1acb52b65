"""Months of the budget are opened in the chain's zone, whenever beat comes."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine as travelling

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.policy import selectors, services
from marketing.policy.models import BudgetMonth
from marketing.policy.tasks import open_budget_month
from tests.factories.policy import set_config
from tests.policy.test_budget import book, money, reserve

NOON = dt.datetime(2026, 7, 15, 12, tzinfo=dt.UTC)
JULY = dt.date(2026, 7, 1)


class TestMonths:
    """Beat opens them each hour; a late, doubled or missed turn does no harm."""

    @pytest.mark.parametrize(
        ("zone", "moment", "month"),
        [
            ("Asia/Kolkata", "2026-07-31T18:29:59", 7),
            ("Asia/Kolkata", "2026-07-31T18:30:00", 8),
            # There clocks are turned on the month's first night.
            ("America/Havana", "2026-11-01T03:59:59", 10),
            ("America/Havana", "2026-11-01T04:00:00", 11),
            ("America/Havana", "2026-11-01T05:30:00", 11),
            ("Pacific/Kiritimati", "2026-07-31T10:00:00", 8),
            ("Pacific/Pago_Pago", "2026-08-01T10:59:59", 7),
        ],
    )
    def test_a_month_begins_at_midnight_of_the_chains_zone(self, chain, zone, moment, month):
        Tenant.objects.filter(pk=chain.tenant.pk).update(time_zone=zone)
        with tenant_scope(chain.tenant.pk):
            services.open_budget_month(on=dt.datetime.fromisoformat(moment + "+00:00"))
            assert BudgetMonth.objects.get().month.month == month

    def test_a_doubled_and_a_late_sweep_change_nothing(self, chain):
        reserve({chain.north: "7"})
        book(chain.north, "-3", "2")
        for minutes in (0, 0, 59, 60 * 24 * 10):
            services.open_budget_month(on=NOON + dt.timedelta(minutes=minutes))
        assert money() == money(chain.north) == (4, 2)

    def test_missed_months_are_months_without_money(self, chain, time_machine):
        reserve({chain.north: "7"})
        later = dt.datetime(2026, 12, 2, 12, tzinfo=dt.UTC)
        services.open_budget_month(on=later)
        opened = [
            month.month
            for month in BudgetMonth.objects.filter(branch=None)
            .values_list("month", flat=True)
            .order_by("month")
        ]
        assert opened == [7, 12]
        time_machine.move_to(later)
        set_config(monthly_budget_limit=Decimal("10.00"))
        assert selectors.budget_left(None) == 10
        assert selectors.spend_of_month(dt.date(2026, 9, 1))[0].spent == 0

    def test_without_beat_the_month_opens_with_its_first_money(self, chain):
        reserve({chain.north: "7"})
        assert money() == (7, 0)

    def test_each_chain_has_its_own_month(self, chain, other_chain):
        Tenant.objects.filter(pk=other_chain.tenant.pk).update(time_zone="Pacific/Pago_Pago")
        with travelling.travel("2026-07-31T20:00:00+00:00", tick=False):
            open_budget_month()
        assert BudgetMonth.objects.get().month.month == 8
        with tenant_scope(other_chain.tenant.pk):
            assert BudgetMonth.objects.get().month.month == 7
