"""Prices by country and day: what a phone costs, what may be set, who sees them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketing.core.errors import Forbidden, NoExchangeRate, ValidationFailed
from marketing.core.models import AuditEntry, Tenant
from marketing.delivery.services import freeze_run
from marketing.policy import selectors, services
from marketing.policy.models import RateCard
from marketing.policy.rules import converted, prices_by_dialling_code
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_window

NOW = dt.datetime(2026, 7, 15, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
VALUES = {
    "provider": "meta",
    "category": "marketing",
    "country": "BD",
    "amount": Decimal("1.2345"),
    "effective_from": TODAY,
}


@pytest.fixture(autouse=True)
def midsummer(time_machine):
    time_machine.move_to(NOW)


def set_price(chain, **values):
    return services.set_price(actor=chain.actor(chain.owner), values=VALUES | values)


def prices(on=TODAY, home="IN", channel="whatsapp", provider="meta"):
    way = (provider, channel)
    return selectors.prices_of_ways([way], home=home, category="marketing", on=on)[way]


def test_days_and_months_begin_by_the_chains_own_clock(chain):
    Tenant.objects.filter(pk=chain.tenant.pk).update(time_zone="Asia/Dhaka")
    last_second = dt.datetime(2026, 7, 31, 17, 59, 59, tzinfo=dt.UTC)
    midnight = dt.datetime(2026, 7, 31, 18, tzinfo=dt.UTC)
    assert selectors.day_of(last_second) == dt.date(2026, 7, 31)
    assert selectors.day_of(midnight) == selectors.month_of(midnight) == dt.date(2026, 8, 1)
    assert selectors.month_of(last_second) == dt.date(2026, 7, 1)


def test_dialling_codes_the_longest_first():
    one, two = Decimal(1), Decimal(2)
    assert prices_by_dialling_code({"IN": one, "BD": two}) == [("+880", two), ("+91", one)]


def test_countries_of_one_code_take_its_main_one():
    one, two = Decimal(1), Decimal(2)
    assert prices_by_dialling_code({"CA": one, "US": two}) == [("+1", two)]
    assert prices_by_dialling_code({"CA": one}) == [("+1", one)]


def test_only_home_needs_no_codes(chain):
    selectors.get_config()
    assert prices().home == Decimal("0.8631")
    assert prices().by_dialling_code == []
    set_price(chain)
    assert prices().by_dialling_code == [
        ("+880", Decimal("1.2345")),
        ("+91", Decimal("0.8631")),
    ]
    assert prices(on=TODAY - dt.timedelta(days=1)).by_dialling_code == []


def test_mail_costs_what_it_costs_at_home(chain):
    selectors.get_config()
    set_price(chain, provider="sendgrid")
    found = prices(provider="sendgrid", channel="email")
    assert (found.home, found.by_dialling_code) == (Decimal("0.0200"), [])


class TestOtherCurrencies:
    TAKA = {"provider": "ssl_wireless", "amount": Decimal("0.5000"), "currency": "BDT"}

    def sms(self):
        return prices(channel="sms", provider="ssl_wireless", home="BD")

    def test_are_converted_half_up_to_four_places(self):
        rate = Decimal("0.72345")
        assert converted(Decimal("0.5000"), "BDT", rate, "INR") == Decimal("0.3617")
        assert converted(Decimal("0.5000"), "BDT", None, "BDT") == Decimal("0.5000")
        assert converted(Decimal("0.5000"), "BDT", None, "INR") is None
        assert converted(Decimal(0), "BDT", None, "INR") == 0

    def test_cost_what_the_rate_says(self, chain):
        set_price(chain, **self.TAKA, exchange_rate=Decimal("0.72"))
        assert self.sms().home == Decimal("0.3600")

    def test_a_later_rate_holds_from_its_day_on(self, chain):
        set_price(chain, **self.TAKA, exchange_rate=Decimal("0.72"))
        later = TODAY + dt.timedelta(days=10)
        set_price(chain, **self.TAKA, exchange_rate=Decimal("0.80"), effective_from=later)
        assert self.sms().home == Decimal("0.3600")
        found = prices(later, channel="sms", provider="ssl_wireless", home="BD")
        assert found.home == Decimal("0.4000")

    def test_without_a_rate_nothing_is_guessed(self, chain):
        selectors.get_config()
        with pytest.raises(NoExchangeRate) as refusal:
            self.sms()
        assert "SSL Wireless charges BD in BDT" in refusal.value.message
        assert "costs in INR" in refusal.value.message
        assert prices().home == Decimal("0.8631")

    @pytest.mark.parametrize("rate", [None, Decimal(0), Decimal(-1)])
    def test_are_not_taken_without_a_rate(self, chain, rate):
        with pytest.raises(ValidationFailed) as refusal:
            set_price(chain, **self.TAKA, exchange_rate=rate)
        assert list(refusal.value.fields) == ["exchange_rate"]
        assert not RateCard.objects.filter(provider="ssl_wireless").exists()

    def test_in_ones_own_currency_no_rate_is_kept(self, chain):
        card = set_price(chain, currency="inr", exchange_rate=Decimal("5"))
        assert (card.currency, card.exchange_rate) == ("INR", None)

    def test_the_first_price_of_a_chain_in_bangladesh_needs_none(self, chain):
        chain.tenant.currency = "BDT"
        chain.tenant.save(update_fields=["currency"])
        selectors.get_config()
        assert self.sms().home == Decimal("0.5000")


def test_a_price_from_a_day_on_ends_the_one_before(chain):
    selectors.get_config()
    RateCard.objects.exclude(provider="meta", category="marketing").delete()
    set_price(chain, country="IN", effective_from=TODAY)
    set_price(chain, country="IN", effective_from=TODAY + dt.timedelta(days=10))
    assert [(p.card.effective_from, p.until, p.state) for p in selectors.dated_prices(TODAY)] == [
        (TODAY + dt.timedelta(days=10), None, "scheduled"),
        (TODAY, TODAY + dt.timedelta(days=9), "active"),
        (dt.date(2026, 1, 1), TODAY - dt.timedelta(days=1), "past"),
    ]


class TestTheMonthsEnd:
    """At 20:00 UTC on the 31st the 1st has begun in India."""

    LAST, FIRST = dt.date(2026, 7, 31), dt.date(2026, 8, 1)

    @pytest.fixture(autouse=True)
    def half_past_one(self, time_machine):
        time_machine.move_to(dt.datetime(2026, 7, 31, 20, tzinfo=dt.UTC))

    def test_the_new_month_is_today(self, chain):
        with pytest.raises(ValidationFailed) as refusal:
            set_price(chain, effective_from=self.LAST)
        assert list(refusal.value.fields) == ["effective_from"]
        set_price(chain, effective_from=self.FIRST)
        browser = Client()
        browser.force_login(chain.owner.user)
        page = browser.get(reverse("price-list"))
        (shown,) = [price for price in page.context["cards"] if price.card.country == "BD"]
        assert (shown.state, page.context["form"].initial["effective_from"]) == (
            "active",
            self.FIRST,
        )

    def test_messages_are_charged_by_it(self, chain):
        open_window()
        make_sender()
        CustomerFactory(home_branch=chain.north)
        set_price(chain, country="IN", effective_from=self.FIRST)
        assert freeze_run(run=make_run(), audience=everyone()).cost == VALUES["amount"]


def test_setting_the_same_day_again_replaces_it(chain):
    set_price(chain)
    set_price(chain, amount=Decimal("2"))
    card = RateCard.objects.get(country="BD", provider="meta")
    assert (card.amount, card.channel, card.currency) == (2, "whatsapp", "INR")
    assert AuditEntry.objects.filter(action="rate_card.set").count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", "pigeon"),
        ("category", "free"),
        ("country", "XX"),
        ("amount", Decimal("-0.1")),
        ("currency", "taka"),
        ("effective_from", TODAY - dt.timedelta(days=1)),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(chain, field, value):
    with pytest.raises(ValidationFailed) as refusal:
        set_price(chain, **{field: value})
    assert list(refusal.value.fields) == [field]
    assert not RateCard.objects.filter(country="BD", provider="meta").exists()


def test_only_owners_set_prices(chain):
    with pytest.raises(Forbidden):
        services.set_price(actor=chain.actor(chain.regional), values=VALUES)
    assert not RateCard.objects.exists()


class TestPage:
    def client(self, staff):
        browser = Client()
        browser.force_login(staff.user)
        return browser

    def test_owner_sets_a_price(self, chain):
        selectors.get_config()
        client = self.client(chain.owner)
        form = VALUES | {
            "amount": "1.2345",
            "currency": "INR",
            "effective_from": TODAY.isoformat(),
        }
        answer = client.post(reverse("price-list"), form, follow=True)
        shown = answer.content.decode()
        assert "1.2345 INR" in shown
        assert "Past" not in shown

    def test_a_refusal_stands_at_its_field(self, chain):
        client = self.client(chain.owner)
        yesterday = (timezone.now() - dt.timedelta(days=1)).date()
        form = VALUES | {"currency": "INR", "effective_from": yesterday.isoformat()}
        answer = client.post(reverse("price-list"), form)
        assert answer.status_code == 422
        assert "effective_from" in answer.context["form"].errors

    def test_it_says_what_a_foreign_price_comes_to_and_where_the_rate_is_missing(self, chain):
        selectors.get_config()
        client = self.client(chain.owner)
        form = {
            "provider": "ssl_wireless",
            "category": "marketing",
            "country": "BD",
            "amount": "0.5",
            "currency": "BDT",
            "effective_from": TODAY.isoformat(),
        }
        refused = client.post(reverse("price-list"), form)
        assert list(refused.context["form"].errors) == ["exchange_rate"]
        answer = client.post(reverse("price-list"), form | {"exchange_rate": "0.72"}, follow=True)
        shown = answer.content.decode()
        assert "0.3600 INR at 0.72" in shown
        # Of the first price list: both of January, of which one is past by now.
        assert shown.count("Exchange rate missing") == 2

    def test_others_do_not_see_it(self, chain):
        assert self.client(chain.regional).get(reverse("price-list")).status_code == 403
        other = make_chain()
        set_price(chain)
        shown = self.client(other.owner).get(reverse("price-list")).content.decode()
        assert "1.2345" not in shown

    def test_few_queries(self, chain, django_assert_max_num_queries):
        selectors.get_config()
        client = self.client(chain.owner)
        with django_assert_max_num_queries(12):
            client.get(reverse("price-list"))
