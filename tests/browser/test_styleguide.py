"""Every component in Chromium: axe finds nothing, the CSP holds, the scripts do their work."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import ALL_RULES, COLOURS, violations
from tests.browser.conftest import new_context
from tests.factories.core import make_chain

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
Open = Callable[..., Page]


@pytest.fixture
def session_cookie(transactional_db: None, settings: Any) -> str:
    settings.ROOT_URLCONF = "tests.browser.styleguide_urls"
    client = Client()
    client.force_login(make_chain().manager.user, "django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


@pytest.fixture
def complaints() -> list[str]:
    """What pages wrote to the console, broken rules of the CSP among it."""
    return []


@pytest.fixture
def open_page(
    session_cookie: str, live_server: Any, chromium: Browser, complaints: list[str]
) -> Iterator[Open]:
    """Open an address as a branch manager; at the end no page may have complained."""

    def opened(
        path: str = "/styleguide",
        size: str = "desktop",
        theme: str = "light",
        language: str = "en",
        scripts: bool = True,
    ) -> Page:
        width, height = SIZES[size]
        context = new_context(
            chromium,
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=scripts,
            base_url=live_server.url,
        )
        cookies = {"sessionid": session_cookie, "django_language": language}
        context.add_cookies(
            [{"name": key, "value": cookies[key], "url": live_server.url} for key in cookies]
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield opened
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "hi"])
def test_axe_finds_nothing(open_page: Open, language: str) -> None:
    for theme, rules in (("light", ALL_RULES), ("dark", COLOURS)):
        page = open_page(theme=theme, language=language)
        for width, height in SIZES.values():
            page.set_viewport_size({"width": width, "height": height})
            assert violations(page, rules) == [], (theme, width)
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_axe_would_find_pale_text(open_page: Open) -> None:
    page = open_page()
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    assert [rule for rule, _elements in violations(page)] == ["color-contrast"]


def test_theme_is_kept_and_wins_over_the_device(open_page: Open) -> None:
    page = open_page(theme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".side-me summary").click()
    page.locator(".side-me").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.url.endswith("/styleguide")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_confirmed_form_posts_once_and_only_after_yes(open_page: Open) -> None:
    page = open_page()
    page.route("**/styleguide", lambda route: route.fulfill(status=204))
    posts: list[str] = []
    # Icons may still be loading: only what the form sends counts.
    page.on("request", lambda r: posts.append(r.method) if r.resource_type == "document" else None)
    page.locator("form[data-confirm]").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Cancel this campaign?")
    dialog.get_by_role("button", name="Back").click()
    expect(dialog).to_be_hidden()
    assert posts == []
    page.locator("form[data-confirm]").get_by_role("button").click()
    with page.expect_request("**/styleguide"):
        dialog.get_by_role("button", name="Cancel campaign").click()
    assert posts == ["POST"]


def test_a_form_that_was_drawn_anew_meanwhile_posts_what_was_confirmed(open_page: Open) -> None:
    page = open_page()
    page.route("**/styleguide", lambda route: route.fulfill(status=204))
    form = page.locator("form[data-confirm]")
    form.get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Cancel this campaign?")
    expect(dialog).to_be_visible()
    # As the pages do that renew themselves.
    form.evaluate("form => form.replaceWith(form.cloneNode(true))")
    with page.expect_request("**/styleguide") as sent:
        dialog.get_by_role("button", name="Cancel campaign").click()
    assert sent.value.method == "POST"


def test_confirmed_form_without_scripts_posts_only_when_ticked(open_page: Open) -> None:
    page = open_page(size="phone", scripts=False)
    page.route("**/styleguide", lambda route: route.fulfill(status=204))
    posts: list[str] = []
    page.on("request", lambda r: posts.append(r.method) if r.resource_type == "document" else None)
    form = page.locator("form[data-confirm]")
    form.get_by_role("button").click()
    sure = form.get_by_role("checkbox", name="Yes: Cancel campaign")
    expect(sure).to_be_focused()
    assert posts == []
    sure.check()
    with page.expect_request("**/styleguide"):
        form.get_by_role("button").click()
    assert posts == ["POST"]


def test_dialog_opens_and_closes_by_keyboard(open_page: Open) -> None:
    page = open_page()
    button = page.get_by_role("button", name="Open a dialog")
    button.press("Enter")
    expect(page.get_by_role("dialog", name="Send a test")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Send a test")).to_be_hidden()
    expect(button).to_be_focused()


def test_chips_send_a_comma_separated_text(open_page: Open) -> None:
    page = open_page()
    field = page.get_by_label("Promised to")
    field.fill("vip")
    field.press("Enter")
    page.get_by_role("button", name="× bride").click()
    expect(page.locator("input[name=words]")).to_have_value("colour, vip")


def test_searchable_select_narrows_and_chooses(open_page: Open) -> None:
    page = open_page()
    field = page.locator("#id_branch")
    field.fill("and")
    expect(page.locator(".combo-list").get_by_role("option")).to_have_text(["Bandra", "Andheri"])
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("Andheri")
    chosen = "document.querySelector('#id_branch').closest('.field').querySelector('select').value"
    assert page.evaluate(chosen) == "Andheri"


def test_multiple_select_keeps_focus_while_choosing(open_page: Open) -> None:
    page = open_page()
    field = page.locator("#id_tags")
    for name in ["bride", "vip"]:
        field.fill(name)
        field.press("Enter")
        expect(field).to_be_focused()
    expect(page.locator(".chips-box", has=field).locator(".chip")).to_have_text(["bride", "vip"])


def test_a_refused_request_becomes_a_toast(open_page: Open, complaints: list[str]) -> None:
    page = open_page()
    answer = "<html><body><p data-reason>Somebody was faster.</p></body></html>"
    page.route("**/refused", lambda route: route.fulfill(status=409, body=answer))
    page.evaluate("htmx.ajax('GET', '/refused', {target: '#sample-results'})")
    expect(page.locator("#toasts")).to_contain_text("Somebody was faster.")
    expect(page.locator("#sample-results")).to_contain_text("No campaigns yet")
    assert len(complaints) == 2  # the browser and HTMX both report the 409
    complaints.clear()


def test_a_swapped_in_part_is_enhanced(open_page: Open) -> None:
    page = open_page()
    part = "<div id='sample-results'><input name='late' id='late' value='a, b' data-chips></div>"
    page.route("**/part", lambda route: route.fulfill(body=part, content_type="text/html"))
    page.evaluate("htmx.ajax('GET', '/part', {target: '#sample-results', swap: 'outerHTML'})")
    expect(page.locator("#sample-results .chip")).to_have_text(["a", "b"])


def test_a_part_that_renews_itself_keeps_the_focus(open_page: Open) -> None:
    page = open_page()
    part = "<div id='sample-results'><button>Stop</button><a href='#'>More</a><a href='#'>More</a>"
    page.route("**/part", lambda route: route.fulfill(body=part, content_type="text/html"))
    renew = "htmx.ajax('GET', '/part', {target: '#sample-results', swap: 'outerHTML'})"
    page.evaluate(renew)
    page.get_by_role("link", name="More").last.focus()
    for _time in range(2):
        page.locator("#sample-results").evaluate("part => part.dataset.old = true")
        page.evaluate(renew)
        expect(page.locator("#sample-results[data-old]")).to_have_count(0)
        expect(page.get_by_role("link", name="More").last).to_be_focused()


def test_works_without_scripts(open_page: Open) -> None:
    page = open_page(scripts=False)
    expect(page.get_by_role("button", name="Apply")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the code")).to_be_hidden()
    page.get_by_role("button", name="Open a dialog").click()
    expect(page.get_by_role("dialog", name="Send a test")).to_be_visible()
