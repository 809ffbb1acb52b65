"""A campaign that comes back twice before it is approved, by two people with phones."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import USES_PARLOUR, Parlour, with_scripts
from tests.browser.test_approval_taps import submit
from tests.browser.test_story import PHONE, log_in

pytestmark = USES_PARLOUR

CHANGES, REJECTION = "Say till when it holds.", "Too many people: leave the regulars out."


def read_news(page: Page, parlour: Parlour, words: str) -> None:
    """Follow the bell, as somebody does who is told that there is something new."""
    page.goto(parlour.url)
    page.get_by_role("link", name=re.compile(r"^Notifications: \d+ new$")).click()
    page.locator(".is-unread").get_by_role("link", name=re.compile(words)).first.click()
    expect(page.locator("h1")).to_have_text("To and fro")
    with_scripts(page)


def send_back(page: Page, button: str, field: str, words: str, done: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(field).fill(words)
    dialog.get_by_role("button", name=done).click()
    expect(page.locator("#live")).to_contain_text("Draft")


def mend_and_submit(page: Page, reason: str, note: str) -> None:
    """The reason stands above what the manager mends."""
    expect(page.locator("#live")).to_contain_text(reason)
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text(reason)
    page.get_by_label("Note").fill(note)
    for step in ("audience", "message", "schedule", "review"):
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(re.compile(f"/edit/{step}$"))
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#live")).to_contain_text("Waiting for approval")
    expect(page.locator("#live")).not_to_contain_text(reason)


def test_it_comes_back_twice_and_goes_in_the_end(chromium: Browser, parlour: Parlour) -> None:
    manager = log_in(chromium, parlour, "manager.bandra", PHONE)
    regional = log_in(chromium, parlour, "regional.west", PHONE)
    submit(manager, parlour, "To and fro")

    read_news(regional, parlour, "“To and fro” waits")
    send_back(regional, "Ask for changes", "What should change?", CHANGES, "Send back")
    regional.get_by_label("Say something").fill("Till Sunday would do.")
    regional.get_by_role("button", name="Say it").click()
    expect(regional.locator("#history")).to_contain_text("Till Sunday would do.")

    read_news(manager, parlour, "asks for changes to “To and fro”")
    expect(manager.locator("#history")).to_contain_text("Till Sunday would do.")
    mend_and_submit(manager, CHANGES, "Holds till Sunday.")

    read_news(regional, parlour, "“To and fro” waits")
    expect(regional.get_by_role("main")).to_contain_text("Holds till Sunday.")
    send_back(regional, "Reject", "Why?", REJECTION, "Reject")

    read_news(manager, parlour, "rejected “To and fro”")
    mend_and_submit(manager, REJECTION, "Without the regulars, till Sunday.")

    read_news(regional, parlour, "“To and fro” waits")
    regional.get_by_role("button", name="Approve", exact=True).click()
    expect(regional.locator("#live")).to_contain_text("Approved by")

    read_news(manager, parlour, "approved “To and fro”")
    history = manager.locator("#history")
    for words in (CHANGES, REJECTION, "Sent back for changes", "Rejected", "Approved"):
        expect(history).to_contain_text(words)
    for page in (manager, regional):
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], page.url
        page.context.close()
