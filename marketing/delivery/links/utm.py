"""Telling a web site where its visitors come from."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def slug(name: str) -> str:
    """A name as web statistics write it: `Diwali 2026` is `diwali-2026`."""
    return "-".join(name.lower().split())


def with_utm(url: str, values: Mapping[str, str]) -> str:
    """The link with `utm_…` values added; what it says itself stays, and so does its order."""
    parts = urlsplit(url)
    said = {name.lower() for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode({name: value for name, value in values.items() if value and name not in said})
    query = "&".join(part for part in (parts.query, added) if part)
    return urlunsplit(parts._replace(query=query))
