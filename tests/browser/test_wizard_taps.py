"""How little a campaign asks of a manager with a phone in one hand."""

import re

from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests.browser.conftest import USES_PARLOUR, Parlour, new_context, with_scripts
from tests.browser.test_story import PASSWORD, PHONE

pytestmark = USES_PARLOUR

MOST_TAPS, MOST_PAGES = 25, 6


class Thumb:
    """Counts the taps on a page and the pages that come; a field typed into costs a tap."""

    def __init__(self, page: Page) -> None:
        self.taps = 0
        self.pages: list[str] = []
        self._page = page
        page.on("framenavigated", self._note)

    def _note(self, frame: Frame) -> None:
        if frame == self._page.main_frame:
            self.pages.append(frame.url)

    def tap(self, where: Locator) -> None:
        where.tap()
        self.taps += 1

    def type(self, where: Locator, text: str) -> None:
        self.tap(where)
        where.fill(text)

    def choose(self, field: str, option: str) -> None:
        """From a list with a search in it: open it, tap the option."""
        chooser = self._page.get_by_role("combobox", name=field)
        expect(chooser).to_have_attribute("aria-autocomplete", "list")
        self.tap(chooser)
        self.tap(self._page.get_by_role("option", name=option, exact=True))


def test_a_campaign_takes_few_taps_and_pages(chromium: Browser, parlour: Parlour) -> None:
    context = new_context(chromium, viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{parlour.url}/login")
    page.locator("input[name=username]").fill("manager.bandra")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).not_to_have_url(re.compile("/login"))
    thumb = Thumb(page)

    def go_on(to: str) -> None:
        thumb.tap(page.get_by_role("button", name="Continue"))
        expect(page).to_have_url(re.compile(to))
        with_scripts(page)

    thumb.tap(page.get_by_role("link", name="New campaign").first)
    thumb.type(page.get_by_label("Name"), "Repeat guests")
    go_on("/edit/audience$")
    thumb.choose("Who gets it", "Repeat Customers")
    expect(page.locator("#outlook")).to_contain_text(re.compile(r"\d"))
    go_on("/edit/message$")
    thumb.choose("Message", "Festival greetings")
    expect(page.locator("#previews .phone, #previews [class*=phone]").first).to_be_visible()
    go_on("/edit/schedule$")
    thumb.tap(page.locator("label", has_text="At a set time"))
    thumb.type(page.locator("[name=date]"), "2099-01-31")
    thumb.type(page.locator("[name=time]"), "11:00")
    go_on("/edit/review$")
    # What it is, whom it reaches and what it costs stand on this page.
    thumb.tap(page.get_by_role("button", name="Submit"))
    expect(page.locator("#live")).to_contain_text("Waiting for approval")

    assert thumb.taps <= MOST_TAPS
    assert len(thumb.pages) <= MOST_PAGES, thumb.pages
    context.close()
