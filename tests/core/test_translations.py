"""Every sentence of a translation is there, fits its source, and is compiled."""

import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings

CATALOGS = sorted(
    path
    for path in Path(settings.BASE_DIR).glob("**/LC_MESSAGES/*.po")
    if not any(part.startswith(".") for part in path.relative_to(settings.BASE_DIR).parts)
)
MARK = re.compile(r"%\(\w+\)[-+0 #]*\d*(?:\.\d+)?[a-z]")


def read(path: Path) -> Catalog:
    with path.open("rb") as lines:
        return read_po(lines, locale=path.parts[-3])


def forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def sentences(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


@pytest.fixture(params=CATALOGS, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_there_is_a_hindi_catalog() -> None:
    assert Path(settings.BASE_DIR) / "locale/hi/LC_MESSAGES/django.po" in CATALOGS


def test_every_sentence_is_translated(path: Path) -> None:
    assert [m.id for m in sentences(read(path)) if m.fuzzy or not all(forms(m.string))] == []


def test_format_marks_agree_with_the_source(path: Path) -> None:
    """Every form names the number: Hindi's first one is for nought as well as one."""
    assert [
        (message.id, text)
        for message in sentences(read(path))
        for text in forms(message.string)
        if sorted(MARK.findall(text)) != sorted(MARK.findall(forms(message.id)[-1]))
    ] == []


def test_compiled_catalog_is_up_to_date(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as compiled:
        known = gettext.GNUTranslations(compiled)
    stale = [
        message.id
        for message in sentences(read(path))
        for count, text in zip((1, 2), forms(message.string), strict=False)
        if text != compiled_text(known, message, count)
    ]
    assert stale == []


def compiled_text(known: gettext.GNUTranslations, message: Message, count: int) -> str:
    key, many = (*forms(message.id), "")[:2]
    if message.context:
        translate, plural = known.pgettext, known.npgettext
        return (
            plural(message.context, key, many, count) if many else translate(message.context, key)
        )
    return known.ngettext(key, many, count) if many else known.gettext(key)


def test_a_sentence_with_a_context_is_found_by_it(tmp_path: Path) -> None:
    catalog = Catalog(locale="hi")
    catalog.add("March", "मार्च", context="month")
    message = next(sentences(catalog))
    with (tmp_path / "hi.mo").open("w+b") as compiled:
        write_mo(compiled, catalog)
        compiled.seek(0)
        assert compiled_text(gettext.GNUTranslations(compiled), message, 1) == "मार्च"
