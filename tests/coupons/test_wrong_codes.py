"""Guessing of codes: refused for a minute per terminal, told to the branch's managers once."""

import datetime as dt

import pytest
import redis
import time_machine
from django.core.cache import cache

from marketing.core import valkey
from marketing.core.actor import Actor
from marketing.core.errors import Throttled
from marketing.core.models import ApiKey, StaffNotification
from marketing.coupons import selectors
from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.services import wrong_codes
from tests.factories.coupons import make_cart

START = dt.datetime(2026, 6, 15, 12, 0, tzinfo=dt.UTC)


def typed(*texts, why=ReasonCode.CODE_UNKNOWN):
    return [EnteredCode(code=text, fault=Reason(why)) for text in texts]


def different(count, start=0):
    return typed(*(f"GUESS{n}" for n in range(start, start + count)))


@pytest.fixture
def counter(chain):
    """`note(codes)` and `is_refused()` of the receptionist at North, at a clock that stands."""
    cache.clear()
    with time_machine.travel(START, tick=False) as clock:

        class Counter:
            travel = clock
            actor = chain.actor(chain.receptionist)
            branch = chain.north

            def note(self, codes, actor=None, branch=None):
                wrong_codes.note_codes(
                    actor=actor or self.actor, branch_id=(branch or self.branch).pk, codes=codes
                )

            def refused(self, actor=None, branch=None):
                try:
                    wrong_codes.require_patience(
                        actor=actor or self.actor, branch_id=(branch or self.branch).pk
                    )
                except Throttled as error:
                    return error.details["retryAfter"]
                return 0

        yield Counter()
    cache.clear()


def test_the_tenth_within_a_minute_is_refused_for_the_next(counter):
    counter.note(different(9))
    assert counter.refused() == 0
    counter.note(different(1, start=9))
    assert counter.refused() == 60
    counter.travel.shift(59)
    assert counter.refused() == 1
    counter.travel.shift(1)
    assert counter.refused() == 0
    counter.note(different(9, start=20))
    assert counter.refused() == 0


def test_the_minute_moves(counter):
    counter.note(different(6))
    counter.travel.shift(61)
    counter.note(different(6, start=6))
    assert counter.refused() == 0


def test_one_wrong_code_on_a_bill_that_grows_is_one(counter):
    for spelling in ("save 20", "SAVE20", "SAVE-20", "save२०") * 5:
        counter.note(typed(spelling))
    assert counter.refused() == 0


@pytest.mark.parametrize(
    "why", [ReasonCode.CODE_EXPIRED, ReasonCode.CODE_USED, ReasonCode.CODE_REVOKED]
)
def test_what_was_a_code_once_is_no_guess(counter, why):
    counter.note(typed(*(f"OLD{n}" for n in range(20)), why=why))
    counter.note([EnteredCode(code=f"GOOD{n}", offer="o") for n in range(20)])
    assert counter.refused() == 0


@pytest.mark.parametrize("why", [ReasonCode.CODE_CHECK_FAILED, ReasonCode.CODE_NOT_HERS])
def test_misread_and_somebody_elses_are(counter, why):
    counter.note(typed(*(f"OLD{n}" for n in range(10)), why=why))
    assert counter.refused()


def test_terminals_are_apart(counter, chain):
    key = ApiKey.objects.create(
        tenant=chain.tenant, name="Billing", prefix="p", secret_hash=b"", scopes=["counter"]
    )
    billing = Actor.for_api_key(key)
    counter.note(different(10), actor=billing)
    assert counter.refused(actor=billing)
    assert not counter.refused(actor=billing, branch=chain.south)
    assert not counter.refused()
    parlour = Actor.system(chain.tenant.pk)
    counter.note(different(10), actor=parlour)
    assert not counter.refused(actor=parlour)


def test_fifty_within_an_hour_are_told_to_the_branchs_managers_once(counter, chain):
    for start in range(0, 49, 7):
        counter.note(different(7, start=start))
        counter.travel.shift(61)
    assert not StaffNotification.objects.exists()
    counter.note(different(1, start=49))
    counter.note(different(5, start=60))
    [news] = StaffNotification.objects.all()
    assert news.staff == chain.manager
    assert news.facts == {"branch": "North", "tried": 50}


def test_the_counter_goes_on_without_valkey(counter, monkeypatch, caplog):
    away = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.25)
    monkeypatch.setattr(valkey, "impatient", lambda: away)
    monkeypatch.setattr(wrong_codes, "_count", lambda: away.register_script(wrong_codes.COUNT))
    counter.note(different(30))
    assert counter.refused() == 0
    assert "not counted without Valkey" in caplog.text


def test_what_a_quote_says_of_its_codes_can_be_handed_in(counter, chain):
    for start in (0, 5):
        cart = make_cart("100.00", codes=[f"WRONG{n}" for n in range(start, start + 5)])
        priced = selectors.price_bill(branch_id=chain.north.pk, customer_id=None, cart=cart)
        counter.note(priced.quote.codes)
    assert counter.refused()
