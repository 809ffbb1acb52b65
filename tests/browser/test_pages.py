"""The running product's pages: accessible, no wider than the screen; keyboard and no scripts do."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import USES_PARLOUR, Parlour, new_context, with_scripts
from tests.browser.test_story import DESKTOP, PASSWORD, PHONE, log_in

pytestmark = USES_PARLOUR

# An address with <id> is that of the first such link on the page before it.
MANAGERS_PAGES = (
    "/",
    "/campaigns?status=over",
    "/campaigns/<id>",
    "/campaigns/<id>/people/<id>",
    "/campaigns",
    "/campaigns/new",
    "/campaigns/calendar",
    "/campaigns/festivals",
    "/spend",
    "/followups",
    "/followups/inactive",
    "/referrals",
    "/referrals/review",
    "/referrals/leaderboard",
    "/notifications",
    "/me",
    "/campaigns?status=drafts",
    "/campaigns/<id>",
    "/campaigns/<id>/edit/review",
    "/campaigns/<id>/edit/details",
    "/campaigns/<id>/edit/audience",
    "/campaigns/<id>/edit/message",
    "/campaigns/<id>/edit/schedule",
    "/customers",
    "/customers/<id>",
    "/customers/<id>/consent/proof",
    "/customers",
    "/customers/<id>",
    "/customers/<id>/merge",
    "/customers/<id>",
    "/customers/<id>/edit",
    "/customers/new",
    "/customers/export",
    "/customers/duplicates",
    "/customers/imports",
    "/customers/imports/new",
    "/segments/new",
    "/segments",
    "/segments/<id>",
    "/segments/<id>/export",
    "/templates",
    "/templates/<id>",
    "/settings",
    "/offers/new?start=spend_tiers",
    "/offers/stacking",
    "/offers",
    "/offers/<id>",
    "/offers/<id>/redemptions",
    "/offers/<id>/codes",
    "/points",
)
OWNERS_PAGES = (
    "/referrals/settings",
    "/approvals/decided",
    "/me/away",
    "/approvals",
    "/campaigns/<id>",
    "/segments/new/list",
    "/templates/new",
    "/templates/new?channel=whatsapp",
    "/templates/ready?channel=email",
    "/settings/hours",
    "/settings/budget",
    "/settings/approval",
    "/settings/counter",
    "/settings/links",
    "/settings/scores",
    "/settings/accounts",
    "/settings/accounts/<id>",
    "/settings/accounts/new/meta",
    "/settings/prices",
    "/settings/webhooks",
    "/settings/staff",
    "/settings/staff/<id>",
    "/settings/staff/new",
    "/settings/keys",
    "/settings/audit",
    "/operations",
    "/received",
    "/failures",
    "/points/settings",
    "/points/tiers/new",
    "/points",
    "/customers/<id>/points",
)
RECEPTIONISTS_PAGES = (
    *("/", "/campaigns", "/campaigns/<id>", "/customers", "/customers/<id>"),
    *("/offers", "/offers/<id>", "/counter", "/counter/bills", "/counter/<id>"),
)
# Resolved once the new colours are on the screen.
DARK = """() => {
    document.documentElement.dataset.bsTheme = 'dark';
    return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
CUSTOMER = re.compile("^/customers/([0-9a-f-]{36})$")
LINKS = "links => links.map(link => link.getAttribute('href'))"


def visit(page: Page, base: str, path: str) -> Response:
    """Open the page and wait until its parts have been fetched."""
    if "<id>" in path:
        kind = re.compile(path.replace("<id>", "[0-9a-f-]{36}") + r"(\?run=\d+)?")
        found = list(filter(kind.fullmatch, page.locator("main a[href]").evaluate_all(LINKS)))
        assert found, f"{page.locator('main').inner_text()} leads to no {path}"
        path = found[0]
    response = page.goto(base + path)
    with_scripts(page)
    assert response is not None
    return response


@pytest.mark.parametrize(
    ("username", "paths"),
    [
        ("manager.bandra", MANAGERS_PAGES),
        ("owner", OWNERS_PAGES),
        ("reception.bandra", RECEPTIONISTS_PAGES),
    ],
    ids=["manager", "owner", "receptionist"],
)
def test_pages_are_accessible_and_fit(
    chromium: Browser, parlour: Parlour, username: str, paths: tuple[str, ...]
) -> None:
    page = log_in(chromium, parlour, username, DESKTOP)
    page.emulate_media(reduced_motion="reduce")
    wrong: list[object] = []
    page.on(
        "console",
        lambda said: wrong.append((page.url, said.text)) if said.type == "error" else None,
    )
    judged = set()
    for path in paths:
        response = visit(page, parlour.url, path)
        assert response.status == 200, path
        if page.url not in judged:  # Some pages are gone through again for their links.
            wrong += faults(page, path)
        judged.add(page.url)
    assert wrong == []


def faults(page: Page, path: str) -> list[object]:
    """What is wrong with the open page on a desktop, and on a phone in the dark.

    Each width and each theme is looked at once: colours do not depend on the width.
    """
    wrong: list[object] = []
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((path, size["width"], "overflows"))
        if size is PHONE:
            page.evaluate(DARK)
        wrong += [(path, size["width"], *each) for each in violations(page)]
    return wrong


def test_two_customers_side_by_side_are_accessible_and_fit(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    visit(page, parlour.url, "/customers")
    links = page.locator("main a[href]").evaluate_all(LINKS)
    keep, other = [pk for link in links for pk in CUSTOMER.findall(link)][:2]
    visit(page, parlour.url, f"/customers/{keep}/merge/{other}")
    expect(page.locator(".compare-row").first).to_be_visible()
    assert faults(page, "merge") == []


def test_her_own_page_is_accessible_and_fits(chromium: Browser, parlour: Parlour) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    for path in ("/customers", "/customers/<id>", "/customers/<id>/consent/proof"):
        visit(page, parlour.url, path)
    page.get_by_role("link", name="Open or copy the link").click()
    expect(page.locator("form.preferences")).to_be_visible()
    assert faults(page, "preferences") == []


def test_one_list_is_taken_away_as_two_files(chromium: Browser, parlour: Parlour) -> None:
    page = log_in(chromium, parlour, "manager.bandra", PHONE)
    visit(page, parlour.url, "/customers/export")
    for kind, ending in (("CSV", ".csv"), ("Excel", ".xlsx")):
        with page.expect_download() as taken:
            page.get_by_role("button", name=kind).click()
        assert taken.value.suggested_filename.endswith(ending)
        expect(page.locator("[aria-busy]")).to_have_count(0)


def test_a_page_with_tabs_begins_at_its_top_and_shows_the_tab_one_is_on(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "owner", PHONE)
    visit(page, parlour.url, "/templates")
    page.locator("main a[href^='/templates/']", has_text="Birthday wishes").first.click()
    expect(page.locator(".tab-bar [aria-current]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("scrollY") == 0
    visit(page, parlour.url, "/settings/audit")
    expect(page.locator(".tab-bar [aria-current]")).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("path", ["/login", "/password/reset", "/u/no-such-link"])
def test_pages_without_a_login_are_accessible(
    chromium: Browser, parlour: Parlour, path: str
) -> None:
    page = new_context(chromium, viewport=PHONE).new_page()
    page.goto(parlour.url + path)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert violations(page) == []


def test_a_list_that_must_be_chosen_from_is_pointed_at(chromium: Browser, parlour: Parlour) -> None:
    page = log_in(chromium, parlour, "manager.bandra", PHONE)
    page.goto(f"{parlour.url}/campaigns/new")
    page.get_by_label("Name").fill("Nobody chosen")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/edit/audience$"))
    chooser = page.get_by_role("combobox", name="Who gets it")
    # Until the script has come it is a plain list.
    expect(chooser).to_have_attribute("aria-autocomplete", "list")
    page.get_by_role("button", name="Continue").click()
    expect(chooser).to_be_focused()
    expect(page).to_have_url(re.compile("/edit/audience$"))
    chooser.fill("Repeat")
    chooser.press("Enter")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/edit/message$"))


def test_first_step_of_a_campaign_by_keyboard_alone(chromium: Browser, parlour: Parlour) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    page.goto(f"{parlour.url}/campaigns/new")

    def tab_to(name: str) -> None:
        for _press in range(40):
            page.keyboard.press("Tab")
            if (
                page.evaluate("document.activeElement.name || document.activeElement.innerText")
                == name
            ):
                return
        pytest.fail(f"Tab never reaches {name}")

    tab_to("name")
    page.keyboard.type("Typed and tabbed")
    tab_to("channel")
    page.keyboard.press("ArrowDown")
    tab_to("Continue")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/edit/audience$"))
    expect(page.locator("h1")).to_have_text("Typed and tabbed")
    page.goto(page.url.replace("audience", "details"))
    expect(page.get_by_label("SMS", exact=True)).to_be_checked()


@pytest.fixture
def without_scripts(chromium: Browser, parlour: Parlour) -> Iterator[BrowserContext]:
    context = new_context(chromium, viewport=PHONE, java_script_enabled=False)
    yield context
    context.close()


def test_campaign_is_drafted_without_scripts(
    without_scripts: BrowserContext, parlour: Parlour
) -> None:
    page = without_scripts.new_page()
    page.goto(f"{parlour.url}/login?next=/campaigns/new")
    page.get_by_label("Username").fill("manager.bandra")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.get_by_label("Name").fill("Without scripts")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Who gets it").select_option(label="Repeat Customers")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Message").select_option(label="Festival greetings")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("At a set time").check()
    page.locator("[name=date]").fill("2099-01-31")
    page.locator("[name=time]").fill("11:00")
    page.get_by_role("button", name="Continue").click()

    review = page.locator("main")
    expect(review).to_contain_text("Repeat Customers")
    expect(review).to_contain_text("Festival greetings")
    expect(review).to_contain_text("31 Jan 2099")
    page.get_by_role("link", name="Not yet").click()
    expect(page.locator("h1")).to_have_text("Without scripts")
    expect(page.locator(".campaign-state")).to_contain_text("Draft")
