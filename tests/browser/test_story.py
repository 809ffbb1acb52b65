"""The whole story: two people, a real worker, real HTTP, real callbacks."""

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Parlour

PASSWORD = "shampoo-and-set"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

pytestmark = pytest.mark.browser


def log_in(browser: Browser, parlour: Parlour, username: str, size: dict[str, int]) -> Page:
    """A page of this person's own, logged in; a script error fails the test."""
    page = browser.new_context(viewport=size, locale="en-IN").new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{parlour.url}/login")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("h1")).to_be_visible()
    return page


def choose(page: Page, name: str, label: str) -> None:
    """Choose an option, whether or not a script made the list searchable."""
    select = page.locator(f"select[name={name}]")
    value = select.locator("option", has_text=label).first.get_attribute("value")
    select.evaluate(
        "(select, value) => { select.value = value;"
        " select.dispatchEvent(new Event('change', { bubbles: true })); }",
        value,
    )


def test_campaign_from_idea_to_read_messages(chromium: Browser, parlour: Parlour) -> None:
    manager = log_in(chromium, parlour, "manager.bandra", PHONE)

    # The manager writes a WhatsApp message's campaign on a phone.
    manager.goto(f"{parlour.url}/campaigns/new")
    manager.get_by_label("Name").fill("Repeat guests, Diwali")
    manager.get_by_role("button", name="Continue").click()
    choose(manager, "segment", "Repeat Customers")
    expect(manager.locator("#outlook")).to_contain_text(re.compile(r"\d"))
    manager.get_by_role("button", name="Continue").click()
    choose(manager, "template", "Festival")
    expect(manager.locator("#previews")).to_contain_text("नमस्ते")
    manager.get_by_role("button", name="Continue").click()
    manager.get_by_role("button", name="Continue").click()
    manager.get_by_role("button", name="Submit").click()
    expect(manager.locator("#live")).to_contain_text("Waiting for approval")
    campaign_url = manager.url
    # Nobody approves their own.
    expect(manager.get_by_role("button", name="Approve")).to_have_count(0)

    # The regional manager finds it in the inbox, sees what will happen and approves.
    regional = log_in(chromium, parlour, "regional.west", PHONE)
    regional.goto(f"{parlour.url}/approvals")
    regional.get_by_role("link", name="Repeat guests, Diwali").click()
    expect(regional.get_by_text("Ten of the messages")).to_be_visible()
    regional.get_by_role("button", name="Approve", exact=True).click()
    expect(regional.locator("#live")).to_contain_text("Approved")

    # The manager sends it, and watches it without reloading.
    manager.goto(campaign_url)
    manager.get_by_role("button", name="Send now").first.click()
    manager.get_by_role("dialog").get_by_role("button", name="Send now").click()
    live = manager.locator("#live")
    expect(live.locator(".campaign-state")).to_contain_text("Sent", timeout=300_000)
    read = live.locator(".stat", has_text="Read").locator(".amount, .stat-value").first
    expect(read).not_to_have_text("0", timeout=300_000)

    # A recipient has it on the phone, in her language, and read it.
    threads = json.loads(parlour.sandbox("/inbox/threads"))
    assert threads
    said = json.loads(parlour.sandbox(f"/inbox/thread?to={quote(threads[0]['recipient'])}"))
    assert said[-1]["body"]
    assert "{{" not in said[-1]["body"]
    inbox = chromium.new_context(viewport=PHONE).new_page()
    inbox.goto(f"{parlour.sandbox_url}/?to={quote(threads[0]['recipient'])}")
    expect(inbox.locator("#bubbles li").first).to_be_visible()

    # Everyone can see why: the sum holds, and each skipped person has a reason.
    manager.reload()
    expect(manager.get_by_text("Left out, and why")).to_be_visible()
