"""Reminders of the open tenant scope: `FollowupFactory(staff=chain.manager, customer=asha)`."""

import datetime as dt

import factory
from factory.django import DjangoModelFactory

from marketing.core import clock
from marketing.followups import rules
from marketing.followups.models import FollowupReminder
from tests.factories.customers import CustomerFactory


def today() -> dt.date:
    return rules.local_day(clock.now(), "Asia/Kolkata")


class FollowupFactory(DjangoModelFactory[FollowupReminder]):
    """For today, unless `reminder_date` or `in_days` says otherwise."""

    class Meta:
        model = FollowupReminder

    class Params:
        in_days = 0

    customer = factory.SubFactory(CustomerFactory)
    reminder_date = factory.LazyAttribute(lambda made: today() + dt.timedelta(days=made.in_days))
    note = "Ask how the colour held"
