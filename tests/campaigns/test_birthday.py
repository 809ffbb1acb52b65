"""A campaign of every morning tells whose birthday it is her own code, and nobody else."""

import datetime as dt

import pytest
import time_machine

from customers.models import Customer
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.services import runs
from marketing.campaigns.tasks import run_due_campaigns
from marketing.coupons.models import CouponCode
from marketing.coupons.selectors import price_bill
from marketing.delivery.models import BatchReason, Message
from marketing.loyalty.tasks import turn_days
from tests.campaigns.test_sending import finish, stored
from tests.factories.campaigns import make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.coupons import make_cart, make_offer
from tests.factories.loyalty import make_programme
from tests.factories.segments import SegmentFactory, where

# One minute past midnight in Mumbai.
MIDNIGHT = dt.datetime(2026, 6, 14, 18, 31, tzinfo=dt.UTC)
NINE = dt.timedelta(hours=8, minutes=59)
EVERY_MORNING = "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0"


@pytest.fixture
def people(chain):
    """Born on the first day, on the day after, and another month."""
    with time_machine.travel(MIDNIGHT, tick=False) as travel:
        make_ground(chain.north, people=3, campaign_approval_threshold_recipients=100)
        born = ("1990-06-15", "1985-06-16", "1990-07-15")
        found = list(Customer.objects.order_by("pk"))
        for customer, day in zip(found, born, strict=True):
            Customer.objects.filter(pk=customer.pk).update(birth_date=day)
        yield travel, *found


def every_morning(chain, body, **values):
    """To those whose birthday it is; so few that nobody has to approve it."""
    return submitted(
        chain.manager,
        campaign_type="recurring",
        recurrence_rule=EVERY_MORNING,
        segment_id=SegmentFactory(rules=where("birthday_in_days", "today")).pk,
        template_id=TemplateFactory(contents={"en": {"body": body}, "hi": {"body": body}}).pk,
        **values,
    )


def a_morning(travel):
    """The sweep of the midnight, then the campaign's; who was written to what."""
    turn_days()
    travel.shift(NINE)
    run_due_campaigns()
    run = CampaignRun.objects.select_related("send_run").latest("number")
    runs.start_run(campaign_run_id=run.pk)
    sent = Message.objects.filter(run_id=run.send_run_id)
    told = dict(sent.exclude(state="skipped").values_list("customer_id", "variables"))
    run.refresh_from_db()
    finish(run)
    return told


@pytest.mark.parametrize("way", ["the programme's code", "the campaign's own codes"])
def test_each_morning_writes_to_whose_birthday_it_is_her_own_code(chain, people, way):
    travel, asha, bela, other = people
    offer = make_offer(name="Birthday treat", automatic=False, validUntil="2026-12-31")
    if way == "the programme's code":
        make_programme(birthday_offer=offer, birthday_offer_days=14)
        names, more = ("birthday_code", "birthday_code_until"), {}
        until = ["2026-06-28", "2026-06-29"]
    else:
        names, more = ("coupon_code", "offer_valid_until"), {"coupon_id": offer.pk}
        more["unique_codes"] = True
        until = ["2026-12-31"] * 2
    code, last = names
    body = f"Happy birthday! {{{{ {code} }}}} until {{{{ {last} }}}}."
    campaign = every_morning(chain, body, **more)
    first = a_morning(travel)
    assert stored(campaign).status == "scheduled"
    travel.move_to(MIDNIGHT + dt.timedelta(days=1))
    second = a_morning(travel)
    assert (set(first), set(second)) == ({asha.pk}, {bela.pk})
    assert [each[last] for told in (first, second) for each in told.values()] == until
    hers = dict(CouponCode.objects.exclude(customer=None).values_list("customer_id", "code"))
    assert hers == {asha.pk: first[asha.pk][code], bela.pk: second[bela.pk][code]}
    for who, faults in ((asha, []), (other, ["code_not_hers"])):
        priced = price_bill(
            branch_id=chain.north.pk,
            customer_id=who.pk,
            cart=make_cart("100.00", codes=[hers[asha.pk]]),
        )
        assert [why.code for why in priced.quote.codes[0].reasons] == faults


def test_who_has_no_code_gets_no_message_without_one(chain, people):
    travel, *_people = people
    make_programme(birthday_offer=make_offer(automatic=False, isActive=False))
    body = "Happy birthday! {{ birthday_code }}"
    every_morning(chain, body)
    assert a_morning(travel) == {}
    assert BatchReason.objects.get().code == "missing_value"


def test_it_may_begin_on_a_day_that_is_nobodys_birthday(chain, people):
    travel, asha, *_others = people
    travel.move_to(MIDNIGHT - dt.timedelta(days=1))
    make_programme(birthday_offer=make_offer(automatic=False), birthday_offer_days=14)
    every_morning(chain, "Happy birthday! {{ birthday_code }}")
    assert a_morning(travel) == {}
    travel.move_to(MIDNIGHT)
    assert set(a_morning(travel)) == {asha.pk}
