"""The example till against the real counter's calls."""

import json

import pytest

from billing_bridge.models import RawRow
from customers.models import Purchase
from marketing.core.services import issue_key
from marketing.core.tenancy import tenant_scope
from tests.billing_bridge.test_counter_client import client
from tests.factories.core import make_chain
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory, ServiceFactory


@pytest.mark.django_db(transaction=True)
def test_a_bill_is_priced_held_paid_and_given_back(live_server, tmp_path, monkeypatch, capsys):
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        service, asha = ServiceFactory(), CustomerFactory()
        make_offer(code="TENTH")
        _key, text = issue_key(
            actor=chain.actor(chain.owner),
            name="Till",
            scopes=["counter"],
            branch_ids=[chain.north.pk],
        )
    till = client.Till(live_server.url, text, tmp_path, patience=30)
    cart = {
        "customerPhone": asha.phone,
        "lines": [{"serviceId": str(service.pk), "unitPrice": "500.00"}],
    }
    quote = till.quote(cart)
    held = till.reserve(cart, key="till-1", quote_hash=quote["quoteHash"])
    assert till.finish({**client.paid_bill(cart, held), "invoiceId": "A/1"}).answer
    on_top = cart | {
        "lines": [cart["lines"][0] | {"taxRate": "18"}],
        "pricesIncludeTax": False,
        "codes": ["TENTH"],
    }
    held = till.reserve(on_top, key="till-2")
    billed = till.finish({**client.paid_bill(on_top, held), "invoiceId": "A/3"}).answer["invoice"]
    assert (billed["total"], billed["warnings"]) == ("531.00", [])
    # Its own amounts are of the price before the offer.
    paid = [{"method": "upi", "amount": "590.00"}]
    whole = on_top | {"invoiceId": "A/4", "total": "590.00", "tax": "90.00", "payments": paid}
    file = tmp_path / "bill.json"
    file.write_text(json.dumps(whole))
    monkeypatch.setattr("sys.argv", ["till", live_server.url, text, str(tmp_path), str(file)])
    client.main()
    assert '"total": "531.00"' in capsys.readouterr().out
    unpriced = {**cart, "invoiceId": "A/2", "total": "500.00", "codes": ["GONE"]}
    assert till.finish_offline(unpriced).answer
    assert till.refund("A/1", {"refundId": "R-1"}).answer
    with pytest.raises(client.Refused):
        till.refund("A/9", {"refundId": "R-2"})
    assert till.send_waiting() == client.Sent()
    with tenant_scope(chain.tenant.pk):
        assert sorted(Purchase.objects.values_list("status", flat=True)) == [
            "finalised",
            "finalised",
            "finalised",
            "refunded",
        ]
        states = sorted(RawRow.objects.values_list("operation", "state"))
    assert states == [
        *[("invoice", "applied")] * 4,
        ("refund", "applied"),
        ("refund", "failed"),
    ]
