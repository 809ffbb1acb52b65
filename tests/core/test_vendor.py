"""Vendored files are those listed, and hold every icon a template names."""

import hashlib
import re
from pathlib import Path

from marketing.core.templatetags.ui import icon_names

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
ICON = re.compile(r"""\bicon="([a-z0-9-]+)"|{% icon "([^"]+)"|<c-icon name="([a-z0-9-]+)\"""")


def test_each_file_has_its_listed_digest() -> None:
    listed = dict(re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", _listing(), re.MULTILINE))
    files = [path for path in VENDOR.iterdir() if path.suffix in {".css", ".js", ".svg"}]
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_no_file_points_at_a_source_map() -> None:
    assert [path.name for path in VENDOR.iterdir() if "sourceMappingURL=" in path.read_text()] == []


def test_every_icon_named_in_a_template_is_in_the_sprite() -> None:
    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for found in ICON.findall(path.read_text())
        for name in found
        if name
    }
    assert len(named) > 30
    assert named - icon_names() == set()


def _listing() -> str:
    return (VENDOR / "VENDOR.md").read_text()
