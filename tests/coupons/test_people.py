"""A person's codes and uses: merged and parted, exported, erased."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers import person_data, timeline
from customers import services as customer_services
from customers.models import Customer, CustomerMerge
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services
from marketing.coupons.models import CouponCode, CustomerUse, Redemption, Reservation
from marketing.coupons.people import coupons_of_customer, export_coupons
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


def codes_of(she, **values):
    offer = make_offer(name="Hers", automatic=False, **values)
    people = Customer.objects.filter(pk=she.pk)
    services.issue_codes(actor=system(), offer=offer, customers=people)
    return CouponCode.objects.get(offer=offer).code


def test_her_page_shows_codes_that_can_be_used_and_uses_with_bill_and_amount(chain, login):
    she = CustomerFactory(home_branch=chain.north)
    usable, over = codes_of(she), codes_of(she, validUntil="2020-01-01")
    used = codes_of(she)
    bill = sell(chain.north, "500.00", customer=she, codes=[used])
    page = reverse("customer-detail", args=[she.pk])
    shown = login("receptionist").get(page).text
    card = shown[shown.index("<h2") :]
    assert usable in card
    assert over not in shown.split('id="timeline"')[0]
    invoice = bill.reservation.invoice_id
    assert f"bill {invoice}, {chain.north.name}" in shown
    assert "₹50.00" in shown


def test_her_timeline_tells_of_codes_and_uses_page_by_page(chain, manager):
    she = CustomerFactory(home_branch=chain.north)
    used = codes_of(she)
    bill = sell(chain.north, "500.00", customer=she, codes=[used])
    entries = timeline.read_page(actor=manager, customer=she).entries
    told = [
        (entry.title, entry.amount, entry.coupon_redeemed)
        for entry in entries
        if entry.type == "coupon"
    ]
    assert told == [
        (f"Used Hers on bill {bill.reservation.invoice_id}", 50, True),
        (f"Code for Hers: {used}", None, True),
    ]
    first = timeline.read_page(actor=manager, customer=she, limit=1)
    rest = timeline.read_page(actor=manager, customer=she, cursor=first.next)
    assert [*first.entries, *rest.entries] == entries


def test_the_card_takes_as_many_statements_for_few_as_for_many(chain, manager):
    she = CustomerFactory(home_branch=chain.north)
    counts = []
    for _ in range(2):
        sell(chain.north, "500.00", customer=she, codes=[codes_of(she)])
        codes_of(she)
        with CaptureQueriesContext(connection) as asked:
            coupons_of_customer(manager, she)
        counts.append(len(asked))
    assert counts == [3, 3]


def test_another_chain_sees_nothing(chain, other_chain):
    make_offer(code="HERE")
    sell(chain.north, codes=["HERE"])
    with tenant_scope(other_chain.tenant.pk):
        for model in (Reservation, Redemption, CouponCode):
            assert not model.objects.exists()
