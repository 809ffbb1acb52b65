"""How a chain prices: changed by its owner, held to by the next bill, kept with each bill."""

import pytest
from django.urls import reverse

from marketing.core.errors import Conflict, Forbidden, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.coupons import selectors, services
from marketing.coupons.models import CounterSettings
from marketing.coupons.pricing.canonical import encode
from marketing.coupons.pricing.facts import Choice, Settings
from marketing.coupons.selectors.replay import kept_quote, replay
from tests.factories.coupons import make_cart, make_offer, reserve

API = "/api/v1/counter/settings"
PAGE = (
    "choice",
    "max_bill_discount",
    "stack_size",
    "compared",
    "max_codes",
    "tax_rounding",
    "version",
)


def update(chain, staff="owner", version=None, **values):
    actor = chain.actor(getattr(chain, staff))
    return services.update_counter_settings(actor=actor, values=values, version=version)


def priced(chain):
    return selectors.price_bill(
        branch_id=chain.north.pk, customer_id=None, cart=make_cart("100.00")
    )


def test_a_chain_that_changed_nothing_goes_by_the_engines_defaults(chain):
    assert priced(chain).facts.settings == Settings()
    row = CounterSettings()
    defaults = [getattr(row, name) for name in ("compared", "stack_size", "max_codes")]
    engine = Settings()
    assert defaults == [engine.compared, engine.stack_size, engine.max_codes]
    assert (row.tax_rounding, row.choice) == (engine.tax_rounding, engine.choice)


def test_the_next_bill_goes_by_what_was_changed(chain, other_chain):
    make_offer(discountValue="10", priority=9, allowStacking=False)
    make_offer(discountValue="30", allowStacking=False)
    assert priced(chain).quote.discount == 3_000
    update(chain, choice="in_order")
    found = priced(chain)
    assert (found.quote.discount, found.facts.settings.choice) == (1_000, Choice.IN_ORDER)
    update(chain, max_bill_discount=700)
    assert priced(chain).quote.discount == 700
    with tenant_scope(other_chain.tenant.pk):
        assert priced(other_chain).facts.settings == Settings()


def test_a_bill_is_priced_again_by_the_settings_of_then(chain):
    make_offer(discountValue="30")
    held = reserve(chain.north, "100.00").reservation
    update(chain, max_bill_discount=100, choice="in_order")
    assert encode(replay(held)) == encode(kept_quote(held))
    assert replay(held).discount == 3_000


def test_settings_cost_a_bill_no_statement(chain, django_assert_num_queries):
    update(chain, stack_size=2)
    priced(chain)
    with django_assert_num_queries(1):
        assert priced(chain).facts.settings.stack_size == 2


def test_a_change_is_audited_and_of_two_the_later_is_told(chain):
    kept = update(chain, stack_size=2, version=1)
    assert kept.version == 2
    assert update(chain, stack_size=2).version == 2
    with pytest.raises(Conflict) as refusal:
        update(chain, stack_size=4, version=1)
    assert refusal.value.details == {"current": 2}
    [entry] = AuditEntry.objects.filter(action="counter_settings.update")
    assert entry.changes == {"stack_size": [3, 2]}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"compared": 0}, "compared"),
        ({"compared": 13}, "compared"),
        ({"stack_size": 5}, "stack_size"),
        ({"max_codes": 21}, "max_codes"),
        ({"max_bill_discount": 0}, "max_bill_discount"),
        ({"choice": "cheapest"}, "choice"),
        ({"tax_rounding": "up"}, "tax_rounding"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(chain, values, field):
    with pytest.raises(ValidationFailed) as refusal:
        update(chain, stack_size=values.pop("stack_size", 2), **values)
    assert list(refusal.value.fields) == [field]
    assert not AuditEntry.objects.exists()
    assert priced(chain).facts.settings == Settings()


def test_only_owners_change_them(chain):
    for staff in ("receptionist", "manager", "regional"):
        with pytest.raises(Forbidden):
            update(chain, staff, stack_size=1)
    assert not CounterSettings.objects.exists()


def test_over_http(chain, login):
    client = login("manager")
    shown = client.get(API).json()["data"]["settings"]
    assert shown == {
        "taxRounding": "line",
        "choice": "best_deal",
        "maxBillDiscount": None,
        "compared": 10,
        "stackSize": 3,
        "maxCodes": 5,
        "pricesIncludeTax": True,
        "version": 1,
    }
    owner = login("owner")

    def patch(body, **headers):
        return owner.patch(API, body, content_type="application/json", headers=headers)

    changed = patch({"maxBillDiscount": "250.50", "stackSize": 2}, **{"If-Match": "1"}).json()
    assert changed["data"]["settings"]["maxBillDiscount"] == "250.50"
    assert CounterSettings.objects.get().max_bill_discount == 25_050
    assert patch({"stackSize": 1, "version": 1}).status_code == 409
    assert patch({"maxBillDiscount": None}).json()["data"]["settings"]["maxBillDiscount"] is None
    for body, field in (({"stackSize": 9}, "stackSize"), ({"stack": 1}, "stack")):
        assert list(patch(body).json()["error"]["fields"]) == [field]
    # In rupees, not in the paise that are stored.
    nothing = patch({"maxBillDiscount": "0"}).json()["error"]["fields"]["maxBillDiscount"]
    assert nothing == ["Ensure this value is greater than or equal to 0.01."]
    assert client.patch(API, {}, content_type="application/json").status_code == 403


def test_on_their_page(chain, login):
    address = reverse("counter-settings")
    form = {
        "choice": "in_order",
        "max_bill_discount": "1500",
        "stack_size": "2",
        "compared": "10",
        "max_codes": "5",
        "tax_rounding": "line",
    }
    assert "Only super owners change" in login("manager").get(address).content.decode()
    assert login("manager").post(address, form).status_code == 403
    owner = login("owner")
    assert owner.post(address, {**form, "stack_size": "9"}).status_code == 422
    assert owner.post(address, form).status_code == 302
    kept = CounterSettings.objects.get()
    assert (kept.choice, kept.max_bill_discount, kept.stack_size) == ("in_order", 150_000, 2)
    assert 'value="1500"' in owner.get(address).content.decode()


def test_what_another_page_saved_is_not_undone_unseen(chain, login):
    address = reverse("counter-settings")
    owner = login("owner")
    mine = {name: owner.get(address).context["form"][name].value() or "" for name in PAGE}
    update(chain, max_codes=3)
    late = owner.post(address, mine | {"stack_size": "2"})
    assert late.status_code == 422
    assert "save again to keep it" in late.text
    kept = CounterSettings.objects.get()
    assert (kept.max_codes, kept.stack_size) == (3, Settings().stack_size)
    again = mine | {"stack_size": "2", "version": late.context["form"]["version"].value()}
    assert owner.post(address, again).status_code == 302
    assert CounterSettings.objects.get().stack_size == 2
