"""The whole story: two people, a real worker, real HTTP, real callbacks."""

import json
import re
from typing import NamedTuple
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from marketing.delivery.models import MessageState
from marketing.delivery.wording import REASONS
from tests.browser.conftest import USES_PARLOUR, Parlour, new_context, with_scripts

PASSWORD = "shampoo-and-set"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

pytestmark = USES_PARLOUR


def log_in(browser: Browser, parlour: Parlour, username: str, size: dict[str, int]) -> Page:
    """A page of this person's own, logged in; a script error fails the test."""
    page = new_context(browser, viewport=size, locale="en-IN").new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{parlour.url}/login")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).not_to_have_url(re.compile("/login"))
    return page


def choose(page: Page, name: str, label: str) -> None:
    """Choose an option, whether or not a script made the list searchable."""
    select = page.locator(f"select[name={name}]")
    value = select.locator("option", has_text=label).first.get_attribute("value")
    with_scripts(page)
    select.evaluate(
        "(select, value) => { select.value = value;"
        " select.dispatchEvent(new Event('change', { bubbles: true })); }",
        value,
    )


def write_in(page: Page, language: str, before: str, after: str) -> None:
    """Write a text around the customer's first name, as one does: by the field's button."""
    label = page.locator("label", has=page.locator(f"input[name=language][value={language}]"))
    expect(label).to_be_visible()
    with_scripts(page)
    label.click()
    words = page.locator(f"textarea[name={language}-body]")
    words.fill(before)
    page.get_by_role("button", name="First name").click()
    words.press_sequentially(after)
    expect(page.locator("#preview")).to_contain_text(after)


def hindi_message(parlour: Parlour) -> tuple[str, str]:
    """The phone of somebody who was written to in Hindi, and the name in the message."""
    for thread in json.loads(parlour.sandbox("/inbox/threads")):
        phone = thread["recipient"]
        *_earlier, last = json.loads(parlour.sandbox(f"/inbox/thread?to={quote(phone)}"))
        said = re.fullmatch(r"नमस्ते (.+), आपकी दिवाली की चमक बांद्रा में तैयार है।", last["body"])
        if said:
            return phone, said[1]
    pytest.fail("nobody has the Hindi text")


class Figures(NamedTuple):
    """A campaign's people as its page tells them; `left_out` by the sentence that says why."""

    audience: int
    states: dict[str, int]
    left_out: dict[str, int]


def figures_on(page: Page) -> Figures:
    """All at one moment: the page renews them by itself."""
    read = page.locator("#live").evaluate(
        """live => {
            const text = (inside, name) => inside.querySelector(name)?.textContent.trim();
            const rows = (list, name, count) =>
                [...list].map(row => [text(row, name), text(row, count)]);
            const why = [...live.querySelectorAll(".card")].find(
                card => text(card, ".card-title") === "Left out, and why");
            return {
                audience: text(live, "[data-audience]"),
                states: rows(live.querySelectorAll(".stacked-legend li"), "span", "b"),
                leftOut: rows(why.querySelectorAll(".reason-list li"), "a", "b"),
            };
        }"""
    )
    said = re.fullmatch(r"([\d,]+) people, each in one state", read["audience"])
    assert said, read["audience"]
    return Figures(
        whole(said[1]),
        {label: whole(count) for label, count in read["states"]},
        {sentence: whole(count) for sentence, count in read["leftOut"]},
    )


def whole(text: str) -> int:
    """A number as the page writes it."""
    return int(text.replace(",", ""))


def test_campaign_from_idea_to_read_messages(chromium: Browser, parlour: Parlour) -> None:
    manager = log_in(chromium, parlour, "manager.bandra", PHONE)

    # The manager writes a WhatsApp message on a phone, in two languages.
    manager.goto(f"{parlour.url}/templates")
    manager.get_by_role("link", name="New template").click()
    manager.get_by_role("link", name="WhatsApp").click()
    manager.get_by_role("link", name="Write your own").click()
    write_in(manager, "en", "Hi ", ", your Diwali glow waits at Bandra.")
    write_in(manager, "hi", "नमस्ते ", ", आपकी दिवाली की चमक बांद्रा में तैयार है।")
    manager.locator("#id_name").fill("Diwali glow")
    manager.get_by_role("button", name="Save").click()
    expect(manager.locator("h1")).to_have_text("Diwali glow")

    # She hands it in and sees WhatsApp's answer come, without reloading.
    manager.get_by_role("button", name="Hand in to WhatsApp").click()
    review = manager.locator("#review")
    expect(review.get_by_text("Approved", exact=True)).to_have_count(2, timeout=300_000)
    expect(manager.locator("#state")).to_contain_text("Approved by WhatsApp")

    # She makes a campaign of it; had she not written yet, a link there leads to it.
    manager.goto(f"{parlour.url}/campaigns/new")
    manager.get_by_label("Name").fill("Repeat guests, Diwali")
    manager.get_by_role("button", name="Continue").click()
    choose(manager, "segment", "Repeat Customers")
    expect(manager.locator("#outlook")).to_contain_text(re.compile(r"\d"))
    manager.get_by_role("button", name="Continue").click()
    write_one = manager.get_by_role("link", name="write your own")
    expect(write_one).to_have_attribute("href", re.compile(r"/templates/new\?channel=whatsapp&"))
    choose(manager, "template", "Diwali glow")
    expect(manager.locator("#previews")).to_contain_text("आपकी दिवाली की चमक")
    manager.get_by_role("button", name="Continue").click()
    expect(manager).to_have_url(re.compile("/edit/schedule$"))
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

    # Whoever speaks Hindi has the Hindi words on the phone, with her own name in them.
    phone, name = hindi_message(parlour)
    inbox = new_context(chromium, viewport=PHONE).new_page()
    inbox.goto(f"{parlour.sandbox_url}/?to={quote(phone)}")
    expect(inbox.locator("#bubbles li").last).to_contain_text(f"नमस्ते {name}, आपकी दिवाली की चमक")
    manager.goto(f"{parlour.url}/customers?q={quote(phone)}")
    manager.get_by_role("link", name=re.compile(f"^{re.escape(name)} ")).first.click()
    expect(manager.locator("h1")).to_contain_text(name)
    expect(manager.get_by_role("definition").filter(has_text="हिंदी")).to_be_visible()
    manager.goto(campaign_url)

    # Everyone can see why: the sum holds, and each skipped person has a reason.
    seen = figures_on(manager)
    assert sum(seen.states.values()) == seen.audience > 0
    assert len(seen.states) == len(MessageState)
    sentences = {str(sentence) for sentence in REASONS.values()}
    assert seen.left_out
    for sentence, count in seen.left_out.items():
        assert sentence in sentences
        assert count > 0
    assert sum(seen.left_out.values()) == seen.states[str(MessageState.SKIPPED.label)]
