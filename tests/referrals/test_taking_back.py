"""What becomes of a reward whose bill was refunded, and what its page says."""

import pytest
from django.urls import reverse

from marketing.coupons.models import CouponCode
from marketing.referrals import services
from marketing.referrals.models import Referral, ReferralStep
from tests.factories.coupons import sell
from tests.factories.referrals import converted, make_programme, reward_all


def rewarded(chain, asha, bela, kind):
    make_programme(referrer_reward_type=kind, referrer_reward_value=20, hold_days=0)
    referral = converted(asha, bela, chain.north)
    reward_all()
    return Referral.objects.select_related("referrer_reward_code").get(pk=referral.pk)


def refund(referral):
    services.take_refund({"referral": str(referral.pk), "converted": True}, {}, is_whole=True)
    referral.refresh_from_db()


@pytest.mark.parametrize(
    ("kind", "is_used", "words"),
    [
        ("points", False, "The points were taken back"),
        ("discount", False, "opens nothing any more"),
        ("discount", True, "there is nothing to take back"),
    ],
)
def test_the_page_says_what_became_of_the_reward(chain, asha, bela, login, kind, is_used, words):
    referral = rewarded(chain, asha, bela, kind)
    if is_used:
        code = referral.referrer_reward_code.code
        sell(chain.north, "500.00", codes=[code], customer=asha)
    refund(referral)
    assert referral.state == "clawed_back"
    page = login("receptionist").get(reverse("referral-detail", args=[referral.pk])).text
    assert words in page
    reason = "refunded_used" if is_used else "refunded"
    assert referral.reason == reason
    assert ReferralStep.objects.filter(referral=referral, reason=reason).count() == 1
    assert ("had been used before" in page) == is_used
    if kind == "discount":
        code = CouponCode.objects.get(pk=referral.referrer_reward_code_id)
        assert (code.revoked_at is None) == is_used
