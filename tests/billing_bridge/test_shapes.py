"""What the counter is told is what the schema says: every field, and no other."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from billing_bridge.api import results
from tests.billing_bridge.till import Till
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme

# What some calls answer besides what all do.
STATUSES = {
    "billing/quote": {"post": {"200", "404", "429", "503"}},
    "billing/reserve": {"post": {"201", "404", "422", "429", "503"}},
    "billing/invoices": {"post": {"201", "200", "422", "503"}},
    "billing/invoices/{invoice}/refund": {"post": {"201", "200", "404", "422"}},
    "coupons/validate": {"post": {"200", "404", "429"}},
    "coupons/{id}": {"delete": {"200"}},
    "offers/{id}/batches/{batch}": {"delete": {"200"}},
    "offers/{id}/codes": {"post": {"202"}},
    "referrals/apply": {"post": {"201", "404", "422"}},
}


def test_the_schema_names_every_status():
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    for path, methods in STATUSES.items():
        for method, needed in methods.items():
            said = set(paths[f"/api/v1/{path}"][method]["responses"])
            assert needed <= said, (path, method)
            succeeding = {status for status in needed if status < "300"}
            assert {status for status in said if status < "300"} == succeeding, (path, method)


def differences(shape, value, path=""):
    """Paths that only one of schema and answer has."""
    if getattr(shape, "many", False):
        return [each for item in value for each in differences(shape.child, item, f"{path}[]")]
    fields = getattr(shape, "fields", None)
    if fields is None or value is None:
        return []
    needed = {name for name, field in fields.items() if field.required}
    found = [f"{path}.{name} is missing" for name in needed - set(value)]
    # A reason's numbers are its own.
    if not isinstance(shape, results.ReasonOutput):
        found += [f"{path}.{name} is not in the schema" for name in set(value) - set(fields)]
    for name in set(value) & set(fields):
        found += differences(fields[name], value[name], f"{path}.{name}")
    return found


@pytest.mark.parametrize("includes_tax", [True, False])
def test_answers_are_those_of_the_schema(chain, includes_tax):
    till = Till(chain)
    make_programme()
    make_offer(code="TENTH")
    make_offer(discountType="flat", discountValue="5", minOrderAmount="5000")
    make_offer(discountType="flat", discountValue="1")
    asha = CustomerFactory()
    earn(asha, 500)
    line = {"unitPrice": "118.00", "quantity": 2, "taxRate": "18"}
    asked = {"customer": asha, "codes": ["TENTH", "NOSUCH"], "points": {"use": 20}}
    asked["pricesIncludeTax"] = includes_tax
    quoted = till.quote(line, **asked)
    assert {each["verdict"] for each in quoted["quote"]["candidates"]} >= {"applied", "blocked"}
    reserved = till.reserve(line, **asked, quoteHash=quoted["quote"]["quoteHash"])
    renewed = till.post(f"reservations/{reserved['reservation']['id']}/renew", {})
    body = till.invoice_body(line, customer=asha, reserved=reserved, pricesIncludeTax=includes_tax)
    if not includes_tax:
        body |= {"tax": reserved["quote"]["tax"], "total": reserved["quote"]["total"]}
    sold = till.post("invoices", body)
    refunded = till.refund(body["invoiceId"], lines={1: 1})
    for shape, answer in (
        (results.QuoteAnswer, quoted),
        (results.ReservedAnswer, reserved),
        (results.ReservationAnswer, renewed),
        (results.InvoiceAnswer, sold),
        (results.RefundAnswer, refunded),
    ):
        assert differences(shape(), answer) == []
    assert sold["invoice"]["warnings"] == []
