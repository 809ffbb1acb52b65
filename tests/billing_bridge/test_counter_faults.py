"""What is wrong on the counter's page is said where it is wrong, and loses nothing."""

import pytest
from django.urls import reverse

from marketing.coupons.models import Reservation
from tests.billing_bridge.desk import held, hold, look, marked, paid, press, sheet, shown
from tests.factories.coupons import make_offer


@pytest.mark.parametrize(
    ("line", "more", "told"),
    [
        (("0",), {}, "Line 1"),
        (("-1",), {}, "Line 1"),
        (("two",), {}, "Line 1"),
        (("1", "-5"), {}, "Line 1"),
        (("1.5",), {}, "Line 1, Quantity: A whole number, please."),
        (("1", "1e12"), {}, "Line 1, Price: This number is too large."),
        (("1", "1.005"), {}, "Line 1, Price: At most 2 digits after the point, please."),
        (("2", "10000000"), {}, "A bill comes to ₹1,00,00,000 at most before anything"),
        (("1", ""), {}, "Line 1"),
        (("1", "500", "501"), {}, "Line 1, Off by hand: From ₹0 to ₹500."),
        (("1", "500", "", "101"), {}, "Line 1"),
        ((), {"points": "many"}, "Points: A whole number"),
        ((), {"codes": "A" * 60}, "Codes: At most 50 characters, please."),
        ((), {"customer": "5d1e7f3a-0000-7000-8000-000000000000"}, "There is no such customer."),
        ((), {"codes": " ".join(f"CODE{n}" for n in range(21))}, "20"),
    ],
)
def test_what_cannot_be_is_said_at_its_line_and_lost_nowhere(desk, chain, cut, line, more, told):
    query = sheet(chain.north, (cut, *line), **more)
    answer = look(desk, query)
    assert told in shown(answer)
    assert answer.context["rows"][0].row.service == str(cut.pk)
    refused = hold(desk, query)
    assert told in shown(refused, 422)
    assert not Reservation.objects.exists()


def test_devanagari_digits_and_thousands_are_read(desk, chain, cut):
    assert "To pay ₹2,400" in shown(look(desk, sheet(chain.north, (cut, "२", "₹1,200"))))


def test_another_bills_number_is_refused_at_its_field(desk, chain, cut):
    make_offer()
    paid(desk, sheet(chain.north, (cut,), bill="a"), invoice="INV/7")
    second = held(desk, sheet(chain.north, (cut,), bill="b"))
    page = shown(press(desk, "pay", second, invoice="INV/7"), 422)
    assert "Another bill of this branch has this number." in page
    second.refresh_from_db()
    assert second.state == "reserved"
    assert press(desk, "pay", second, invoice="INV/8").status_code == 302


def test_no_more_comes_back_than_was_sold(desk, chain, cut):
    bill = paid(desk, sheet(chain.north, (cut, "2")))
    for back, told in (
        ("3", "More would be returned"),
        ("x", "A whole number"),
        ("-1", "At least 1,"),
    ):
        assert told in shown(press(desk, "refund", bill, refund="R", back_1=back), 422)
    assert 'name="back_1" value="7"' in press(desk, "refund", bill, refund="R", back_1="7").text
    press(desk, "refund", bill, refund="R1", back_1="1")
    press(desk, "refund", bill, refund="R1", back_1="1")
    bill.refresh_from_db()
    assert len(bill.sold["1"]["back"]) == 1
    press(desk, "refund", bill, refund="R2", all="1")
    assert "All of it came back." in shown(desk.get(reverse("counter-bill", args=[bill.pk])))
    assert press(desk, "refund", bill, refund="", all="1").status_code == 422


def test_a_field_that_is_wrong_is_marked_and_led_to(desk, chain, cut):
    query = sheet(chain.north, (cut,), (cut, "1", "1.005"), codes="A" * 60)
    page = look(desk, query).text
    for name in ("p2", "codes"):
        assert f'<a href="#{name}" id="told-{name}" data-at="{name}">' in page
    assert marked(page) == {"p2": "told-p2", "codes": "told-codes"}
    assert not marked(look(desk, sheet(chain.north, (cut,))).text)


def test_a_refund_that_cannot_be_is_marked_at_its_line(desk, chain, cut):
    bill = paid(desk, sheet(chain.north, (cut, "2"), (cut, "3", "100")))
    for backs, place in (
        ({"back_1": "1", "back_2": "x"}, "2"),
        ({"back_1": "1", "back_2": "4"}, "2"),
        ({"back_1": "-1", "back_2": "3"}, "1"),
    ):
        page = press(desk, "refund", bill, refund="R", **backs).text
        assert marked(page) == {f"back{place}": f"back{place}-fault"}
        assert f'id="back{place}-fault"' in page


def test_a_number_of_a_bill_that_cannot_be_is_marked(desk, chain, cut):
    bill = paid(desk, sheet(chain.north, (cut,)))
    other = held(desk, sheet(chain.north, (cut,), bill="till-2"))
    page = press(desk, "pay", other, invoice=bill.invoice_id)
    assert page.status_code == 422
    assert marked(page.text) == {"invoice": "invoice-fault"}


def test_the_address_of_a_refused_form_opened_anew_says_what_to_do(desk, chain, cut):
    bill = paid(desk, sheet(chain.north, (cut,)))
    address = reverse("counter-refund", args=[bill.pk])
    again = desk.get(address)
    assert (again.status_code, again["Allow"]) == (405, "POST")
    assert "takes what a form sends" in shown(again, 405)
    assert 'href="/"' in again.text
    back = reverse("counter-bill", args=[bill.pk])
    assert f'href="{back}"' in desk.get(address, headers={"Referer": back}).text
