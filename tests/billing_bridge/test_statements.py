"""How many statements the counter's calls take, those of its key and its transaction with them."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.billing_bridge.till import Till
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme

# Each as few as was reached; one more is looked at before it is allowed.
MOST = {"reserve": 27, "redeem": 26, "invoice": 38, "refund": 48}
BALANCE = 9


def count(work):
    with CaptureQueriesContext(connection) as caught:
        work()
    return len(caught)


def test_a_bill_with_a_code_a_limited_offer_and_points(till):
    make_programme()
    make_offer(code="TENTH", maxTotalUses=500)
    make_offer(maxUsesPerCustomer=100)
    asha = CustomerFactory()
    earn(asha, 1000)
    asked = {"customer": asha, "codes": ["TENTH"], "points": {"use": 10}}
    bodies, counts = [], {}
    till.reserve(**asked)
    counts["reserve"] = count(lambda: bodies.append(till.reserve(**asked)))
    counts["redeem"] = count(lambda: till.redeem(bodies[0]["reservation"], "INV-1"))
    other = till.invoice_body(customer=asha, reserved=till.reserve(**asked))
    counts["invoice"] = count(lambda: till.post("invoices", other))
    counts["refund"] = count(lambda: till.refund(other["invoiceId"]))
    assert counts == MOST


def test_what_points_she_has(chain):
    make_programme()
    asha = CustomerFactory()
    earn(asha, 1000)
    till = Till(chain, scopes=["counter", "read"])
    address = f"/api/v1/customers/{asha.pk}/points"
    till.client.get(address, headers=till.headers)
    counted = count(lambda: till.client.get(address, headers=till.headers))
    assert counted == BALANCE
