"""The spend page: whose money it shows, that its sums are the books', and how it is asked for."""

import csv
import datetime as dt
import io
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import translation

from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.selectors.spend import spend_report
from marketing.campaigns.services import runs
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message
from marketing.delivery.services import settle_due
from marketing.policy.models import BudgetMonth
from tests.factories.campaigns import approved, make_ground
from tests.factories.delivery import become
from tests.factories.policy import set_branch_config, set_config
from tests.page_queries import questions

PRICE = Decimal("0.8631")
NOV = dt.date(2026, 11, 1)
NOON = dt.datetime(2026, 11, 16, 6, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def ground(chain, tasks):
    with time_machine.travel(NOON, tick=False):
        make_ground(chain.north, chain.south, people=3)
        yield


def sent(chain, author=None, delivered=2, **values):
    """A campaign under way, of which so many have arrived."""
    author = author or chain.manager
    campaign = approved(author, chain.owner, **values)
    run = services.send_campaign(actor=chain.actor(author), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    send_run = CampaignRun.objects.get(pk=run.pk).send_run_id
    for message in Message.objects.filter(run=send_run, state="queued").order_by("pk")[:delivered]:
        become(message, "delivered")
    settle_due()
    return campaign


def report(chain, staff=None, month=NOV, branch=None, now=NOON):
    return spend_report(chain.actor(staff or chain.owner), month, now, branch)


def page(client, **asked):
    return client.get(reverse("spend"), asked)


def test_it_works(chain, login):
    campaign = sent(chain, name="Diwali glow")
    approved(chain.manager, chain.owner, name="Waits for its hour")
    answer = page(login("owner"))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert reverse("campaign-detail", args=[campaign.pk]) in text
    assert "Waits for its hour" in text
    assert "WhatsApp" in text
    assert "At this pace" in text
    assert text.count("<b>₹") == 2


def test_every_sum_is_the_books(chain):
    """By branch, by channel and by campaign the same money, to the paisa of a paisa."""
    sent(chain)
    sent(chain, author=chain.regional, target_all_customers=True, segment_id=None)
    approved(chain.manager, chain.owner)
    found = report(chain)
    chain_row = BudgetMonth.objects.get(branch=None)
    assert (found.total.reserved, found.total.spent) == (chain_row.reserved, chain_row.spent)
    for lines in (found.campaigns, found.entries):
        assert sum(line.spent for line in lines) == chain_row.spent
        assert sum(line.reserved for line in lines) == chain_row.reserved
    assert sum(line.spent for line in found.channels) == chain_row.spent
    assert sum(row.spent for row in found.branches) == chain_row.spent


def test_a_manager_sees_his_branches_alone(chain, login):
    sent(chain, author=chain.regional, target_all_customers=True, segment_id=None, delivered=6)
    mine = report(chain, chain.manager)
    assert [row.branch for row in mine.branches] == [chain.north]
    assert mine.total.spent == BudgetMonth.objects.get(branch=chain.north).spent
    assert {entry.branch_id for entry in mine.entries} == {chain.north.pk}
    # Whose campaign it is he is told, but it is not his to open.
    assert [(line.name, line.campaign_id) for line in mine.campaigns] == [("Diwali glow", None)]
    text = page(login("manager")).content.decode()
    assert "South" not in text
    assert report(chain, chain.regional).total.spent > mine.total.spent


def test_a_branch_of_ones_own_and_anothers(chain, login):
    sent(chain)
    assert report(chain, branch=chain.north).total.spent == 2 * PRICE
    assert report(chain, branch=chain.south).campaigns == []
    assert page(login("manager"), branch=chain.north.pk).status_code == 200
    for client, path in ((login("manager"), "spend"), (login("manager"), "spend-export")):
        for branch in (chain.south.pk, "nonsense"):
            answer = client.get(reverse(path), {"branch": branch})
            assert answer.status_code == 404


def test_another_chains_money_is_not_seen(chain, other_chain, login):
    sent(chain)
    with tenant_scope(other_chain.tenant.pk):
        found = report(other_chain)
    assert (found.total.spent, found.entries) == (0, [])
    assert page(login("owner"), branch=other_chain.north.pk).status_code == 404


@pytest.mark.parametrize("name", ["spend", "spend-export"])
def test_a_receptionist_sees_none(login, name):
    assert login("receptionist").get(reverse(name)).status_code == 403


@pytest.mark.parametrize("month", ["", "soon", "2026-13", "2026-11-01", "0"])
def test_what_is_no_month_is_this_one(login, month):
    answer = page(login("owner"), month=month)
    assert answer.status_code == 200
    assert answer.context["report"].month == NOV


def test_the_months_turn_at_the_chains_midnight(chain, login):
    midnight = dt.datetime(2026, 12, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    with time_machine.travel(midnight - dt.timedelta(minutes=1), tick=False):
        sent(chain, name="Last of November")
        assert page(login("owner")).context["report"].month == NOV
    with time_machine.travel(midnight + dt.timedelta(minutes=1), tick=False):
        sent(chain, name="First of December")
        found = page(login("owner")).context["report"]
    assert (found.month, found.earlier) == (dt.date(2026, 12, 1), NOV)
    assert [line.name for line in found.campaigns] == ["First of December"]
    assert [line.name for line in report(chain).campaigns] == ["Last of November"]


def test_the_alert_is_shown_to_whom_it_concerns(chain, login):
    set_branch_config(chain.north, monthly_budget_limit=3 * PRICE)
    sent(chain)
    for staff in ("manager", "owner"):
        text = page(login(staff)).content.decode()
        assert text.count("of the limit is used") == 1
    assert report(chain, chain.manager).alerts == report(chain).alerts
    set_branch_config(chain.north, monthly_budget_limit=100)
    assert "of the limit is used" not in page(login("manager")).content.decode()


def test_the_forecast_in_words(chain, login):
    assert "month, within the limit" not in page(login("owner")).content.decode()
    set_config(monthly_budget_limit=Decimal("100"))
    sent(chain)
    assert "month, within the limit" in page(login("owner")).content.decode()
    set_config(monthly_budget_limit=Decimal("3"))
    assert "the limit is reached about" in page(login("owner")).content.decode()


def test_the_file_has_a_line_for_each(chain, login):
    sent(chain, name="=Diwali")
    held = approved(chain.manager, chain.owner)
    answer = login("owner").get(reverse("spend-export"), {"month": "2026-11"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="spend-2026-11.csv"'
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["Campaign"], first["Channel"], first["Branch"]) == (
        "'=Diwali",
        "WhatsApp",
        "North",
    )
    assert (Decimal(first["Spent"]), Decimal(first["Promised"])) == (2 * PRICE, PRICE)
    assert (second["Campaign"], second["Channel"]) == (held.name, "")
    assert Decimal(second["Promised"]) == 3 * PRICE


def test_a_month_without_anything_is_a_page_too(login):
    answer = page(login("owner"), month="2020-02")
    assert "Nothing was spent in this month." in answer.content.decode()


def test_it_reads_in_hindi(chain, login):
    sent(chain)
    with translation.override("hi"):
        assert page(login("manager")).status_code == 200


def test_as_many_queries_for_many_campaigns_as_for_one(chain, login):
    client = login("owner")
    sent(chain)
    few, _parts = questions(client, reverse("spend"))
    for number in range(3):
        sent(chain, delivered=1, name=f"Another {number}")
        approved(chain.manager, chain.owner)
    many, _parts = questions(client, reverse("spend"))
    assert len(many) == len(few) <= 20
