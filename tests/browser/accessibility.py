"""What axe finds wrong with an open page."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"runOnly": TAGS, "resultTypes": ["violations"]}
# All that another theme can break.
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
# Colours are judged once they are what they change to, places once the letters are there; axe
# scrolls, and while that is animated a button may lie below a bar for a moment.
SETTLE = """() => document.fonts.ready.then(() => new Promise(done =>
    requestAnimationFrame(() => requestAnimationFrame(() => {
        for (const change of document.getAnimations())
            if (change.effect.getComputedTiming().endTime !== Infinity) change.finish();
        document.documentElement.style.scrollBehavior = "auto";
        done();
    }))))"""
RUN = """rules => axe.run(rules).then(found =>
    found.violations.map(each => [each.id, each.nodes.map(node => node.html)]))"""


def violations(page: Page, rules: dict[str, list[str]] = ALL_RULES) -> list[Any]:
    """Rules that the page breaks, each with the elements that do."""
    page.wait_for_load_state("load")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(SETTLE)
    return page.evaluate(RUN, rules)
