"""The counter's page: from a customer to a printed bill and back, and every refusal in words."""

from decimal import Decimal

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
from tests.billing_bridge.desk import held, hold, look, marked, paid, press, sheet, shown
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
    assert "Points used: 50 · 25 are hers again" in page
    paper = shown(desk.get(reverse("counter-print", args=[reservation.pk])))
    assert "Points that are yours again: 25" in paper
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


def test_a_friend_is_noted_also_where_another_offer_gives_her_more(desk, chain, cut):
    make_referrals()
    make_offer(name="Half", discountValue="50", allowStacking=False)
    asha, bina = CustomerFactory.create_batch(2, home_branch=chain.north)
    code = code_for(asha)
    own = look(desk, sheet(chain.north, (cut,), customer=asha.pk, referral=code))
    assert 'data-at="referral"' in own.text
    assert "A friend brings her" not in shown(own)
    query = sheet(chain.north, (cut,), customer=bina.pk, referral=code)
    page = look(desk, query)
    assert "Half −₹250" in shown(page)
    assert "A friend brings her" in shown(page)
    assert "data-at" not in page.text
    bill = paid(desk, query)
    page = shown(desk.get(reverse("counter-bill", args=[bill.pk])))
    assert "A friend brought her: it is noted." in page


def test_every_reason_has_words():
    with translation.override("en"):
        assert set(reasons._WORDS) == set(ReasonCode)


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


def test_somebody_new_is_entered_on_the_spot(desk, chain, cut):
    query = sheet(chain.north, (cut,))
    address = reverse("counter-customer")
    wrong = desk.post(address, {"sheet": query, "name": "Dia Sen", "phone": "12"})
    page = shown(wrong, 422)
    assert "Haircut" in page
    assert marked(wrong.text) == {"new-phone": "new-phone-fault"}
    assert not Customer.objects.exists()
    done = desk.post(address, {"sheet": query, "name": "Dia\0 Sen", "phone": "98765 43210"})
    dia = Customer.objects.get()
    assert (dia.name, dia.home_branch, dia.source) == ("Dia Sen", chain.north, "counter")
    assert f"customer={dia.pk}" in done.url
    assert f"s={cut.pk}" in done.url
    assert desk.post(address, {"sheet": query, "name": "Dia Sen", "phone": "98765 43210"}).url == (
        done.url
    )
    assert Customer.objects.count() == 1
    found = desk.get(reverse("counter-people"), {"who": "43210"})
    assert "Dia Sen" in shown(found)
    long = desk.post(address, {"sheet": query, "name": "D" * 101, "phone": ""})
    assert "At most 100 characters, please; these are 101." in shown(long, 422)
    assert marked(long.text) == {"new-name": "new-name-fault"}
    nameless = desk.post(address, {"sheet": query, "name": "", "phone": "98765 43210"})
    assert "Please fill this in." in shown(nameless, 422)


def test_a_bill_leads_to_its_customer(desk, chain, cut):
    asha = CustomerFactory(home_branch=chain.south)
    bill = paid(desk, sheet(chain.north, (cut,), customer=asha.pk))
    hers = f'<a href="{reverse("customer-detail", args=[asha.pk])}">{asha.name}</a>'
    assert hers in desk.get(reverse("counter-bills")).text
    assert f'href="{reverse("customer-detail", args=[asha.pk])}"' in (
        desk.get(reverse("counter-bill", args=[bill.pk])).text
    )


def test_the_counter_is_at_hand_for_who_stands_there(login):
    def first(who):
        return [item["url"] for item in login(who).get(reverse("counter-bills")).context["nav"][:4]]

    assert first("receptionist")[:2] == [reverse("home"), reverse("counter")]
    assert reverse("counter") not in first("owner")


def test_those_of_the_branch_are_found_before_others(desk, chain):
    for _each in range(9):
        CustomerFactory(first_name="Meena", home_branch=chain.south)
    hers = CustomerFactory(first_name="Meenakshi", home_branch=chain.north)
    asked = {"who": "meena", "branch": chain.north.pk}
    found = shown(desk.get(reverse("counter-people"), asked))
    assert found.count("Meena ") == 7
    assert found.index(hers.name) < found.index("Meena ")
    page = desk.get(reverse("counter"), asked | {"bill": "till-1", "tax": "with"})
    assert hers.name in shown(page)
    assert len(desk.get(reverse("counter-people"), {"who": "meena"}).context["found"]) == 8


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


def test_the_paper_says_what_came_back(desk, chain, cut):
    make_programme(points_per_100=10)
    make_offer(name="A tenth off")
    asha = CustomerFactory(home_branch=chain.north)
    bill = paid(desk, sheet(chain.north, (cut, "2"), customer=asha.pk))
    address = reverse("counter-print", args=[bill.pk])
    paper = shown(desk.get(address))
    assert "You saved ₹100." in paper
    assert "came back" not in paper
    press(desk, "refund", bill, refund="R1", back_1="1")
    page = shown(desk.get(reverse("counter-bill", args=[bill.pk])))
    assert "₹450 came back; pay out" in page
    assert "Points earned: 90 · 45 went back with the refund" in page
    paper = shown(desk.get(address))
    assert "₹450 came back You saved" in paper
    assert "Points earned with this bill: 90 Points that went back with the refund: 45" in paper
    press(desk, "void", bill)
    paper = shown(desk.get(address))
    assert "Void" in paper
    assert "You saved" not in paper
    assert "Points earned" not in paper


def test_another_chains_bill_is_not_there(desk, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = sell(other_chain.north, "100.00").reservation
    for name in ("bill", "print"):
        assert desk.get(reverse(f"counter-{name}", args=[theirs.pk])).status_code == 404
    for name in ("pay", "refund", "void", "release", "renew"):
        assert press(desk, name, theirs, all="1", refund="R").status_code == 404
