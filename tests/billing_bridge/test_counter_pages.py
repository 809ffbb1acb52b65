"""The counter's page: from a customer to a printed bill and back, and every refusal in words."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import translation

from billing_bridge.services import invoices
from customers.models import Customer, Purchase
from marketing.core import clock
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services
from marketing.coupons.errors import Busy
from marketing.coupons.models import Offer, Redemption, Reservation
from marketing.coupons.pricing.reasons import ReasonCode
from marketing.coupons.wording import reasons
from marketing.loyalty.selectors import balance
from tests.billing_bridge.desk import held, hold, look, paid, press, sheet, shown
from tests.factories.coupons import make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme
from tests.factories.referrals import code_for
from tests.factories.referrals import make_programme as make_referrals
from tests.page_queries import questions


def test_a_bill_from_customer_to_print_and_back(desk, chain, cut):
    make_programme(points_per_100=10)
    make_offer(name="A tenth off")
    asha = CustomerFactory(first_name="Asha", last_name="Rao", home_branch=chain.north)
    earn(asha, 1000)
    query = sheet(chain.north, (cut, "2"), customer=asha.pk, points="50")
    page = shown(look(desk, query))
    assert "Asha Rao" in page
    assert "A tenth off −₹100" in page
    assert "Paid with points −₹50 To pay ₹850" in page

    reservation = held(desk, query)
    assert "₹850" in shown(desk.get(reverse("counter-bill", args=[reservation.pk])))
    press(desk, "pay", reservation, method="upi")
    reservation.refresh_from_db()
    purchase = Purchase.objects.get(customer=asha)
    assert (purchase.total, purchase.discount) == (Decimal("900.00"), Decimal("100.00"))
    assert purchase.payments == [
        {"method": "upi", "amount": "850.00"},
        {"method": "points", "amount": "50.00"},
    ]
    assert purchase.invoice_number == reservation.invoice_id
    paper = shown(desk.get(reverse("counter-print", args=[reservation.pk])))
    assert "A tenth off −₹100" in paper
    assert "Points earned with this bill: 85" in paper

    press(desk, "refund", reservation, refund="R1", back_1="1")
    purchase.refresh_from_db()
    assert purchase.refunded == Decimal("450.00")
    page = shown(desk.get(reverse("counter-bill", args=[reservation.pk])))
    assert "₹450 came back; pay out ₹425." in page
    assert "1 left" in page
    assert "Part came back" in page
    press(desk, "void", reservation)
    page = shown(desk.get(reverse("counter-bill", args=[reservation.pk])))
    assert "To be given back: ₹425." in page
    assert " Void " in page
    assert " Void " in shown(desk.get(reverse("counter-bills")))
    assert Offer.objects.count() == 1
    assert balance(asha.pk).points == 100


def test_the_address_is_the_bill(desk, chain, cut):
    """Reload, back, a second window: what the address says is there."""
    first = desk.get(reverse("counter"))
    assert first.status_code == 302
    assert f"branch={chain.north.pk}" in first.url
    added = desk.get(f"{first.url}&add={cut.pk}")
    assert "p=500.00" in added.url
    twice = desk.get(f"{added.url}&add={cut.pk}")
    assert "q=2" in twice.url
    assert "To pay ₹1,000" in shown(desk.get(twice.url))
    gone = desk.get(f"{twice.url}&drop=1")
    assert "s=" not in gone.url
    fragment = desk.get(f"{added.url}&add={cut.pk}", headers={"HX-Request": "true"})
    assert fragment["HX-Replace-Url"] == twice.url
    assert look(desk, "s=x&q=1&bill=a&branch=b&customer=c&add=d&drop=e").status_code == 302


def test_offers_say_why_they_do_not_apply_and_what_would_change_it(desk, chain, cut):
    make_offer(name="Big bill", discountType="flat", discountValue="200", minOrderAmount="800")
    make_offer(name="Half", discountValue="50", allowStacking=False)
    make_offer(name="Small", discountValue="5", allowStacking=False)
    make_offer(name="Alone", code="ALONE5", automatic=False, discountValue="5")
    page = shown(look(desk, sheet(chain.north, (cut,), codes="NONE-SUCH, alone5")))
    assert "Half −₹250" in page
    assert "Big bill ₹300 short of ₹800 Spend ₹300 more" in page
    assert ": Half" in page
    assert "NONE-SUCH There is no such code" in page
    # What was typed is told in sight, before what nobody asked for.
    assert page.index("ALONE5 Alone: ") < page.index("Half −₹250")


def test_a_friends_code_and_points_that_cannot_be_used_are_explained(desk, chain, cut):
    make_programme(points_per_100=10)
    make_referrals()
    asha, bina = CustomerFactory.create_batch(2, home_branch=chain.north)
    code = code_for(asha)
    own = shown(look(desk, sheet(chain.north, (cut,), customer=asha.pk, referral=code)))
    assert "The referral code is her own" in own
    page = shown(
        look(desk, sheet(chain.north, (cut,), customer=bina.pk, referral=code, points="5"))
    )
    assert "The referral code is her own" not in page
    assert "She does not have so many points." in page
    page = shown(look(desk, sheet(chain.north, (cut,), points="5")))
    assert "Say who she is, to use points." in page


def test_every_reason_has_words():
    with translation.override("en"):
        assert set(reasons._WORDS) == set(ReasonCode)


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


def test_a_price_that_changed_is_told_before_it_is_reserved(desk, chain, cut):
    offer = make_offer(name="Gone soon")
    query = sheet(chain.north, (cut,))
    words = look(desk, query).context["words"]
    services.deactivate_offer(actor=system(), offer=offer)
    make_offer(name="Better", discountValue="30")
    refused = hold(desk, query, quote=words.hash, seen=words.seen)
    page = shown(refused, 422)
    assert "Gone soon does not apply any more." in page
    assert "Better applies now." in page
    assert "To pay are ₹350 instead of ₹450." in page
    assert not Reservation.objects.exists()
    assert hold(desk, query).status_code == 302


def test_pressed_twice_it_is_held_and_paid_once(desk, chain, cut):
    make_offer()
    query = sheet(chain.north, (cut,))
    first, second = held(desk, query), held(desk, query)
    assert first == second
    press(desk, "pay", first)
    press(desk, "pay", first)
    assert Redemption.objects.count() == 1
    again = hold(desk, query)
    assert again.url == reverse("counter-bill", args=[first.pk])
    assert Reservation.objects.count() == 1


def test_two_windows_of_one_bill_hold_what_was_said_last(desk, chain, cut):
    make_offer()
    held(desk, sheet(chain.north, (cut,)))
    later = held(desk, sheet(chain.north, (cut, "3")))
    assert Reservation.objects.get() == later
    assert later.payable == 135_000


def test_another_bills_number_is_refused_at_its_field(desk, chain, cut):
    make_offer()
    paid(desk, sheet(chain.north, (cut,), bill="a"), invoice="INV/7")
    second = held(desk, sheet(chain.north, (cut,), bill="b"))
    page = shown(press(desk, "pay", second, invoice="INV/7"), 422)
    assert "Another bill of this branch has this number." in page
    second.refresh_from_db()
    assert second.state == "reserved"
    assert press(desk, "pay", second, invoice="INV/8").status_code == 302


def test_busy_is_asked_again_before_it_is_told(desk, chain, cut, monkeypatch):
    query = sheet(chain.north, (cut,))
    real, tries = services.reserve, []

    def reserve_at_third(**said):
        tries.append(1)
        if len(tries) < 3:
            raise Busy
        return real(**said)

    monkeypatch.setattr("billing_bridge.patience.time.sleep", lambda seconds: None)
    monkeypatch.setattr(services, "reserve", reserve_at_third)
    assert hold(desk, query).status_code == 302

    def never(**said):
        raise Busy

    monkeypatch.setattr(services, "reserve", never)
    page = shown(hold(desk, sheet(chain.north, (cut,), bill="b")), 422)
    assert "Nothing was done: press the button once more." in page
    assert "Haircut" in page


def test_a_bill_is_renewed_given_up_and_priced_again(desk, chain, cut):
    make_offer(maxTotalUses=1)
    query = sheet(chain.north, (cut,), codes="")
    reservation = held(desk, query)
    assert press(desk, "renew", reservation).status_code == 302
    given_up = press(desk, "release", reservation)
    assert f"s={cut.pk}" in given_up.url
    page = shown(desk.get(reverse("counter-bill", args=[reservation.pk])))
    assert "Price it again" in page
    assert "released or redeemed already" in shown(press(desk, "pay", reservation), 422)
    assert not Purchase.objects.exists()


def test_what_others_used_after_the_time_was_over_is_not_given(desk, chain, cut, monkeypatch):
    make_offer(maxTotalUses=1)
    reservation = held(desk, sheet(chain.north, (cut,)))
    Reservation.objects.update(expires_at=clock.now() - invoices.CLOCKS_APART)
    services.expire_due()
    sell(chain.north, "100.00")
    page = shown(press(desk, "pay", reservation), 422)
    assert "Price the bill again" in page
    assert Redemption.objects.count() == 1


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


def test_somebody_new_is_entered_on_the_spot(desk, chain, cut):
    query = sheet(chain.north, (cut,))
    address = reverse("counter-customer")
    wrong = desk.post(address, {"sheet": query, "name": "Dia Sen", "phone": "12"})
    page = shown(wrong, 422)
    assert "Haircut" in page
    assert "Phone: " in page
    assert not Customer.objects.exists()
    done = desk.post(address, {"sheet": query, "name": "Dia Sen", "phone": "98765 43210"})
    dia = Customer.objects.get()
    assert (dia.name, dia.home_branch, dia.source) == ("Dia Sen", chain.north, "counter")
    assert f"customer={dia.pk}" in done.url
    assert f"s={cut.pk}" in done.url
    found = desk.get(reverse("counter-people"), {"who": "43210"})
    assert "Dia Sen" in shown(found)


def test_a_wrong_code_too_often_waits_and_keeps_the_bill(desk, chain, cut):
    cache.clear()
    for start in (0, 5):
        look(
            desk, sheet(chain.north, (cut,), codes=" ".join(f"WRONG{start + n}" for n in range(5)))
        )
    page = shown(look(desk, sheet(chain.north, (cut,), codes="WRONG10")))
    assert "Too many codes were wrong." in page
    assert "Haircut" in page
    assert "To pay ₹500" in shown(look(desk, sheet(chain.north, (cut,))))


def test_a_branch_sees_its_own_bills(login, chain, cut):
    mine, theirs = sell(chain.north, "100.00"), sell(chain.south, "100.00")
    desk = login("receptionist")
    assert desk.get(reverse("counter-bill", args=[theirs.reservation.pk])).status_code == 404
    page = shown(desk.get(reverse("counter-bills")))
    assert mine.reservation.invoice_id in page
    assert theirs.reservation.invoice_id not in page
    found = desk.get(reverse("counter-bills"), {"q": theirs.reservation.invoice_id})
    assert "No such bill" in shown(found)
    elsewhere = desk.get(
        reverse("counter-bills"),
        {"q": theirs.reservation.invoice_id, "branch": chain.south.pk},
    )
    assert "No such bill" in shown(elsewhere)
    query = sheet(chain.south, (cut,))
    assert "no such branch" in shown(
        desk.post(reverse("counter-reserve"), {"sheet": query, "quote": "x"}), 422
    )
    assert not Reservation.objects.filter(branch=chain.south, state="reserved").exists()


def test_more_lines_than_an_address_holds_are_not_taken(desk, chain, cut):
    lines = [(cut, "1", "500.00", "1")] * 40
    answer = look(desk, sheet(chain.north, *lines, add=str(cut.pk)))
    assert "This page takes 40 lines." in shown(answer)
    assert len(answer.context["rows"]) == 40


def test_the_pages_ask_no_more_for_many(desk, chain, cut):
    make_programme(points_per_100=10)
    asha = CustomerFactory(home_branch=chain.north)
    for _number in range(3):
        make_offer(minOrderAmount="90000")
    lines = [(cut, "1", f"{place}00.00", "1") for place in range(1, 21)]
    asked, _parts = questions(
        desk, f"{reverse('counter')}?{sheet(chain.north, *lines, customer=asha.pk)}"
    )
    assert len(asked) <= 14
    bill = paid(desk, sheet(chain.north, *lines, customer=asha.pk))
    asked, _parts = questions(desk, reverse("counter-bill", args=[bill.pk]))
    assert len(asked) <= 9
    for _number in range(5):
        reserve(chain.north, "100.00", customer=CustomerFactory())
    asked, _parts = questions(desk, reverse("counter-bills"))
    assert len(asked) <= 9


def test_another_chains_bill_is_not_there(desk, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = sell(other_chain.north, "100.00").reservation
    for name in ("bill", "print"):
        assert desk.get(reverse(f"counter-{name}", args=[theirs.pk])).status_code == 404
    for name in ("pay", "refund", "void", "release", "renew"):
        assert press(desk, name, theirs, all="1", refund="R").status_code == 404
