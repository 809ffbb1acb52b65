"""A bill that was rung up wrongly, and the right one after it."""

import pytest

from marketing.coupons import services
from marketing.loyalty.selectors import balance
from marketing.referrals.models import Referral, ReferralCode, ReferralNotice, ReferralStep
from tests.factories.coupons import sell, system
from tests.factories.referrals import bring, code_for, converted, past_hold, reward_all


def void(chain, invoice="1"):
    services.reverse(
        actor=system(),
        branch_id=chain.north.pk,
        invoice_id=invoice,
        operation="void",
        is_mistake=True,
    )


@pytest.mark.parametrize("is_told", [True, False])
def test_the_right_bill_counts_once(chain, asha, bela, is_told):
    codes = [code_for(asha)]
    sell(chain.north, "1000.00", customer=bela, codes=codes, invoice_id="1")
    void(chain)
    void(chain)
    former, going_on = Referral.objects.order_by("pk")
    assert (former.state, former.reason) == ("expired", "bill_voided")
    assert (going_on.state, going_on.bill_invoice, going_on.bill_total) == ("attributed", "", None)
    # Without the code too she has her welcome.
    sell(chain.north, "1200.00", customer=bela, codes=codes if is_told else [], invoice_id="2")
    going_on.refresh_from_db()
    assert (going_on.state, going_on.bill_invoice, going_on.bill_total) == ("held", "2", 108_000)
    assert going_on.attributed_at == former.attributed_at
    for row in Referral.objects.all():
        past_hold(row)
    reward_all()
    assert balance(asha.pk).points == 100
    assert ReferralCode.objects.get().taken == 1
    steps = ReferralStep.objects.filter(referral=going_on).order_by("pk")
    assert [step.state for step in steps][0::4] == ["attributed", "rewarded"]


def test_a_small_bill_that_is_undone_leaves_the_welcome(chain, asha, bela):
    bring(asha, bela, chain.north)
    sell(chain.north, "400.00", customer=bela, invoice_id="1")
    void(chain)
    sell(chain.north, "1000.00", customer=bela, invoice_id="2")
    assert Referral.objects.get().bill_total == 90_000


def test_a_refund_is_no_mistake(chain, asha, bela):
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    services.reverse(actor=system(), branch_id=chain.north.pk, invoice_id="1", operation="r")
    void(chain)
    assert Referral.objects.get().state == "voided"


def test_what_was_rewarded_is_taken_back(chain, asha, bela):
    past_hold(converted(asha, bela, chain.north))
    reward_all()
    void(chain, Referral.objects.get().bill_invoice)
    assert Referral.objects.get().state == "clawed_back"


def test_nobody_hears_twice_that_she_signed_up(chain, asha, bela):
    sell(chain.north, "1000.00", customer=bela, codes=[code_for(asha)], invoice_id="1")
    former = Referral.objects.get()
    for kind in ("joined", "came"):
        ReferralNotice.objects.create(referral=former, kind=kind, customer=asha, lot=former.pk)
    void(chain)
    going_on = Referral.objects.get(state="attributed")
    assert [row.kind for row in ReferralNotice.objects.filter(referral=going_on)] == ["joined"]
