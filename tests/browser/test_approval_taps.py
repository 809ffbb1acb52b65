"""An approver on a phone: from the news or the inbox to approved in at most three taps."""

import re
from dataclasses import dataclass

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import USES_PARLOUR, Parlour
from tests.browser.test_story import PHONE, choose, log_in

pytestmark = USES_PARLOUR

MOST_TAPS = 3


@dataclass
class Thumb:
    """Taps on a phone, counted."""

    taps: int = 0

    def tap(self, target: Locator) -> None:
        target.click()
        self.taps += 1


def bell_of(page: Page) -> Locator:
    """A phone's: there is another beside the menu of wide screens."""
    news = re.compile(r"^Notifications: \d+ new$")
    return page.get_by_role("banner").get_by_role("link", name=news)


def submit(page: Page, parlour: Parlour, name: str) -> str:
    """A campaign of Bandra's manager that waits for an approval; its address."""
    page.goto(f"{parlour.url}/campaigns/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Continue").click()
    choose(page, "segment", "All customers")
    page.get_by_role("button", name="Continue").click()
    choose(page, "template", "Festival greetings")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/edit/schedule$"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#live")).to_contain_text("Waiting for approval")
    return page.url


def test_approving_takes_three_taps_at_most(chromium: Browser, parlour: Parlour) -> None:
    manager = log_in(chromium, parlour, "manager.bandra", PHONE)
    by_news = submit(manager, parlour, "Told by the bell")
    submit(manager, parlour, "Found in the inbox")

    regional = log_in(chromium, parlour, "regional.west", PHONE)
    thumb = Thumb()
    thumb.tap(bell_of(regional))
    thumb.tap(regional.get_by_role("link", name=re.compile("“Told by the bell” waits")))
    expect(regional).to_have_url(by_news)
    thumb.tap(regional.get_by_role("button", name="Approve", exact=True))
    expect(regional.locator("#live")).to_contain_text("Approved by")
    assert thumb.taps <= MOST_TAPS

    regional.goto(f"{parlour.url}/approvals")
    thumb = Thumb()
    thumb.tap(regional.get_by_role("link", name="Found in the inbox"))
    thumb.tap(regional.get_by_role("button", name="Approve", exact=True))
    expect(regional.locator("#live")).to_contain_text("Approved by")
    assert thumb.taps <= MOST_TAPS

    # The author is told, and finds who decided.
    manager.goto(parlour.url)
    thumb = Thumb()
    thumb.tap(bell_of(manager))
    thumb.tap(manager.get_by_role("link", name=re.compile("approved “Told by the bell”")))
    expect(manager.locator("#history")).to_contain_text("Approved")
