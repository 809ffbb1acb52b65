"""An offer made on a phone: what the customer would see changes as one types."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import USES_PARLOUR, Parlour, with_scripts
from tests.browser.test_story import PHONE, log_in

pytestmark = USES_PARLOUR


def test_offer_is_made_on_a_phone_with_the_sample_bill_in_sight(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "manager.bandra", PHONE)
    page.goto(f"{parlour.url}/offers/new")
    page.get_by_role("link", name="Amount off").click()
    expect(page.locator("#sample")).to_be_visible()
    with_scripts(page)
    page.get_by_label("Service 1", exact=True).select_option(label="Hair spa")
    for place in (2, 3):
        page.get_by_label(f"Service {place}", exact=True).select_option("")
    price = page.locator("#sample")
    expect(price).to_contain_text(re.compile(r"She pays\s*₹1,200"))
    page.get_by_label("Rupees off").fill("250")
    expect(price).to_contain_text(re.compile(r"She pays\s*₹1,150"))
    expect(page.locator("#sample-sum")).to_contain_text("she pays ₹1,150")

    page.get_by_label("Kind of offer").select_option(label="Percentage")
    page.get_by_label("Per cent off").fill("50")
    expect(price).to_contain_text(re.compile(r"She pays\s*₹700"))
    page.get_by_label("Name").fill("Half on a phone")
    page.get_by_label("With a code that everybody may type").check()
    page.get_by_label("Code", exact=True).fill("phone50")
    page.get_by_role("button", name="Save offer").click()
    expect(page.locator("h1")).to_have_text("Half on a phone")
    expect(page).to_have_url(re.compile("/offers/[0-9a-f-]{36}$"))
    expect(page.locator("main")).to_contain_text("PHONE50")
    expect(page.locator("main")).to_contain_text("Bandra West")
