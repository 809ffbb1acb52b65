"""The ready-made templates: thirteen occasions on every channel. `services.prebuilt` makes rows of
them, and the page for a new template begins with one."""

import tomllib
from pathlib import Path

from marketing.content.prebuilt.occasion import Contact, Occasion

PREBUILT = tuple(
    Occasion(key=key, **said)
    for key, said in tomllib.loads(
        Path(__file__).with_name("occasions.toml").read_text(encoding="utf-8")
    ).items()
)


def occasion(key: str) -> Occasion | None:
    """The occasion with this key, such as `birthday`."""
    return next((each for each in PREBUILT if each.key == key), None)


__all__ = ["PREBUILT", "Contact", "Occasion", "occasion"]
