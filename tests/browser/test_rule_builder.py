"""The rule builder with scripts and without: dragging, the keyboard, the live count."""

import re

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import USES_PARLOUR, Parlour, new_context
from tests.browser.test_story import DESKTOP, PASSWORD, PHONE, log_in

pytestmark = USES_PARLOUR

FIELDS = "selects => selects.map(select => `${select.name} ${select.value}`)"
ACTIVE = "document.activeElement.getAttribute('aria-label')"


def rules(page: Page) -> list[str]:
    """Path and field of each condition, in order."""
    found = page.locator("#builder .rule-field").evaluate_all(FIELDS)
    return [each.removeprefix("rules.conditions.").replace(".field", "") for each in found]


def expect_new_page(page: Page, *expected: str) -> None:
    """Without scripts: a page comes whole, and its last condition was not on the former one."""
    last = expected[-1].split()[0].replace(".", "-")
    expect(page.locator(f"#rules-conditions-{last}-field")).to_be_visible()
    assert rules(page) == list(expected)


def expect_rules(page: Page, *expected: str) -> None:
    expect(page.locator("#builder .rule-field")).to_have_count(len(expected))
    last = expected[-1].split()[0].replace(".", "-")
    expect(page.locator(f"#rules-conditions-{last}-field")).to_be_visible()
    page.wait_for_function(
        "expected => JSON.stringify(expected) === JSON.stringify("
        "[...document.querySelectorAll('#builder .rule-field')].map(s => `${s.name} ${s.value}`))",
        arg=[
            f"rules.conditions.{path}.field {field}"
            for path, field in (each.split() for each in expected)
        ],
    )
    assert rules(page) == list(expected)


def test_dragging_and_keys_move_conditions(chromium: Browser, parlour: Parlour) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    page.goto(f"{parlour.url}/segments/new")
    page.locator("#rules-conditions-0-field").select_option("total_spend")
    expect_rules(page, "0 total_spend")
    page.get_by_role("button", name="Add group").click()
    expect_rules(page, "0 total_spend", "1.conditions.0 last_visit_days")

    # Dropped below the middle of the group's only condition, it comes after that.
    inner = page.locator("#rules-conditions-1-conditions-0")
    box = inner.bounding_box()
    assert box
    page.locator("#rules-conditions-0 [data-grip]").drag_to(
        inner, target_position={"x": 80, "y": box["height"] - 6}
    )
    expect_rules(page, "0.conditions.0 last_visit_days", "0.conditions.1 total_spend")
    expect(page.locator("#rules-conditions-0-conditions-1 [data-grip]")).to_be_focused()

    page.keyboard.press("ArrowUp")
    expect_rules(page, "0.conditions.0 total_spend", "0.conditions.1 last_visit_days")
    expect(page.locator("#rules-conditions-0-conditions-0 [data-grip]")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect_rules(page, "0.conditions.0 last_visit_days", "1 total_spend")
    expect(page.locator("#rules-conditions-1 > .rule-moves [data-grip]")).to_be_focused()
    assert page.evaluate(ACTIVE) == "Move 2: drag it, or press an arrow key"
    page.keyboard.press("ArrowRight")
    expect_rules(page, "0.conditions.0 last_visit_days", "0.conditions.1 total_spend")
    # A key that fits nothing does nothing.
    page.keyboard.press("ArrowDown")
    expect_rules(page, "0.conditions.0 last_visit_days", "0.conditions.1 total_spend")


def test_what_is_typed_before_the_first_count_is_there_is_counted(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "manager.bandra", PHONE)
    held: list[Route] = []
    page.route("**/segments/preview", lambda route: held.append(route), times=1)
    with page.expect_request("**/segments/preview"):
        page.goto(f"{parlour.url}/segments/new")
    page.locator("#rules-conditions-0-value").fill("7")
    held[0].continue_()
    expect(page.locator("#preview")).to_contain_text("more than 7 days ago")


def test_what_changes_while_the_rules_are_drawn_anew_is_kept(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    page.goto(f"{parlour.url}/segments/new")
    held: list[Route] = []
    page.route("**/segments/new", lambda route: held.append(route), times=1)
    with page.expect_request("**/segments/new"):
        page.get_by_role("button", name="Add condition").click()
    page.locator("#rules-conditions-0-op").select_option("lt")
    page.locator("#rules-conditions-0-value").fill("7")
    held[0].continue_()
    expect_rules(page, "0 last_visit_days", "1 last_visit_days")
    expect(page.locator("#rules-conditions-0-op")).to_have_value("lt")
    expect(page.locator("#rules-conditions-0-value")).to_have_value("7")


def test_what_is_typed_while_another_field_is_chosen_waits_for_it(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    page.goto(f"{parlour.url}/segments/new")
    held: list[Route] = []
    page.route("**/segments/new", lambda route: held.append(route), times=1)
    with page.expect_request("**/segments/new"):
        page.locator("#rules-conditions-0-field").select_option("total_spend")
    value = page.locator("#rules-conditions-0-value")
    value.fill("7")
    held[0].continue_()
    # A sum of money, no longer a number of days.
    expect(value).to_have_attribute("inputmode", "decimal")
    expect_rules(page, "0 total_spend")


def test_a_button_pressed_while_the_rules_are_drawn_anew_does_its_work(
    chromium: Browser, parlour: Parlour
) -> None:
    page = log_in(chromium, parlour, "manager.bandra", DESKTOP)
    page.goto(f"{parlour.url}/segments/new")
    page.route("**/segments/new", lambda _never_answered: None, times=1)
    with page.expect_request("**/segments/new"):
        page.locator("#rules-conditions-0-field").select_option("total_spend")
    page.get_by_role("button", name="Add group").click()
    expect_rules(page, "0 total_spend", "1.conditions.0 last_visit_days")


def test_the_count_follows_what_is_typed(chromium: Browser, parlour: Parlour) -> None:
    page = log_in(chromium, parlour, "manager.bandra", PHONE)
    page.goto(f"{parlour.url}/segments/new")
    preview = page.locator("#preview")
    page.locator("#rules-conditions-0-field").select_option("visit_count")
    expect(preview).to_contain_text("number of visits")
    page.locator("#rules-conditions-0-op").select_option("gte")
    # The rules are drawn anew first.
    expect(preview).to_contain_text("number of visits is at least 1.")
    value = page.locator("#rules-conditions-0-value")
    value.fill("0")
    expect(preview).to_contain_text("Everybody whose number of visits is at least 0.")
    expect(preview.locator("[lang=hi]")).to_contain_text(re.compile("[\u0900-\u097f]"))
    expect(preview).to_contain_text("What it costs to reach them")
    expect(preview.locator(".sample-reason").first).to_contain_text("Number of visits: ")
    expect(preview.locator(".reach tbody tr")).to_have_count(3)

    chooser = page.get_by_role("combobox", name="Compare with")
    chooser.fill("Repeat")
    chooser.press("Enter")
    expect(page.locator("#overlap")).to_contain_text("In both")

    value.fill("many")
    expect(page.locator("#rules-conditions-0-error")).to_have_text("Enter a number.")
    expect(preview).to_contain_text("Mend the marked conditions")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_building_without_scripts(chromium: Browser, parlour: Parlour) -> None:
    context = new_context(chromium, viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{parlour.url}/login?next=/segments/new")
    page.get_by_label("Username").fill("manager.bandra")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Add group").click()
    expect_new_page(page, "0 last_visit_days", "1.conditions.0 last_visit_days")
    expect(page.locator("[data-grip]").first).not_to_be_visible()
    page.get_by_role("button", name="Move 1 into the group beside it").click()
    expect_new_page(page, "0.conditions.0 last_visit_days", "0.conditions.1 last_visit_days")
    page.get_by_role("button", name="Move 1.2 out of its group").click()
    expect_new_page(page, "0.conditions.0 last_visit_days", "1 last_visit_days")
    page.get_by_label("Compare with").select_option(label="Repeat Customers")
    page.get_by_role("button", name="Count now").last.click()
    expect(page.locator("#preview")).to_contain_text("What it costs to reach them")
    expect(page.locator("#overlap")).to_contain_text("In both")
    context.close()
