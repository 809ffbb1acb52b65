"""GST on bills: the service's rate where a line names none, and prices with or without it."""

from decimal import Decimal

import pytest

from customers.models import Purchase, Service
from customers.services import put_services
from marketing.core.tenancy import tenant_scope
from marketing.coupons.services import update_counter_settings
from tests.billing_bridge.desk import look, paid, press, sheet, shown
from tests.billing_bridge.till import Till
from tests.factories.customers import CustomerFactory, ServiceFactory


@pytest.fixture
def taxed(cut):
    Service.objects.filter(pk=cut.pk).update(tax_rate=Decimal("18"))
    return cut


def test_a_line_goes_by_its_services_rate_unless_it_names_one(chain, taxed):
    till = Till(chain)
    line = {"serviceExternalId": taxed.external_id, "unitPrice": "118.00"}
    lines = [line, line | {"taxRate": "5"}, line | {"taxRate": None}, line | {"taxRate": "0"}]
    priced = till.quote(*lines)["quote"]["lines"]
    taxes = [each["taxRate"] for each in priced]
    assert taxes == ["18.00", "5.00", "18.00", "0.00"]
    assert priced[0]["taxable"] == "100.00"
    plain = ServiceFactory()
    [unknown] = till.quote({"serviceExternalId": plain.external_id, "unitPrice": "118.00"})[
        "quote"
    ]["lines"]
    assert unknown["taxRate"] is None


def test_rates_of_services_are_put_and_stay_where_they_are_not_named(chain, other_chain, cut):
    actor = chain.actor(chain.owner)
    row = {
        "external_id": cut.external_id,
        "category": cut.category.external_id,
        "name": "Haircut",
        "price": Decimal("500"),
        "duration_minutes": 30,
        "is_active": True,
    }
    with tenant_scope(other_chain.tenant.pk):
        theirs = ServiceFactory(external_id=cut.external_id, tax_rate=Decimal("12"))
    for change, rate in (({"tax_rate": Decimal("18.00")}, "18.00"), ({}, "18.00")):
        put_services(actor=actor, rows=[row | change, row | {"external_id": "new"}])
        cut.refresh_from_db()
        assert str(cut.tax_rate) == rate
    assert Service.objects.get(external_id="new").tax_rate is None
    put_services(actor=actor, rows=[row | {"tax_rate": None}])
    cut.refresh_from_db()
    assert cut.tax_rate is None
    with tenant_scope(other_chain.tenant.pk):
        theirs.refresh_from_db()
        assert theirs.tax_rate == Decimal("12")


def test_the_counter_begins_a_line_with_its_services_rate(desk, chain, taxed):
    added = desk.get("/counter", {"bill": "a", "branch": chain.north.pk, "add": taxed.pk})
    assert "t=18&" in f"{added.url}&"
    page = shown(look(desk, sheet(chain.north, (taxed, "1", "118.00"))))
    assert "CGST + SGST in it ₹9 + ₹9" in page


def test_prices_without_tax_stay_so_while_the_bill_is_open(desk, chain, taxed):
    asha = CustomerFactory(home_branch=chain.north)
    query = sheet(chain.north, (taxed, "1", "100.00"), customer=asha.pk, tax="without")
    page = shown(look(desk, query))
    assert "CGST + SGST on top ₹9 + ₹9 To pay ₹118" in page
    dropped = desk.get(f"/counter?{query}&drop=1")
    assert "tax=without" in dropped.url
    bill = paid(desk, query)
    sale = Purchase.objects.get()
    assert (sale.total, sale.tax) == (Decimal("118.00"), Decimal("18.00"))
    assert "CGST + SGST on top" in shown(desk.get(f"/counter/{bill.pk}/print"))
    press(desk, "refund", bill, refund="R1", all="1")
    sale.refresh_from_db()
    assert sale.refunded == Decimal("118.00")


def test_a_bill_begins_as_the_chain_has_its_prices(desk, chain, taxed):
    assert "tax=with&" in f"{desk.get('/counter').url}&"
    actor = chain.actor(chain.owner)
    update_counter_settings(actor=actor, values={"prices_include_tax": False})
    assert "tax=without" in desk.get("/counter").url
    query = sheet(chain.north, (taxed, "1", "100.00"))
    assert "To pay ₹118" in shown(look(desk, query))
    assert "To pay ₹100" in shown(look(desk, f"{query}&tax=with"))
    assert look(desk, f"{query}&tax=nonsense").status_code == 200
