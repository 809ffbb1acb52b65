"""A friend's bill comes back: before the reward and after it, in parts, the first of two."""

import pytest

from marketing.coupons import services
from marketing.coupons.models import CouponCode
from marketing.loyalty.selectors import balance
from marketing.referrals.models import Referral
from tests.factories.coupons import sell, system
from tests.factories.loyalty import make_programme as make_points
from tests.factories.loyalty import spend
from tests.factories.referrals import (
    code_for,
    make_programme,
    past_hold,
    reward_all,
)


def give_back(chain, invoice="1", operation="r", **more):
    services.reverse(
        actor=system(),
        branch_id=chain.north.pk,
        invoice_id=invoice,
        operation=operation,
        **more,
    )


@pytest.mark.parametrize(
    ("is_rewarded", "is_mistake", "states"),
    [
        (False, False, ["voided"]),
        (True, False, ["clawed_back"]),
        (False, True, ["expired", "attributed"]),
    ],
)
def test_the_first_of_two_visits_comes_back_late(
    chain, asha, bela, is_rewarded, is_mistake, states
):
    make_programme(reward_on="second_visit")
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    sell(chain.north, "1000.00", customer=bela, invoice_id="2")
    past_hold(Referral.objects.get())
    if is_rewarded:
        reward_all()
    give_back(chain, "1", is_mistake=is_mistake)
    reward_all()
    rows = Referral.objects.order_by("pk")
    assert [row.state for row in rows] == states
    assert balance(asha.pk).points == 0
    if is_mistake:
        # Of the two the second was right: one more is asked for.
        assert rows[1].first_invoice == "2"
        sell(chain.north, "1000.00", customer=bela, invoice_id="3")
        assert Referral.objects.get(state="held").bill_invoice == "3"


def test_a_part_of_the_first_of_two_visits_changes_nothing(chain, asha, bela):
    make_programme(reward_on="second_visit")
    sell(chain.north, "1000.00", "10.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    sell(chain.north, "1000.00", customer=bela, invoice_id="2")
    give_back(chain, "1", lines={1: 1})
    assert Referral.objects.get().state == "held"


@pytest.mark.parametrize(
    ("units", "state"), [({1: 1}, "held"), ({1: 2}, "voided"), (None, "voided")]
)
def test_half_of_the_bill_back_voids(chain, asha, bela, units, state):
    line = {"serviceId": "x", "unitPrice": "300.00", "quantity": 4}
    sell(chain.north, line, customer=bela, codes=[code_for(asha)], invoice_id="1")
    give_back(chain, lines=units)
    assert Referral.objects.get().state == state
    reward_all()
    assert balance(asha.pk).points == 0


def test_parts_add_up(chain, asha, bela):
    line = {"serviceId": "x", "unitPrice": "300.00", "quantity": 4}
    sell(chain.north, line, customer=bela, codes=[code_for(asha)], invoice_id="1")
    for operation in ("a", "a", "b"):
        give_back(chain, operation=operation, lines={1: 1})
    assert (Referral.objects.get().state, Referral.objects.get().bill_refunded) == (
        "voided",
        54_000,
    )


@pytest.mark.parametrize("spent", [False, True])
def test_a_refund_after_the_reward_takes_points_back(chain, asha, bela, spent):
    make_points()
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    past_hold(Referral.objects.get())
    reward_all()
    if spent:
        spend(asha, 80)
    give_back(chain)
    assert Referral.objects.get().state == "clawed_back"
    assert balance(asha.pk).points == (-80 if spent else 0)


def test_the_points_programmes_bonus_comes_besides_and_goes_with_the_bill(chain, asha, bela):
    make_points(referral_bonus=30)
    make_programme(referrer_reward_type="discount", referrer_reward_value=20)
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    past_hold(Referral.objects.get())
    reward_all()
    assert balance(asha.pk).points == 30
    give_back(chain)
    assert balance(asha.pk).points == 0


@pytest.mark.parametrize("used", [False, True])
def test_a_refund_takes_an_unused_code_back_and_asks_for_no_money(chain, asha, bela, used):
    make_programme(referrer_reward_type="discount", referrer_reward_value=20)
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    past_hold(Referral.objects.get())
    reward_all()
    code = CouponCode.objects.get(customer=asha)
    if used:
        sell(chain.north, "1000.00", customer=asha, codes=[code.code])
    give_back(chain)
    code.refresh_from_db()
    assert (code.revoked_at is None) == used
    assert Referral.objects.get().state == "clawed_back"
    assert balance(asha.pk).points == 0
