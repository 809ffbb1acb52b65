"""What the counter's page writes is kept as if a billing system had sent it."""

import orjson
import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from billing_bridge import services
from billing_bridge.counter import writes
from billing_bridge.models import RawPerson, RawRow
from customers.models import Purchase
from marketing.coupons.errors import ReservationOver
from tests.billing_bridge.desk import held, paid, press, sheet, shown
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory


def rows():
    return list(RawRow.objects.order_by("pk"))


def test_bill_refund_and_void_are_kept_with_their_source(desk, login, chain, cut):
    make_offer()
    asha = CustomerFactory(home_branch=chain.north)
    bill = paid(desk, sheet(chain.north, (cut, "2"), customer=asha.pk), method="upi")
    press(desk, "refund", bill, refund="R1", back_1="1")
    press(desk, "void", bill)
    kept = rows()
    assert [(row.operation, row.source, row.state, row.target) for row in kept] == [
        ("invoice", "counter", "applied", ""),
        ("refund", "counter", "applied", bill.invoice_id),
        ("void", "counter", "applied", bill.invoice_id),
    ]
    where = f"{chain.north.pk}:{bill.invoice_id}"
    assert [row.natural_key for row in kept] == [where, f"{where}:R1", where]
    assert {(row.user_id, row.api_key_id) for row in kept} == {(chain.receptionist.user_id, None)}
    said = orjson.loads(bytes(kept[0].body))
    assert said["payments"] == [{"method": "upi", "amount": "900.00"}]
    assert said["lines"][0]["discount"] == "100.00"
    assert said["finalizedAt"] == bill.redeemed_at.isoformat()
    assert kept[0].made["purchaseId"] == str(Purchase.objects.get().pk)
    assert RawPerson.objects.filter(customer=asha).count() == 3
    page = shown(login("owner").get(reverse("received-list")))
    assert f"{chain.receptionist.name} · Counter's page" in page


def test_what_was_refused_there_is_kept_and_not_done_again_by_itself(desk, chain, cut):
    paid(desk, sheet(chain.north, (cut,), bill="a"), invoice="INV/7")
    second = held(desk, sheet(chain.north, (cut,), bill="b"))
    assert press(desk, "pay", second, invoice="INV/7").status_code == 422
    refused = rows()[-1]
    assert (refused.state, refused.source) == ("failed", "counter")
    assert "invoiceId" in refused.error["fields"]
    assert services.replayable() == []
    assert Purchase.objects.count() == 0  # nobody was named: no purchase of a customer
    assert press(desk, "pay", second, invoice="INV/8").status_code == 302


@pytest.mark.parametrize("press_again", [False, True])
def test_a_bill_pressed_twice_makes_one_sale(desk, chain, cut, press_again):
    asha = CustomerFactory(home_branch=chain.north)
    bill = paid(desk, sheet(chain.north, (cut,), customer=asha.pk), invoice="INV/9")
    if press_again:
        press(desk, "pay", bill, invoice="INV/9")
    assert Purchase.objects.count() == 1
    assert {row.natural_key for row in rows()} == {f"{chain.north.pk}:INV/9"}


def test_what_the_page_sent_can_be_read_as_what_a_billing_system_sends(desk, chain, cut):
    """The kept body, done again as a bill of the API, finds the bill and makes nothing."""
    asha = CustomerFactory(home_branch=chain.north)
    make_offer()
    paid(desk, sheet(chain.north, (cut,), customer=asha.pk, tax="without"))
    row = rows()[0]
    row.state = RawRow.State.FAILED
    done = services.raw._handlers["invoice"](chain.actor(chain.receptionist), row)
    assert not done.error
    assert Purchase.objects.count() == 1


def test_what_was_refused_in_one_language_is_read_in_another(desk, login, chain, cut):
    paid(desk, sheet(chain.north, (cut,), bill="a"), invoice="INV/7")
    given_up = held(desk, sheet(chain.north, (cut,), bill="b"))
    taken = held(desk, sheet(chain.north, (cut,), bill="c"))
    press(desk, "release", given_up)
    with translation.override("hi"):
        over, known = gettext(ReservationOver.default_message), gettext(writes.TAKEN)
    refusals = []
    for bill, number in ((given_up, "INV/8"), (taken, "INV/7"), (taken, "9" * 130)):
        answer = desk.post(
            reverse("counter-pay", args=[bill.pk]), {"invoice": number}, HTTP_ACCEPT_LANGUAGE="hi"
        )
        assert answer.status_code == 422
        refusals.append(rows()[-1])
    owner = login("owner")
    pages = [
        [
            shown(owner.get(reverse("received-detail", args=[row.pk]), HTTP_ACCEPT_LANGUAGE=code))
            for row in refusals
        ]
        for code in ("en", "hi")
    ]
    english, hindi = pages
    assert "released or redeemed already" in english[0]
    assert "Another bill of this branch has this number." in english[1]
    assert " characters, please." in english[2]
    assert over in hindi[0]
    assert known in hindi[1]
    assert " characters, please." not in hindi[2]


def test_words_of_an_older_row_are_shown_as_they_were_said(login, chain):
    pk = services.record_raw(
        actor=chain.actor(chain.owner),
        operation="invoice",
        body=b"{}",
        state="failed",
        error={"code": "MARKETING_400", "message": "पुराने शब्द", "fields": {"a": ["पुरानी भूल"]}},
    )
    page = shown(login("owner").get(reverse("received-detail", args=[pk])))
    assert "a: पुरानी भूल" in page
    assert "पुराने शब्द" in shown(login("owner").get(reverse("received-list")))
