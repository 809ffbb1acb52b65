"""A code on a birthday: one a calendar year, hers alone, to the end of its last day."""

import datetime as dt

import pytest

from customers import services as customer_services
from customers.models import Customer
from marketing.content import merge_fields
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services as coupons
from marketing.coupons.models import CodeBatch, CouponCode, Offer
from marketing.coupons.people import coupons_of_customer, open_codes
from marketing.coupons.selectors import price_bill
from marketing.loyalty import selectors, services
from marketing.loyalty.models import BirthdayBatch, LoyaltyProgramme
from marketing.loyalty.services import birthday_codes
from marketing.loyalty.tasks import turn_days
from tests.concurrency import beside
from tests.factories.core import make_chain
from tests.factories.coupons import make_cart, make_offer, sell
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme, system
from tests.loyalty.conftest import at
from tests.loyalty.test_settings_pages import settings_of

FIELDS = ["birthday_code", "birthday_code_until"]


def own_offer(**body):
    """Nobody can type its code, and it does not apply by itself."""
    return make_offer(**{"name": "Birthday treat", "automatic": False} | body)


@pytest.fixture
def treat(asha):
    """Asha's birthday is today; a birthday brings a code of this offer for three days."""
    Customer.objects.filter(pk=asha.pk).update(birth_date="1990-06-15")
    offer = own_offer()
    make_programme(birthday_offer=offer, birthday_offer_days=3)
    return offer


def codes(customer):
    return list(CouponCode.objects.filter(customer=customer).order_by("pk"))


def said(customer):
    return merge_fields.values_of(customer, FIELDS)


def refused(chain, code, customer, when=None):
    """Why the code does not open its offer for her."""
    priced = price_bill(
        branch_id=chain.north.pk,
        customer_id=customer and customer.pk,
        cart=make_cart("100.00", codes=[code], at=when),
    )
    return [reason.code.value for reason in priced.quote.codes[0].reasons]


def test_a_birthday_brings_one_code_of_her_own(chain, asha, treat, go):
    bela = CustomerFactory(first_name="Bela", birth_date=dt.date(1990, 6, 16))
    turn_days()
    turn_days()
    (code,) = codes(asha)
    assert (code.offer_id, code.max_uses) == (treat.pk, 1)
    assert code.expires_at == at("2026-06-18", "00:00")
    assert codes(bela) == []
    assert refused(chain, code.code, asha) == []
    assert refused(chain, code.code, bela) == ["code_not_hers"]
    assert refused(chain, code.code, None) == ["customer_required"]
    go("2026-06-17", "23:59")
    assert refused(chain, code.code, asha) == []
    go("2026-06-18", "00:00")
    assert refused(chain, code.code, asha) == ["code_expired"]


def test_her_page_lists_it_with_its_last_day(asha, treat, login, go):
    services.give_birthday_codes()
    (code,) = codes(asha)
    shown = login("receptionist").get(f"/customers/{asha.pk}").text
    assert code.code in shown
    assert "until 17 Jun 2026" in shown
    coupons.update_offer(actor=system(), offer=treat, values={"validUntil": "2026-06-16"})
    (shown,) = coupons_of_customer(system(), asha)["codes"]
    assert shown.last_day == dt.date(2026, 6, 16)
    go("2026-06-18")
    assert not open_codes(asha)


@pytest.mark.parametrize(
    ("born", "day", "given"),
    [
        ("1990-06-14", "2026-06-15", 0),
        ("2000-02-29", "2027-02-28", 1),
        ("2000-02-29", "2027-03-01", 0),
        ("2000-02-29", "2028-02-28", 0),
        ("2000-02-29", "2028-02-29", 1),
    ],
)
def test_a_birthday_is_the_chains_day(asha, treat, go, born, day, given):
    Customer.objects.filter(pk=asha.pk).update(birth_date=born)
    for time in ("00:01", "23:59"):
        go(day, time)
        services.give_birthday_codes()
    assert len(codes(asha)) == given


def test_it_comes_every_year_and_not_twice_for_another_date(asha, treat, go):
    for day in ("2026-06-15", "2026-06-16", "2027-06-16"):
        Customer.objects.filter(pk=asha.pk).update(birth_date=f"1990{day[4:]}")
        go(day)
        services.give_birthday_codes()
    assert len(codes(asha)) == 2


def test_another_offer_on_the_same_day_gives_who_has_one_no_second(asha, treat):
    services.give_birthday_codes()
    late = CustomerFactory(birth_date=dt.date(2000, 6, 15))
    other = own_offer()
    make_programme(birthday_offer=other)
    services.give_birthday_codes()
    assert [code.offer_id for code in codes(asha)] == [treat.pk]
    assert [code.offer_id for code in codes(late)] == [other.pk]


def test_rounds_are_in_batches_and_the_last_finds_nobody(
    asha, treat, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(birthday_codes, "AT_ONCE", 2)
    CustomerFactory.create_batch(2, birth_date=dt.date(2000, 6, 15))
    assert [services.give_birthday_codes() for _ in range(3)] == [2, 1, 0]
    assert CouponCode.objects.exclude(customer=None).count() == 3
    monkeypatch.undo()
    CustomerFactory.create_batch(9, birth_date=dt.date(2001, 6, 15))
    with django_assert_max_num_queries(26):
        assert services.give_birthday_codes() == 9


def test_who_was_erased_gets_none_and_who_was_merged_has_the_others(asha, treat):
    CustomerFactory(birth_date=dt.date(2000, 6, 15), status=Customer.Status.ERASED)
    other = CustomerFactory(birth_date=dt.date(1990, 6, 15))
    Customer.objects.filter(pk=asha.pk).update(birth_date=None)
    services.give_birthday_codes()
    customer_services.merge_customers(
        actor=system(), keep=asha, other=other, choices={"birth_date": "other"}
    )
    assert len(codes(asha)) == 1
    assert services.give_birthday_codes() == 0
    assert said(asha)["birthday_code"] == codes(asha)[0].code


def test_a_typed_code_that_looks_like_one_of_them_is_in_nobodys_way(asha, treat):
    """Nine symbols after the letters that birthday codes begin with."""
    make_offer(code="BIRTHDAYTREAT")
    services.give_birthday_codes()
    assert len(codes(asha)) == 1


def switch_off(offer):
    coupons.update_offer(actor=system(), offer=offer, values={"isActive": False})


def end(offer):
    coupons.update_offer(actor=system(), offer=offer, values={"validUntil": "2026-06-14"})


def begin_later(offer):
    coupons.update_offer(actor=system(), offer=offer, values={"validFrom": "2026-06-16"})


def let_it_apply(offer):
    coupons.update_offer(actor=system(), offer=offer, values={"automatic": True})


def stop_the_programme(offer):
    LoyaltyProgramme.objects.update(is_enabled=False)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (switch_off, "is switched off"),
        (end, "is over"),
        (begin_later, "has not begun"),
        (let_it_apply, "applies by itself"),
        (stop_the_programme, "The points programme is switched off"),
    ],
)
def test_an_offer_that_does_not_hold_gives_none_and_the_settings_say_so(
    asha, treat, login, change, told
):
    change(treat)
    assert services.give_birthday_codes() == 0
    assert not CodeBatch.objects.exists()
    assert told in login("owner").get("/points/settings").text


def test_a_used_up_offer_gives_none(chain, asha, treat):
    coupons.update_offer(actor=system(), offer=treat, values={"maxTotalUses": 1})
    services.give_birthday_codes()
    sell(chain.north, "100.00", customer=asha, codes=[codes(asha)[0].code])
    CustomerFactory(birth_date=dt.date(2000, 6, 15))
    assert services.give_birthday_codes() == 0
    assert "is used up" in selectors.birthday_warning(selectors.programme())


def test_an_offer_for_once_in_all_is_told(asha, treat):
    assert selectors.birthday_warning(selectors.programme()) == ""
    coupons.update_offer(actor=system(), offer=treat, values={"maxUsesPerCustomer": 1})
    assert "next year" in selectors.birthday_warning(selectors.programme())
    assert services.give_birthday_codes() == 1


def test_messages_name_the_code_while_it_opens_something(chain, asha, treat, go):
    none = {"birthday_code": "", "birthday_code_until": ""}
    assert said(asha) == none
    services.give_birthday_codes()
    (code,) = codes(asha)
    assert said(asha) == {"birthday_code": code.code, "birthday_code_until": "2026-06-17"}
    coupons.update_offer(actor=system(), offer=treat, values={"validUntil": "2026-06-16"})
    assert said(asha)["birthday_code_until"] == "2026-06-16"
    go("2026-06-17")
    assert said(asha) == none
    coupons.update_offer(actor=system(), offer=treat, values={"validUntil": None})
    assert said(asha)["birthday_code"] == code.code
    sell(chain.north, "100.00", customer=asha, codes=[code.code])
    assert said(asha) == none


def test_other_codes_are_no_birthday_codes(asha, treat):
    coupons.issue_codes(actor=system(), offer=treat, customers=Customer.objects.all())
    assert said(asha)["birthday_code"] == ""


def choose(login, offer, **values):
    return login("owner").post("/points/settings", settings_of(birthday_offer=offer.pk, **values))


def test_an_owner_chooses_among_offers_that_go_by_code(chain, asha, login, other_chain):
    make_programme()
    fits, later = own_offer(name="Fits"), own_offer(name="Later", validFrom="2026-07-01")
    by_itself, over = make_offer(), own_offer(validUntil="2026-06-14")
    with tenant_scope(other_chain.tenant.pk):
        foreign = own_offer()
    field = login("owner").get("/points/settings").context["form"]["birthday_offer"].field
    assert set(field.queryset) == {fits, later}
    for wrong in (by_itself, over, foreign):
        answer = choose(login, wrong)
        assert answer.status_code == 422
        assert "birthday_offer" in answer.context["form"].errors
    for days in (0, 366, "x", ""):
        answer = choose(login, fits, birthday_offer_days=days)
        assert "birthday_offer_days" in answer.context["form"].errors
    assert not LoyaltyProgramme.objects.exclude(birthday_offer=None).exists()
    assert choose(login, fits, birthday_offer_days=7).status_code == 302
    kept = LoyaltyProgramme.objects.get()
    assert (kept.birthday_offer, kept.birthday_offer_days) == (fits, 7)
    changes = AuditEntry.objects.get(action="loyalty.configure").changes
    assert (changes["birthday_offer"], changes["birthday_offer_days"]) == ([None, "Fits"], [14, 7])


def test_what_was_chosen_stays_though_it_is_over(asha, treat, login):
    end(treat)
    assert choose(login, treat, signup_bonus=9).status_code == 302
    assert LoyaltyProgramme.objects.get().birthday_offer == treat


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [True, False])
def test_two_rounds_at_once_give_one_code(is_guarded, monkeypatch):
    """And the twin: where the programme is not locked, each finds her without one."""
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        born = dt.datetime.now(at("2026-06-15").tzinfo).date().replace(year=2000)
        asha = CustomerFactory(birth_date=born)
        make_programme(birthday_offer=Offer.objects.get(pk=own_offer().pk))
    if not is_guarded:
        monkeypatch.setattr(birthday_codes, "_alone", LoyaltyProgramme.objects.first)
    given, _at_once = beside(chain, services.give_birthday_codes, services.give_birthday_codes)
    with tenant_scope(chain.tenant.pk):
        assert (given, len(codes(asha))) == ((0, 1) if is_guarded else (1, 2))
        assert BirthdayBatch.objects.count() == len(codes(asha))
