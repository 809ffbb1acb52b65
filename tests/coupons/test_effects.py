"""What loyalty and referrals register takes part in every step, in the caller's transaction."""

import datetime as dt

import pytest

from marketing.core import clock
from marketing.core.errors import Conflict
from marketing.coupons import quote_effects, selectors, services
from marketing.coupons.errors import ReservationExpired
from marketing.coupons.models import OfferUse, Reservation
from tests.coupons.effects import Wallet
from tests.factories.coupons import make_cart, make_offer, reserve, system

ASKED = {"wallet": {"use": 3000}}


@pytest.fixture
def wallet(monkeypatch):
    effect = Wallet()
    monkeypatch.setattr(quote_effects, "_effects", {effect.name: effect})
    return effect


def test_points_are_priced_held_spent_and_given_back(chain, wallet):
    make_offer(maxTotalUses=5)
    priced = selectors.price_bill(
        branch_id=chain.north.pk, customer_id=None, cart=make_cart("100.00"), asked=ASKED
    )
    assert (priced.quote.points, priced.quote.payable) == (3000, 6000)
    assert priced.told == {"wallet": {"balance": 5000}}
    held = reserve(chain.north, asked=ASKED, quote_hash=None, key="bill")
    again = reserve(chain.north, asked=ASKED, key="bill")
    assert wallet.balance == 2000
    services.renew(actor=system(), reservation_id=held.reservation.pk)
    services.redeem(actor=system(), reservation_id=again.reservation.pk, invoice_id="1")
    assert Reservation.objects.get().effects == {"wallet": {"spent": 3000}}
    back = services.reverse(
        actor=system(), branch_id=chain.north.pk, invoice_id="1", operation="void"
    )
    assert back.effects == {"wallet": {"balance": 5000}}
    assert wallet.said == ["renew", "commit", ("reverse", {1: [0]}, True)]


def test_release_and_expiry_give_back(chain, wallet, monkeypatch):
    one, two = (reserve(chain.north, asked={"wallet": {"use": 1000}}) for _ in range(2))
    assert wallet.balance == 3000
    services.release(actor=system(), reservation_id=one.reservation.pk)
    assert wallet.balance == 4000
    later = clock.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert services.expire_due() == 1
    assert wallet.balance == 5000
    services.redeem(actor=system(), reservation_id=two.reservation.pk, invoice_id="1")
    assert wallet.balance == 4000


def test_late_bill_whose_points_are_gone_is_refused(chain, wallet, monkeypatch):
    late = reserve(chain.north, asked=ASKED)
    later = clock.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    services.expire_due()
    wallet.balance = 0
    with pytest.raises(ReservationExpired):
        services.redeem(actor=system(), reservation_id=late.reservation.pk, invoice_id="1")
    assert Reservation.objects.get().state == "expired"


def test_effect_that_refuses_leaves_nothing(chain, wallet, monkeypatch):
    make_offer(maxTotalUses=5)
    monkeypatch.setattr(wallet, "balance", 3000)
    monkeypatch.setattr(Wallet, "hold", lambda *_: (_ for _ in ()).throw(Conflict("no")))
    with pytest.raises(Conflict):
        reserve(chain.north, asked=ASKED)
    assert not Reservation.objects.exists()
    assert not OfferUse.objects.exists()


def test_code_of_an_effect_opens_an_offer(chain, wallet):
    friend = make_offer(automatic=False, maxTotalUses=5)
    wallet.code, wallet.offer = "ASHA7", str(friend.pk)
    held = reserve(chain.north, codes=["asha-7"])
    assert held.quote.applied[0].code == "ASHA7"
    done = services.redeem(actor=system(), reservation_id=held.reservation.pk, invoice_id="1")
    assert done.redemptions[0].code_id is None
    assert OfferUse.objects.get().used == 1
