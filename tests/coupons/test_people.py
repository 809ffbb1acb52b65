"""A person's codes and uses: merged and parted, exported, erased."""

from customers import person_data
from customers import services as customer_services
from customers.models import CustomerMerge
from marketing.core.tenancy import tenant_scope
from marketing.coupons.models import CouponCode, CustomerUse, Redemption, Reservation
from marketing.coupons.people import export_coupons
from tests.factories.coupons import make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory


def uses(person):
    rows = CustomerUse.objects.filter(customer=person, n__gt=0)
    return sorted(rows.values_list("n", flat=True))


def test_uses_are_hers_after_a_merge_and_again_apart(chain):
    make_offer(maxUsesPerCustomer=5, maxUsesPerPeriod=9)
    asha, usha = CustomerFactory(), CustomerFactory()
    sell(chain.north, customer=asha)
    sell(chain.north, customer=usha)
    reserve(chain.north, customer=usha)
    customer_services.merge_customers(actor=system(), keep=asha, other=usha, choices={})
    assert uses(asha) == [3, 3]
    assert uses(usha) == []
    assert Redemption.objects.filter(customer=asha).count() == 2
    assert sell(chain.north, customer=usha).redemptions[0].customer_id == asha.pk
    customer_services.undo_merge(actor=system(), merge=CustomerMerge.objects.get())
    assert uses(asha) == [2, 2]
    assert uses(usha) == [2, 2]


def test_export_and_erasure(chain):
    from customers.models import Customer
    from marketing.coupons import services

    she = CustomerFactory()
    services.issue_codes(
        actor=system(), offer=make_offer(name="Hers"), customers=Customer.objects.all()
    )
    sell(chain.north, customer=she)
    told = export_coupons(she)
    assert [row["offer__name"] for row in told["codes"]] == ["Hers"]
    assert [row["amount"] for row in told["redemptions"]] == [1000]
    assert "coupons" in {holding.name for holding in person_data.holdings()}
    customer_services.erase_customer(actor=system(), customer=she)
    assert not CouponCode.objects.filter(customer=she, revoked_at=None).exists()
    assert Redemption.objects.count() == 1


def test_another_chain_sees_nothing(chain, other_chain):
    make_offer(code="HERE")
    sell(chain.north, codes=["HERE"])
    with tenant_scope(other_chain.tenant.pk):
        for model in (Reservation, Redemption, CouponCode):
            assert not model.objects.exists()
