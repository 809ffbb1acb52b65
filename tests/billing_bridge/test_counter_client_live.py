"""The example till against the real counter's calls."""

import pytest

from billing_bridge.models import RawRow
from customers.models import Purchase
from marketing.core.services import issue_key
from marketing.core.tenancy import tenant_scope
from tests.billing_bridge.test_counter_client import client
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory, ServiceFactory


@pytest.mark.django_db(transaction=True)
def test_a_bill_is_priced_held_paid_and_given_back(live_server, tmp_path):
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        service, asha = ServiceFactory(), CustomerFactory()
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
    unpriced = {**cart, "invoiceId": "A/2", "total": "500.00", "codes": ["GONE"]}
    assert till.finish_offline(unpriced).answer
    assert till.refund("A/1", {"refundId": "R-1"}).answer
    with pytest.raises(client.Refused):
        till.refund("A/9", {"refundId": "R-2"})
    assert till.send_waiting() == client.Sent()
    with tenant_scope(chain.tenant.pk):
        assert sorted(Purchase.objects.values_list("status", flat=True)) == [
            "finalised",
            "refunded",
        ]
        states = sorted(RawRow.objects.values_list("operation", "state"))
    assert states == [
        ("invoice", "applied"),
        ("invoice", "applied"),
        ("refund", "applied"),
        ("refund", "failed"),
    ]
