"""Who may be brought by a code, and who may not: each refusal leaves nothing behind."""

import datetime as dt

import pytest

from customers.models import ContactPoint, Customer
from marketing.core.errors import Forbidden, NotFound, ValidationFailed
from marketing.core.tenancy import tenant_scope
from marketing.referrals import rules, services
from marketing.referrals.errors import (
    AlreadyReferred,
    InvalidReferralCode,
    ReferralLimitReached,
    ReferralNotEligible,
    SelfReferral,
)
from marketing.referrals.models import Referral, ReferralCode, ReferralProgramme, ReferralTouch
from marketing.referrals.services import places
from tests.factories.customers import CustomerFactory, PurchaseFactory
from tests.factories.referrals import (
    bring,
    code_for,
    converted,
    make_programme,
    past_hold,
    system,
)


def apply(code, phone="98765 00009", **more):
    return services.apply_code(actor=system(), code=code, phone=phone, **more)


def refused(error, code, phone="98765 00009", reason=None, **more):
    people, rows = Customer.objects.count(), Referral.objects.count()
    taken = list(ReferralCode.objects.order_by("pk").values_list("taken", flat=True))
    with pytest.raises(error) as raised:
        apply(code, phone, **more)
    assert (Customer.objects.count(), Referral.objects.count()) == (people, rows)
    assert list(ReferralCode.objects.order_by("pk").values_list("taken", flat=True)) == taken
    assert reason is None or raised.value.details["reason"] == reason
    return raised.value


def test_a_new_friend_is_made_a_customer(chain, asha):
    row = apply(f" {code_for(asha).lower()} ", name="चित्रा देवी 🌸")
    assert (row.state, row.friend.phone, row.friend.source) == (
        "attributed",
        "+919876500009",
        "referral",
    )
    assert row.friend.name == "चित्रा देवी 🌸"
    assert apply(code_for(asha)).pk == row.pk
    assert ReferralCode.objects.get().taken == 1


@pytest.mark.parametrize("code", ["", "X", "7KM2XWQ9" * 9, "no such", "23456789", "🌸", "\x00"])
def test_unknown_codes(asha, code):
    refused(InvalidReferralCode, code)


@pytest.mark.parametrize("phone", ["", "12", "abc", "9" * 40])
def test_phones_that_are_none(asha, phone):
    assert "referred_phone" in refused(ValidationFailed, code_for(asha), phone).fields


def test_her_own_code(chain, asha):  # O01
    code = code_for(asha)
    refused(SelfReferral, code, asha.phone)
    refused(SelfReferral, code, customer=asha)
    ContactPoint.objects.create(customer=asha, kind=ContactPoint.Kind.PHONE, value="+919876500077")
    refused(SelfReferral, code, "98765 00077")
    # Her number is another one of the friend's.
    bela = CustomerFactory(phone="+919876500078")
    ContactPoint.objects.create(customer=bela, kind=ContactPoint.Kind.PHONE, value=asha.phone)
    refused(SelfReferral, code, bela.phone)
    # Of whom no address is known.
    her = CustomerFactory(phone="", email="")
    refused(SelfReferral, code_for(her), customer=her)


@pytest.mark.parametrize("email", ["ra.o@gmail.com", "rao+x@GMAIL.com", "rao@googlemail.com"])
def test_another_spelling_of_her_mailbox(asha, bela, email):
    Customer.objects.filter(pk=asha.pk).update(email="rao@gmail.com")
    Customer.objects.filter(pk=bela.pk).update(email=email)
    refused(SelfReferral, code_for(asha), bela.phone)


def test_an_old_customer(chain, asha, bela):  # O03
    PurchaseFactory(customer=bela, branch=chain.west)
    refused(ReferralNotEligible, code_for(asha), bela.phone, reason="existing_customer")


@pytest.mark.parametrize(
    "typed", ["+919876500055", "098765 00055", "98765-00055", "+91 98765 00055"]
)
def test_staff(chain, asha, typed):
    chain.receptionist.phone = typed
    chain.receptionist.save()
    refused(ReferralNotEligible, code_for(asha), "9876500055", reason="staff_excluded")


def test_a_ring(chain, asha, bela):  # O09
    chitra = CustomerFactory(last_name="Das", phone="+919876500003")
    bring(asha, bela)
    bring(bela, chitra)
    refused(ReferralNotEligible, code_for(chitra), asha.phone, reason="referral_ring")
    refused(ReferralNotEligible, code_for(bela), asha.phone, reason="referral_ring")


def test_switched_off(asha):
    code = code_for(asha)
    make_programme(is_enabled=False)
    refused(ReferralNotEligible, code, reason="referrals_off")


def test_somebody_else_was_first(chain, asha, bela):
    other = CustomerFactory(last_name="Das")
    bring(asha, bela)
    refused(AlreadyReferred, code_for(other), bela.phone)


def test_the_month_is_full(chain, asha, monkeypatch):
    make_programme(max_referrals_per_month=1)
    code = code_for(asha)
    apply(code)
    error = refused(ReferralLimitReached, code, "98765 00010")
    assert error.details["limit"] == 1
    ReferralCode.objects.update(month=dt.date(2020, 1, 1))
    assert apply(code, "98765 00010").state == "attributed"


def test_a_place_of_last_month_is_not_given_back_in_this_one(asha):
    code_for(asha)
    code = ReferralCode.objects.get()
    june, july = dt.date(2026, 6, 1), dt.date(2026, 7, 1)
    for month in (june, july):
        assert places.take(code.pk, month, 1)
    places.give_back(code.pk, june)
    assert not places.take(code.pk, july, 1)
    places.give_back(code.pk, july)
    assert places.take(code.pk, july, 1)


def test_a_friend_for_life_but_not_for_nothing(chain, asha, bela):
    bring(asha, bela)
    Referral.objects.update(attributed_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert services.expire_unused() == 1
    other = CustomerFactory(last_name="Das")
    assert bring(other, bela).referrer_id == other.pk


def test_another_branch_and_another_chain(chain, other_chain, asha, bela):
    code = code_for(asha)
    desk = chain.actor(chain.receptionist)
    with pytest.raises(NotFound):
        services.apply_code(actor=desk, code=code, phone="9876500009", branch_id=chain.west.pk)
    row = services.apply_code(actor=desk, code=code, phone="9876500009")
    assert row.branch_id == chain.north.pk
    with tenant_scope(other_chain.tenant.pk):
        make_programme()
        refused(InvalidReferralCode, code)


def test_a_code_is_made_once(chain, asha):
    assert code_for(asha) == code_for(asha)
    CustomerFactory.create_batch(3)
    assert services.make_missing_codes() == 3
    assert services.make_missing_codes() == 0
    for code in ReferralCode.objects.values_list("code", flat=True):
        assert len(code) == rules.CODE_LENGTH


def test_codes_for_everybody_only_where_friends_can_be_brought(chain):
    CustomerFactory()
    assert services.make_missing_codes() == 0
    make_programme(is_enabled=False)
    assert services.make_missing_codes() == 0


def test_a_left_phone_says_nothing_of_who_is_known(chain, asha, bela):
    code = code_for(asha)
    PurchaseFactory(customer=bela, branch=chain.north)
    for phone in (bela.phone, asha.phone, "98765 00010"):
        assert services.leave_phone(code=code, phone=phone)
    assert not services.leave_phone(code=code, phone="nonsense")
    assert Referral.objects.get().friend_phone == "+919876500010"
    assert ReferralTouch.objects.get().kind == "phone"


@pytest.mark.parametrize(
    ("fields", "signals"),
    [
        ({"last_name": "rao "}, ["same_surname"]),
        ({"attributes": {"address": "12 Hill Road, Bandra"}}, ["same_address"]),
        ({"latitude": 19.05960, "longitude": 72.82951}, ["same_address"]),
        ({"phone": "+912226400000"}, ["same_landline"]),
        ({}, []),
    ],
)
def test_a_household_is_looked_at_and_not_refused(chain, asha, bela, fields, signals):  # O05
    Customer.objects.filter(pk=asha.pk).update(
        attributes={"address": "12, hill road bandra"}, latitude=19.05961, longitude=72.82952
    )
    ContactPoint.objects.create(customer=asha, kind=ContactPoint.Kind.PHONE, value="+912226400000")
    Customer.objects.filter(pk=bela.pk).update(**fields)
    row = converted(asha, bela, chain.north)
    assert (row.state, row.signals, row.is_flagged) == ("held", signals, bool(signals))
    past_hold(row)
    services.approve_due()
    row.refresh_from_db()
    assert row.state == ("held" if signals else "approved")


def test_surnames_may_be_left_alone(chain, asha):
    make_programme(flags_surnames=False)
    assert not converted(asha, CustomerFactory(last_name="Rao"), chain.north).is_flagged


def test_who_may_not(chain, asha):
    nobody = type(system())(tenant_id=chain.tenant.pk, label="nobody", permissions=frozenset())
    with pytest.raises(Forbidden):
        services.apply_code(actor=nobody, code=code_for(asha), phone="9876500009")
    for values in ({}, {"hold_days": 0}):
        with pytest.raises(Forbidden):
            services.update_programme(actor=nobody, values=values)
    assert ReferralProgramme.objects.get().hold_days == 7


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"referred_reward_value": 101}, "referred_reward_value"),
        ({"referred_reward_value": 0}, "referred_reward_value"),
        ({"referrer_reward_value": 0}, "referrer_reward_value"),
        ({"referrer_reward_value": -1}, "referrer_reward_value"),
        ({"referrer_reward_type": "free_service"}, "referrer_reward_service"),
        ({"reward_on": "never"}, "reward_on"),
        ({"hold_days": 91}, "hold_days"),
        ({"max_referrals_per_month": 0}, "max_referrals_per_month"),
        ({"share_text": {"xx": "a"}}, "share_text"),
        ({"share_text": {"en": "a" * 1001}}, "share_text"),
        ({"min_order_for_reward": 10**12}, "min_order_for_reward"),
    ],
)
def test_settings_that_make_no_sense(asha, values, field):
    with pytest.raises(ValidationFailed) as raised:
        make_programme(**values)
    assert field in raised.value.fields
