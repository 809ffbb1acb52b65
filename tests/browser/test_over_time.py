"""What takes weeks, or money, in a browser: the test moves the clock and lends the workers a hand.

The server is a thread of the test, so that it lives in the test's time.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.services import runs
from marketing.campaigns.tasks import run_due_campaigns
from marketing.campaigns.views import detail
from marketing.core.events import deliver_due
from marketing.core.models import Staff
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import SendRun
from marketing.delivery.tasks import settle_costs
from tests.browser.conftest import new_context, with_scripts
from tests.browser.test_story import DESKTOP, PHONE, choose
from tests.campaigns.conftest import live_chain, tasks, vendor
from tests.campaigns.test_budget_stop import PRICE, deliver
from tests.campaigns.test_three_weeks import NOW, PEOPLE, a_while, begun, chain
from tests.factories.campaigns import approved, everybody
from tests.factories.content import TemplateFactory
from tests.factories.core import PASSWORD, Chain
from tests.factories.policy import set_branch_config

__all__ = ["chain", "live_chain", "tasks", "vendor"]

pytestmark = pytest.mark.browser

Behind = Callable[..., Any]


@pytest.fixture
def behind() -> Iterator[Behind]:
    """`behind(work, …)` does in a thread what the browser's own loop forbids: asking the rows."""

    def closing(work: Callable[..., Any], *args: Any) -> Any:
        try:
            return work(*args)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        yield lambda work, *args: thread.submit(closing, work, *args).result()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=True) as travel:
        yield travel


def log_in(chromium: Browser, url: str, staff: Staff, size: dict[str, int]) -> Page:
    page = new_context(chromium, viewport=size, has_touch=size == PHONE, locale="en-IN").new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{url}/login")
    page.locator("input[name=username]").fill(staff.user.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).not_to_have_url(re.compile("/login"))
    return page


def test_three_weeks_of_mondays(
    clock: time_machine.Traveller,
    chain: Chain,
    live_server: Any,
    behind: Behind,
    chromium: Browser,
) -> None:
    def ground() -> None:
        with tenant_scope(chain.tenant.pk):
            everybody(name="All of us")
            TemplateFactory(name="Monday glow")

    behind(ground)
    manager = log_in(chromium, live_server.url, chain.manager, PHONE)
    manager.goto(f"{live_server.url}/campaigns/new")
    manager.get_by_label("Name").fill("Glow on Mondays")
    manager.get_by_role("button", name="Continue").tap()
    choose(manager, "segment", "All of us")
    manager.get_by_role("button", name="Continue").tap()
    choose(manager, "template", "Monday glow")
    manager.get_by_role("button", name="Continue").tap()

    # Every Monday at noon from today on, four dates, of which the second is skipped.
    expect(manager).to_have_url(re.compile("/edit/schedule$"))
    with_scripts(manager)
    manager.locator("label", has_text="Again and again").tap()
    manager.get_by_label("How often").select_option("weekly")
    manager.locator("label", has_text="Monday").tap()
    manager.get_by_label("Time", exact=True).fill("12:00")
    manager.locator("#step-form summary").tap()
    manager.get_by_label("Last day").fill("2026-01-26")
    dates = manager.locator("#dates li")
    expect(dates).to_have_count(4)
    dates.nth(1).get_by_label("Skip").tap()
    expect(dates.nth(1)).to_have_class(re.compile("is-skipped"))
    manager.get_by_role("button", name="Continue").tap()
    manager.get_by_role("button", name="Submit").tap()
    expect(manager.locator("#live")).to_contain_text("Waiting for approval")
    address = manager.url

    def approve() -> None:
        with tenant_scope(chain.tenant.pk):
            actor = chain.actor(chain.regional)
            services.approve_campaign(actor=actor, campaign=Campaign.objects.get())

    behind(approve)
    behind(run_due_campaigns)
    manager.reload()
    expect(manager.locator(".campaign-state")).to_contain_text("5 Jan")

    for day, following in ((5, "19 Jan"), (12, "19 Jan"), (19, "26 Jan")):
        clock.move_to(dt.datetime(2026, 1, day, 6, 15, tzinfo=dt.UTC))
        behind(a_while, chain, clock)
        fresh = log_in(chromium, live_server.url, chain.manager, PHONE)  # a login lasts two weeks
        fresh.goto(address)
        expect(fresh.locator(".campaign-state")).to_contain_text(following)
        fresh.context.close()
    clock.move_to(dt.datetime(2026, 1, 26, 6, 15, tzinfo=dt.UTC))
    behind(a_while, chain, clock)

    manager = log_in(chromium, live_server.url, chain.manager, PHONE)
    manager.goto(address)
    expect(manager.locator(".campaign-state")).to_contain_text("Sent")
    sendings = manager.locator(".card", has=manager.get_by_role("heading", name="Sendings"))
    rows = sendings.locator("tbody tr")
    expect(rows).to_have_count(3)
    for number, day in enumerate(("5 Jan", "19 Jan", "26 Jan")):
        expect(rows.nth(number)).to_contain_text(day)
        expect(rows.nth(number)).to_contain_text(str(PEOPLE))
    expect(manager.locator("[data-audience]")).to_have_attribute("data-audience", str(3 * PEOPLE))
    assert behind(begun, chain) == ["05 06:30", "19 06:30", "26 06:30"]


def test_the_money_is_gone_midway(
    clock: time_machine.Traveller,
    chain: Chain,
    live_server: Any,
    behind: Behind,
    chromium: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detail, "WAITING_SECONDS", 1)

    def begin() -> Campaign:
        with tenant_scope(chain.tenant.pk):
            campaign = approved(chain.manager, chain.regional, branch_ids=[chain.north.pk])
            run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
            runs.start_run(campaign_run_id=run.pk)
            return campaign

    def spend_all() -> None:
        """One has it when the limit is lowered to what that cost."""
        with tenant_scope(chain.tenant.pk):
            deliver(SendRun.objects.get(), 1)
            set_branch_config(chain.north, monthly_budget_limit=PRICE)
        settle_costs()
        deliver_due()

    campaign = behind(begin)
    manager = log_in(chromium, live_server.url, chain.manager, PHONE)
    manager.goto(f"{live_server.url}/campaigns/{campaign.pk}")
    live = manager.locator("#live")
    expect(live.locator(".campaign-state")).to_contain_text("Sending")

    # The open page says by itself what stopped it, whose money is gone and what helps.
    behind(spend_all)
    alert = live.locator(".alert-box")
    expect(alert).to_contain_text("The budget is not enough")
    expect(alert).to_contain_text(chain.north.name)
    expect(alert).to_contain_text("raised limit")
    held = live.locator(".stacked-legend li", has_text="Held")
    expect(held).to_contain_text(str(PEOPLE - 1))

    owner = log_in(chromium, live_server.url, chain.owner, DESKTOP)
    owner.goto(f"{live_server.url}/settings/budget")
    owner.get_by_label(f"Limit of {chain.north.name} a month").fill("100")
    owner.get_by_role("button", name=f"Save {chain.north.name}").click()
    expect(owner.get_by_text(f"{chain.north.name} is saved.")).to_be_visible()

    # The next minute's sweep lets it go on, and the manager's page follows without reloading.
    behind(a_while, chain, clock)
    expect(live.locator(".campaign-state")).to_contain_text("Sent")
    expect(live.locator(".stat", has_text="Sent").first).to_contain_text(str(PEOPLE))
    expect(live.locator("[data-audience]")).to_have_attribute("data-audience", str(PEOPLE))
