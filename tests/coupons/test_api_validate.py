"""`coupons/validate`: Module 11's reasons in its order, and who asks too often."""

import pytest
from django.core.cache import cache

from marketing.coupons import services
from tests.coupons.http import FREE, NOBODY, fields
from tests.factories.coupons import make_offer, system
from tests.factories.customers import CustomerFactory, ServiceFactory


@pytest.fixture
def check(chain, api):
    """`check(code, amount, **more)` asks `coupons/validate` at North; what it says."""
    cache.clear()
    she = CustomerFactory()

    def ask(code, amount="600", staff="receptionist", **more):
        body = {
            "code": code,
            "customerId": str(she.pk),
            "branchId": str(chain.north.pk),
            "orderAmount": amount,
        }
        return api(staff, "post", "coupons/validate", {**body, **more})

    yield ask
    cache.clear()


def test_validate_says_what_is_given_or_the_first_reason(chain, check):
    south = str(chain.south.pk)
    make_offer(code="TEN", minOrderAmount="500", maxDiscountAmount="55")
    make_offer(code="LATE", validUntil="2020-01-01", minOrderAmount="9000", branchIds=[south])
    make_offer(code="SOUTH", branchIds=[south])
    free = ServiceFactory()
    make_offer(code="FREE", **FREE, freeServiceId=str(free.pk))
    services.deactivate_offer(actor=system(), offer=make_offer(code="OFF"))
    status, answer = check("t-e-n")
    data = answer["data"]
    assert (status, data["valid"], data["discountAmount"]) == (200, True, "55.00")
    assert (data["coupon"]["code"], data["invalidReason"], data["reasons"]) == ("TEN", None, [])
    short = check("TEN", "420.00")[1]["data"]
    assert (short["valid"], short["invalidReason"]) == (False, "min_order_not_met")
    assert short["reasons"] == [
        {"code": "min_amount_short", "have": "420.00", "need": "500.00", "shortBy": "80.00"}
    ]
    late = check("LATE")[1]["data"]
    assert late["invalidReason"] == "expired"
    why = {each["code"] for each in late["reasons"]}
    assert why == {"expired", "wrong_branch", "min_amount_short"}
    assert check("SOUTH")[1]["data"]["invalidReason"] == "branch_not_eligible"
    unknown = check("NOSUCH")[1]["data"]
    assert (unknown["invalidReason"], "coupon" in unknown) == ("invalid_code", False)
    assert check("OFF")[1]["data"]["invalidReason"] == "invalid_code"
    free_of = check("FREE")[1]["data"]
    assert (free_of["valid"], free_of["discountAmount"]) == (True, "0.00")
    wrong = check("FREE", serviceIds=[str(ServiceFactory().pk)])[1]["data"]
    assert wrong["invalidReason"] == "service_not_eligible"
    line = {"serviceId": str(free.pk), "unitPrice": "250"}
    assert check("FREE", lines=[line])[1]["data"]["discountAmount"] == "250.00"


def test_a_line_is_of_its_services_category_whether_or_not_it_says_so(chain, check):
    service = ServiceFactory()
    make_offer(code="CATEGORY", categoryIds=[str(service.category_id)])
    line = {"serviceId": str(service.pk), "unitPrice": "250"}
    assert check("CATEGORY", lines=[line])[1]["data"]["discountAmount"] == "25.00"
    for other in (str(ServiceFactory().pk), NOBODY, "किसी का नहीं"):
        said = check("CATEGORY", lines=[line | {"serviceId": other}])[1]["data"]
        assert said["invalidReason"] == "service_not_eligible"


def test_validate_refuses_what_cannot_be_asked(chain, other_chain, check):
    assert list(fields(check("TEN", "-1"))) == ["orderAmount"]
    assert list(fields(check("T" * 101))) == ["code"]
    assert list(fields(check("TEN", lines=[{"serviceId": "", "unitPrice": "1"}]))) == [
        "lines.0.serviceId"
    ]
    over = {"serviceId": "s", "unitPrice": "5", "manualDiscount": "6"}
    assert list(fields(check("TEN", lines=[over]))) == ["lines.0.manualDiscount"]
    for name, pk in (("branchId", chain.south.pk), ("branchId", other_chain.north.pk)):
        assert check("TEN", **{name: str(pk)})[0] == 404
    assert check("TEN", customerId=NOBODY)[0] == 404


def test_whoever_guesses_is_refused_for_a_minute(chain, check, api):
    make_offer(code="TEN")
    for number in range(10):
        assert check(f"GUESS{number}")[1]["data"]["invalidReason"] == "invalid_code"
    status, refused = check("TEN")
    assert (status, refused["error"]["code"]) == (429, "MARKETING_429")
    assert refused["error"]["details"]["retryAfter"] >= 59
    assert check("TEN", staff="manager")[0] == 200
