"""Codes: their symbols, batches made in parts, given to people, revoked."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer
from marketing.core import clock
from marketing.core.errors import Forbidden, ValidationFailed
from marketing.coupons import code_symbols, revocation, selectors, services
from marketing.coupons.code_symbols import (
    SYMBOLS,
    check_symbol,
    codes_in,
    is_sound,
    normalise,
    printed,
    tails,
)
from marketing.coupons.models import CodeBatch, CouponCode
from marketing.coupons.selectors.code_batches import code_file
from marketing.coupons.services import batches
from marketing.coupons.tasks import make_batch, resume_batches
from tests.factories.coupons import make_cart, make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory

bodies = st.text(alphabet=SYMBOLS, min_size=8, max_size=12)


@given(body=bodies, data=st.data())
def test_every_wrong_symbol_is_found(body, data):
    tail = body + check_symbol(body)
    assert is_sound(tail)
    place = data.draw(st.integers(0, len(tail) - 1))
    other = data.draw(st.sampled_from("01IOL" + SYMBOLS.replace(tail[place], "")))
    assert not is_sound(tail[:place] + other + tail[place + 1 :])


@given(body=bodies, data=st.data())
def test_every_swap_is_found(body, data):
    tail = body + check_symbol(body)
    one, two = sorted(data.draw(st.sets(st.integers(0, len(tail) - 1), min_size=2, max_size=2)))
    swapped = tail[:one] + tail[two] + tail[one + 1 : two] + tail[one] + tail[two + 1 :]
    assert is_sound(swapped) == (swapped == tail)


def test_codes_are_spread_evenly_and_none_is_rude(monkeypatch):
    drawn = tails(3100, 10)
    assert len(drawn) == 3100
    symbols = "".join(tail[:10] for tail in drawn)
    assert all(800 < symbols.count(symbol) < 1200 for symbol in SYMBOLS)
    assert not any(code_symbols._RUDE.search(tail) for tail in drawn)


@pytest.mark.parametrize(
    ("typed", "read"),
    [(" diwali 50 ", "DIWALI50"), ("Ｄ-५०", "D-50"), ("a b", "AB"), ("é", "É")],
)
def test_what_is_typed_is_read_kindly(typed, read):
    assert normalise(typed) == read


def reasons(chain, code, customer=None):
    priced = selectors.price_bill(
        branch_id=chain.north.pk,
        customer_id=customer and customer.pk,
        cart=make_cart(codes=[code]),
    )
    return [why.code.value for why in priced.quote.codes[0].reasons]


@pytest.fixture
def batch(chain, monkeypatch):
    monkeypatch.setattr(batches, "PART", 10)
    return services.make_codes(actor=system(), offer=make_offer(code="OPEN"), count=25, prefix="ab")


@pytest.mark.parametrize(("prefix", "symbols"), [("GIFT", 8), ("", 8), ("DIWALI26", 12)])
def test_a_code_read_from_a_card_with_white_space_is_one(prefix, symbols):
    code = printed(prefix, tails(1, symbols)[0])
    spaced = code.replace("-", " ")
    assert codes_in(spaced) == codes_in(code) == [code]
    assert codes_in(f"WELCOME20, {spaced.lower()}; X5Y") == ["WELCOME20", code.lower(), "X5Y"]
    assert codes_in(f"{spaced} WELCOME20  {code}") == [code, "WELCOME20", code]
    assert codes_in(" CODE1 दिवाली,,CODE2 ") == ["CODE1", "दिवाली", "CODE2"]


def test_batch_is_made_in_parts_and_goes_on_after_a_kill(chain, batch):
    assert services.make_part(batch_id=batch.pk)
    assert CouponCode.objects.filter(batch=batch).count() == 10
    assert services.make_next_part()
    assert services.make_next_part()
    assert not services.make_next_part()
    assert not services.make_part(batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.made) == ("done", 25)
    codes = CouponCode.objects.filter(batch=batch)
    assert codes.count() == 25
    assert all(code.code.startswith("AB-") and is_sound(code.key[2:]) for code in codes)


def test_codes_drawn_twice_are_topped_up(chain, batch, monkeypatch):
    drawn = iter([["22222222" + check_symbol("22222222")] * 10, None])

    def twice(count, symbols):
        return next(drawn, None) or tails(count, symbols)

    monkeypatch.setattr(batches, "tails", twice)
    services.make_part(batch_id=batch.pk)
    assert CouponCode.objects.filter(batch=batch).count() == 10


def test_tasks_make_whole_batches(chain, batch):
    make_batch(str(batch.tenant_id), str(batch.pk))
    assert CouponCode.objects.filter(batch=batch).count() == 25
    resume_batches()


def test_misread_generated_code_is_told_as_one(chain, batch):
    services.make_part(batch_id=batch.pk)
    code = CouponCode.objects.filter(batch=batch).first()
    assert reasons(chain, code.code) == []
    wrong = code.key[:-1] + ("2" if code.key[-1] != "2" else "3")
    assert reasons(chain, wrong) == ["code_check_failed"]
    assert reasons(chain, code.key[:-1] + "0") == ["code_check_failed"]


def test_no_typed_code_may_look_like_a_misread_one(chain, batch):
    with pytest.raises(ValidationFailed) as refusal:
        make_offer(code="AB222222223")
    assert "code" in refusal.value.fields
    make_offer(code="CD222222223")
    with pytest.raises(ValidationFailed) as refusal:
        services.make_codes(actor=system(), offer=make_offer(), count=1, prefix="CD")
    assert "prefix" in refusal.value.fields


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 10**12}, "count"),
        ({"count": 1, "prefix": "ä"}, "prefix"),
        ({"count": 1, "prefix": "A" * 21}, "prefix"),
        ({"count": 1, "symbols": 3}, "symbols"),
        ({"count": 1, "max_uses": 0}, "maxUses"),
        ({"count": 1, "expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "expiresAt"),
    ],
)
def test_batch_that_cannot_be_is_refused_at_its_field(chain, values, field):
    offer = make_offer()
    with pytest.raises(ValidationFailed) as refusal:
        services.make_codes(actor=system(), offer=offer, **values)
    assert list(refusal.value.fields) == [field]
    assert not CodeBatch.objects.exists()


@pytest.mark.parametrize("code", ["AB", "A" * 51, "A_B_C", "ÄÖÜ"])
def test_codes_that_cannot_be_are_refused(chain, code):
    with pytest.raises(ValidationFailed) as refusal:
        make_offer(code=code)
    assert "code" in refusal.value.fields
    make_offer(code="REAL")
    assert reasons(chain, code) == ["code_unknown"]


def test_code_is_unique_in_the_chain_however_it_is_written(chain):
    make_offer(code="DIWALI-50")
    for same in ("diwali50", "DIWALI 50", "DI-WALI-50"):
        with pytest.raises(ValidationFailed) as refusal:
            make_offer(code=same)
        assert "code" in refusal.value.fields


def test_code_of_an_offer_changes(chain):
    offer = make_offer(code="OLD")
    services.update_offer(actor=system(), offer=offer, values={"code": "NEW"})
    assert reasons(chain, "OLD") == ["code_revoked"]
    assert reasons(chain, "NEW") == []
    services.update_offer(actor=system(), offer=offer, values={"code": "OLD"})
    assert reasons(chain, "OLD") == []


def test_each_customer_gets_one_of_her_own(chain, monkeypatch, django_assert_max_num_queries):
    people = CustomerFactory.create_batch(7)
    offer = make_offer(code="OPEN")
    monkeypatch.setattr(batches, "PEOPLE", 3)
    issued = services.issue_codes(
        actor=system(),
        offer=offer,
        customers=Customer.objects.all(),
        expires_at=clock.now() + dt.timedelta(days=1),
    )
    assert (issued.count, issued.made) == (7, 7)
    hers = {code.customer_id: code for code in CouponCode.objects.filter(batch=issued)}
    assert set(hers) == {person.pk for person in people}
    code = hers[people[0].pk].code
    assert reasons(chain, code, people[0]) == []
    assert reasons(chain, code, people[1]) == ["code_not_hers"]
    assert reasons(chain, code) == ["customer_required"]
    sell(chain.north, customer=people[0], codes=[code])
    assert reasons(chain, code, people[0]) == ["code_used"]
    CustomerFactory()
    monkeypatch.setattr(batches, "PEOPLE", 100)
    with django_assert_max_num_queries(12):
        services.issue_codes(
            actor=system(), offer=offer, customers=Customer.objects.all(), batch=issued
        )
    assert CouponCode.objects.filter(batch=issued).count() == 8


def test_who_opted_out_since_cannot_use_a_campaigns_code(chain):
    she = CustomerFactory()
    issued = services.issue_codes(
        actor=system(),
        offer=make_offer(),
        customers=Customer.objects.all(),
        campaign_id=she.pk,
    )
    code = CouponCode.objects.get(batch=issued).code
    assert reasons(chain, code, she) == []
    type(she.consent).objects.filter(customer=she).update(marketing_opted_out=True)
    assert reasons(chain, code, she) == ["opted_out"]


def test_revoked_and_expired_codes_open_nothing(chain, batch):
    services.make_part(batch_id=batch.pk)
    one, two = CouponCode.objects.filter(batch=batch)[:2]
    held = reserve(chain.north, codes=[two.code])
    assert services.revoke_codes(actor=system(), code_ids=[one.pk]) == 1
    assert reasons(chain, one.code) == ["code_revoked"]
    assert services.revoke_codes(actor=system(), batch=batch) == 9
    assert not services.make_part(batch_id=batch.pk)
    assert services.redeem(
        actor=system(), reservation_id=held.reservation.pk, invoice_id="1"
    ).redemptions
    assert reasons(chain, two.code) == ["code_revoked"]


def test_a_code_opens_nothing_from_its_end_on(chain, batch, monkeypatch):
    services.make_part(batch_id=batch.pk)
    code = CouponCode.objects.filter(batch=batch)[0]
    end = dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC)
    CouponCode.objects.filter(pk=code.pk).update(expires_at=end)
    monkeypatch.setattr(clock, "now", lambda: end - dt.timedelta(milliseconds=1))
    assert reasons(chain, code.code) == []
    monkeypatch.setattr(clock, "now", lambda: end)
    priced = selectors.price_bill(
        branch_id=chain.north.pk, customer_id=None, cart=make_cart(codes=[code.code])
    )
    [why] = priced.quote.codes[0].reasons
    assert (why.code, why.get("ended")) == ("code_expired", "2026-01-02T01:30:00+05:30")


def test_revoking_a_batch_is_as_much_work_for_many_codes(
    chain, batch, django_assert_max_num_queries
):
    """No code is written: all ask their batch, wherever it is asked whether they hold."""
    services.make_part(batch_id=batch.pk)
    with CaptureQueriesContext(connection) as asked:
        assert services.revoke_codes(actor=system(), batch=batch) == 10
    assert not [query for query in asked if query["sql"].startswith('UPDATE "coupons_couponcode')]
    assert services.revoke_codes(actor=system(), batch=batch) == 0
    code = selectors.codes_of(batch.offer)[0]
    assert code.revoked_at is None
    batch.refresh_from_db()
    with django_assert_max_num_queries(0):
        assert revocation.revoked_since(code) == batch.revoked_at
    found = CouponCode.objects.filter(batch=batch)
    assert not found.filter(revocation.IN_FORCE).exists()
    assert found.filter(revocation.REVOKED).count() == 10
    since = found.annotate(since=revocation.revoked_at()).values_list("since", flat=True)
    assert set(since) == {batch.revoked_at}
    assert "".join(code_file(batch.tenant_id, batch.pk)).count("T") >= 10


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("of_batch", ["none", "holds", "revoked", "spares"])
@pytest.mark.parametrize(("used", "reserved"), [(0, 0), (1, 0), (0, 1)])
def test_all_who_ask_whether_a_code_is_revoked_agree(chain, own, of_batch, used, reserved):
    offer, now = make_offer(), clock.now()
    batch = None
    if of_batch != "none":
        batch = CodeBatch.objects.create(
            offer=offer,
            count=1,
            state="done",
            revoked_at=None if of_batch == "holds" else now,
            spares_used=of_batch == "spares",
        )
    code = CouponCode.objects.create(
        offer=offer,
        batch=batch,
        code="ABC",
        key="ABC",
        max_uses=9,
        used=used,
        reserved=reserved,
        revoked_at=now if own else None,
    )
    is_spared = of_batch == "spares" and used + reserved > 0
    revoked = own or (of_batch in ("revoked", "spares") and not is_spared)
    assert (revocation.revoked_since(code) is not None) == revoked
    assert CouponCode.objects.filter(revocation.REVOKED).exists() == revoked
    assert CouponCode.objects.filter(revocation.IN_FORCE).exists() != revoked
    (since,) = CouponCode.objects.values_list(revocation.revoked_at(), flat=True)
    assert (since is not None) == revoked
    assert reasons(chain, "ABC") == (["code_revoked"] if revoked else [])


def test_same_code_twice_is_one_application(chain):
    make_offer(code="OPEN")
    priced = selectors.price_bill(
        branch_id=chain.north.pk, customer_id=None, cart=make_cart(codes=["open", "OPEN"])
    )
    assert len(priced.quote.applied) == 1
    assert priced.quote.codes[1].reasons[0].code == "code_repeated"


def test_reception_makes_no_codes(chain):
    actor = chain.actor(chain.receptionist)
    offer = make_offer()
    with pytest.raises(Forbidden):
        services.make_codes(actor=actor, offer=offer, count=1)
    with pytest.raises(Forbidden):
        services.revoke_codes(actor=actor)
    with pytest.raises(Forbidden):
        services.issue_codes(actor=actor, offer=offer, customers=Customer.objects.all())
