"""A bill at the counter by keys alone, on a tablet: from a customer to the paper, and a refund."""

import re

from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.conftest import USES_PARLOUR, Parlour, with_scripts
from tests.browser.test_story import log_in

pytestmark = USES_PARLOUR

TABLET: ViewportSize = {"width": 1024, "height": 768}


def test_a_bill_by_keys_from_customer_to_paper_and_a_line_back(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "reception.bandra", TABLET)
    page.goto(f"{parlour.url}/counter")
    keys, price = page.keyboard, page.locator("#quote")
    keys.press("/")
    keys.type("a")
    expect(page.locator("#found button").first).to_be_visible()
    keys.press("Enter")
    expect(page.locator(".counter-person")).to_be_visible()
    with_scripts(page)
    # Until the script has come it is a plain list.
    expect(page.get_by_role("combobox").first).to_have_attribute("aria-autocomplete", "list")
    for service in ("Hair spa", "Balayage"):
        keys.press("F2")
        keys.type(service)
        keys.press("Enter")
        expect(page.locator(".counter-lines")).to_contain_text(service)
    second = page.get_by_label("Price of line 2")
    second.fill("5000.123")
    keys.press("Enter")
    expect(second).to_have_attribute("aria-invalid", "true")
    second.fill("5000")
    keys.press("Enter")
    expect(second).not_to_have_attribute("aria-invalid", "true")
    expect(price).to_contain_text(re.compile(r"Balayage[^₹]*₹5,000"))
    expect(price).to_contain_text("Points she earns")
    keys.press("F8")
    expect(page.locator("[data-left]")).to_contain_text(re.compile(r"\d:\d\d"))
    held = page.url
    page.reload()
    keys.press("F9")
    expect(page.locator("h1")).to_contain_text(re.compile(r"Bill \d{6}-\w{6}"))
    assert page.url == held
    with_scripts(page)
    keys.press("F9")
    expect(page.locator(".counter-paper")).to_contain_text("Points earned with this bill")

    page.go_back()
    page.get_by_label("Hair spa").fill("1")
    keys.press("Enter")
    expect(page.locator("main")).to_contain_text("1 came back")
    expect(page.locator("#toasts")).to_contain_text("pay out")

    # Who types fast waits for no price.
    with_scripts(page)
    keys.press("F10")
    expect(page.get_by_role("combobox").first).to_have_attribute("aria-autocomplete", "list")
    keys.press("F2")
    keys.type("Hair spa")
    keys.press("Enter")
    keys.press("F8")
    expect(page.locator("[data-left]")).to_contain_text(re.compile(r"\d:\d\d"))
