"""How owners set the points programme up, its tiers and its rates."""

import pytest

from marketing.core.errors import Forbidden
from marketing.loyalty import selectors, services
from marketing.loyalty.models import EarnRate, LoyaltyProgramme, Tier
from marketing.loyalty.services import setting_names
from tests.factories.customers import ServiceFactory
from tests.factories.loyalty import earn, make_programme, make_tiers


def _posted(value):
    return "off" if value is False else value


def settings_of(**changes):
    """The form as the page posts it."""
    kept = selectors.programme()
    values = {name: _posted(getattr(kept, name)) for name in setting_names()} | changes
    return {
        name: value for name, value in values.items() if value is not None and value is not False
    }


def test_an_owner_sets_it_up(chain, login):
    owner = login("owner")
    assert owner.get("/points/settings").status_code == 200
    answer = owner.post(
        "/points/settings", settings_of(is_enabled=True, points_per_100="2.5", expiry_months="")
    )
    assert answer.status_code == 302, answer.context["form"].errors
    kept = LoyaltyProgramme.objects.get()
    assert (kept.is_enabled, kept.expiry_months) == (True, None)
    assert [tier.name for tier in selectors.tiers()] == ["Bronze", "Silver", "Gold"]
    assert "₹25,000" in owner.get("/points/settings").text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("point_value_paise", 0),
        ("points_per_100", -1),
        ("points_per_100", "1.234"),
        ("pending_days", 91),
        ("max_redeem_percent", 101),
        ("max_redeem_percent", 0),
        ("max_redeem_points", 1),
        ("expiry_months", 10**12),
        ("expiry_months", 0),
        ("negative_policy", "never"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_their_field(chain, login, field, value):
    answer = login("owner").post(
        "/points/settings", settings_of(min_redeem_points=10) | {field: value}
    )
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not LoyaltyProgramme.objects.exists()


def test_two_owners_at_once(chain, login):
    owner = login("owner")
    owner.post("/points/settings", settings_of(is_enabled=True))
    version = LoyaltyProgramme.objects.get().version
    owner.post("/points/settings", settings_of(signup_bonus=5))
    late = owner.post("/points/settings", settings_of(signup_bonus=9) | {"version": version})
    assert late.status_code == 422
    assert "save again to keep it" in late.text
    assert LoyaltyProgramme.objects.get().signup_bonus == 5


@pytest.mark.parametrize("version", ["9" * 5_000, "²", "abc", "-1"])
def test_what_is_no_version_is_a_stale_one(chain, login, version):
    make_programme(signup_bonus=5)
    answer = login("owner").post(
        "/points/settings", settings_of(signup_bonus=9) | {"version": version}
    )
    assert answer.status_code == 422
    assert "save again to keep it" in answer.text
    assert LoyaltyProgramme.objects.get().signup_bonus == 5


def test_only_owners_set_it_up(chain, login):
    for staff in ("receptionist", "manager", "regional"):
        for path in ("/points/settings", "/points/tiers/new"):
            assert login(staff).get(path).status_code == 403
    make_programme()
    (tier,) = make_tiers(("Bronze", 0, 10_000))
    regional, values = chain.actor(chain.regional), {"name": "Gold", "level": 2, "threshold": 5}
    for change in (
        lambda: services.update_programme(actor=regional, values={"signup_bonus": 9}),
        lambda: services.set_tier(actor=regional, tier=None, multiplier=1, **values),
        lambda: services.delete_tier(actor=regional, tier=tier),
        lambda: services.set_rates(actor=regional, categories={}),
    ):
        with pytest.raises(Forbidden):
            change()
    assert (LoyaltyProgramme.objects.get().signup_bonus, Tier.objects.get()) == (0, tier)


def test_tiers_are_made_changed_and_deleted(asha, login):
    owner = login("owner")
    silver, gold = make_tiers(("Silver", 100_000, 10_000), ("Gold", 500_000, 15_000))
    tier = {"name": "Platinum", "level": 3, "threshold": "10000.50", "multiplier": "2"}
    tier |= {"benefits": "Twice the points\nA seat by the window"}
    assert owner.post("/points/tiers/new", tier).status_code == 302
    assert "Twice the points<br>A seat by the window" in owner.get("/points/settings").text
    made = Tier.objects.get(name="Platinum")
    assert (made.threshold, made.multiplier) == (1_000_050, 20_000)
    for wrong in (
        {"name": "gold"},
        {"level": 2},
        {"threshold": "10"},
        {"multiplier": "11"},
        {"threshold": "-1"},
    ):
        assert owner.post(f"/points/tiers/{made.pk}", tier | wrong).status_code == 422
    earn(asha, 1_000)
    assert owner.post(f"/points/tiers/{silver.pk}/delete").status_code == 409
    assert owner.post(f"/points/tiers/{gold.pk}/delete").status_code == 302
    assert owner.get(f"/points/tiers/{gold.pk}").status_code == 404


def test_a_tier_by_points_begins_at_a_whole_one(chain, login):
    make_programme(tier_basis="points")
    owner = login("owner")
    tier = {"name": "Platinum", "level": 3, "threshold": "10.55", "multiplier": "2"}
    refused = owner.post("/points/tiers/new", tier)
    assert refused.status_code == 422
    assert "threshold" in refused.context["form"].errors
    assert 'value="10.55"' in refused.text
    assert not Tier.objects.filter(name="Platinum").exists()
    assert owner.post("/points/tiers/new", tier | {"threshold": "10"}).status_code == 302
    made = Tier.objects.get(name="Platinum")
    assert made.threshold == 10
    assert owner.get(f"/points/tiers/{made.pk}").context["form"]["threshold"].value() == 10


def test_a_tier_that_somebody_else_changed_stays(chain, login):
    make_programme()
    (gold,) = make_tiers(("Gold", 500_000, 15_000))
    owner, path = login("owner"), f"/points/tiers/{gold.pk}"
    form = owner.get(path).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    theirs = shown | {"benefits": "A seat by the window"}
    for _twice in range(2):
        assert owner.post(path, theirs).status_code == 302
    mine = owner.post(path, shown | {"multiplier": "2"})
    assert mine.status_code == 422
    assert "save again to keep it" in mine.text
    gold.refresh_from_db()
    assert (gold.benefits, gold.multiplier) == ("A seat by the window", 15_000)
    again = {name: mine.context["form"][name].value() for name in shown}
    assert owner.post(path, again).status_code == 302
    gold.refresh_from_db()
    assert (gold.benefits, gold.multiplier) == ("", 20_000)


def test_categories_have_rates_of_their_own(asha, login):
    hair = ServiceFactory().category
    owner = login("owner")
    owner.post("/points/settings/rates", {str(hair.pk): "7.5"})
    assert EarnRate.objects.get(category=hair).points_per_100 == 7.5
    assert owner.post("/points/settings/rates", {str(hair.pk): "-1"}).status_code == 422
    owner.post("/points/settings/rates", {str(hair.pk): ""})
    assert not EarnRate.objects.exists()


def test_services_have_rates_of_their_own_and_keep_them(asha, login):
    cut, spa = ServiceFactory(), ServiceFactory()
    owner = login("owner")
    path = "/points/settings/rates"
    assert owner.post(path, {"service_0": str(cut.pk), "rate_0": "3"}).status_code == 302
    shown = owner.get("/points/settings").context["rates_form"]
    rows = [(service.value(), rate.value()) for service, rate in shown.of_services]
    assert rows == [(str(cut.pk), 3), ("", None), ("", None)]
    both = {"service_0": str(cut.pk), "rate_0": "3", "service_1": str(spa.pk), "rate_1": "0"}
    assert owner.post(path, both | {str(cut.category_id): "5"}).status_code == 302
    rates = dict(EarnRate.objects.filter(category=None).values_list("service", "points_per_100"))
    assert rates == {cut.pk: 3, spa.pk: 0}
    for wrong in ({"rate_0": "3"}, both | {"service_1": str(cut.pk)}, {"service_0": "x"}):
        filled = {"service_0": "", "rate_0": "", **wrong}
        assert owner.post(path, filled).status_code == 422
    assert EarnRate.objects.count() == 3
    assert owner.post(path, both | {"rate_0": "", "rate_1": ""}).status_code == 302
    assert not EarnRate.objects.exists()


def test_rates_that_somebody_else_changed_stay(chain, login):
    cut, spa = ServiceFactory(), ServiceFactory()
    make_programme()
    owner = login("owner")
    path, seen = "/points/settings/rates", owner.get("/points/settings").context["rates_seen"]
    mine = {"service_0": str(cut.pk), "rate_0": "3", "seen": seen}
    for _twice in range(2):
        assert owner.post(path, mine).status_code == 302
    late = owner.post(path, mine | {"service_0": str(spa.pk)})
    assert late.status_code == 422
    assert "save again to keep it" in late.text
    assert f'value="{spa.pk}" selected' in late.text
    assert EarnRate.objects.get().service == cut
    again = {"service_0": str(spa.pk), "seen": late.context["rates_seen"]}
    assert owner.post(path, mine | again).status_code == 302
    assert EarnRate.objects.get().service == spa
