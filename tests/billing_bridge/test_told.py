"""What a quote tells of codes and budgets, and what it keeps to itself."""

import pytest

from customers.models import Customer
from marketing.coupons import services
from marketing.coupons.models import CouponCode
from tests.billing_bridge.till import Refused
from tests.factories.coupons import make_offer, system
from tests.factories.customers import CustomerFactory


def test_of_somebody_elses_code_nothing_is_told_but_the_reason(chain, till):
    hers, other = CustomerFactory.create_batch(2, home_branch=chain.north)
    offer = make_offer(name="For Asha alone", automatic=False)
    services.issue_codes(
        actor=system(),
        offer=offer,
        customers=Customer.objects.filter(pk=hers.pk),
        expires_at=None,
    )
    code = CouponCode.objects.get().code
    answer = till.quote("900.00", customer=other, codes=[code])
    assert answer["quote"]["codes"] == [
        {
            "code": code,
            "verdict": "blocked",
            "offerId": None,
            "name": "",
            "reasons": [{"code": "code_not_hers"}],
        }
    ]
    assert "For Asha alone" not in str(answer)
    assert str(offer.pk) not in str(answer)
    body = {
        "code": code,
        "customerId": str(other.pk),
        "branchId": str(chain.north.pk),
        "orderAmount": "900.00",
    }
    said = till.client.post(
        "/api/v1/coupons/validate", body, content_type="application/json", headers=till.headers
    )
    assert said.status_code == 200
    assert said.json()["data"]["invalidReason"] == "not_eligible"
    assert "For Asha alone" not in said.text
    [own] = till.quote("900.00", customer=hers, codes=[code])["quote"]["codes"]
    assert (own["verdict"], own["name"]) == ("applied", "For Asha alone")
    # Nor once it is used up, or to a till that names nobody.
    till.sell("900.00", customer=hers, codes=[code])
    for customer, why in ((other, "code_not_hers"), (None, "customer_required")):
        answer = till.quote("900.00", customer=customer, codes=[code])
        assert [each["code"] for each in answer["quote"]["codes"][0]["reasons"]] == [why]
        assert "For Asha alone" not in str(answer)


def test_a_budget_that_is_used_up_says_what_is_left_and_no_need(chain, till):
    make_offer(budget="100", budgetPolicy="partial")
    assert till.sell("2000.00", reserved=till.reserve("2000.00"))["invoice"]["offersDiscount"] == (
        "100.00"
    )
    [candidate] = till.quote("500.00")["quote"]["candidates"]
    assert candidate["reasons"] == [{"code": "budget_left", "left": "0.00"}]


def test_a_budget_that_is_too_short_says_both(chain, till):
    make_offer(budget="100")
    [candidate] = till.quote("2000.00")["quote"]["candidates"]
    assert candidate["reasons"] == [{"code": "budget_left", "left": "100.00", "need": "200.00"}]


def test_a_refusal_tells_its_reasons_as_the_quote_does(chain, till):
    make_offer(code="BIG", minOrderAmount="500")
    make_offer(code="POOR", discountType="flat", discountValue="50", budget="30")
    make_offer(code="WEEKLY", maxUsesPerPeriod=1, usePeriod="week")
    she = CustomerFactory()
    till.sell(customer=she, codes=["WEEKLY"])
    for code in ("BIG", "POOR", "WEEKLY"):
        [told] = till.quote(customer=she, codes=[code])["quote"]["codes"]
        with pytest.raises(Refused) as refused:
            till.reserve(customer=she, codes=[code])
        assert refused.value.details["reasons"] == told["reasons"], code
        [warning] = till.sell(customer=she, codes=[code])["invoice"]["warnings"]
        assert warning["details"]["reasons"] == told["reasons"], code
