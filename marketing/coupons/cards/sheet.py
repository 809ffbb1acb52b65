"""Cards of codes as a PDF to print: one by itself, or ten on each A4 page.

Measures are millimetres. Latin, Devanagari and Bengali letters are joined as they are written;
what no font has (emoji) is left out.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import uharfbuzz
from fpdf import FPDF

from marketing.coupons.cards.qr import qr_bars

FONTS = Path(__file__).resolve().parent.parent / "fonts"
FAMILIES = ("NotoSans", "NotoSansDevanagari", "NotoSansBengali")
BLOCKS = {"NotoSansDevanagari": range(0x0900, 0x0980), "NotoSansBengali": range(0x0980, 0x0A00)}
WIDTH, HEIGHT = 90.0, 54.0
COLUMNS, ROWS = 2, 5
ON_A_PAGE = COLUMNS * ROWS
LEFT, TOP = 15.0, 13.5
PADDING = 6.0
QR = 30.0
INK, SOFT, EDGE = 20, 95, 190
# Style and size in points.
Kind = tuple[str, float]
BIG: Kind = ("B", 12.5)
SMALL: Kind = ("", 9.0)
TINY: Kind = ("", 8.0)
WEIGHTS = {"": "400Regular", "B": "600SemiBold"}
# Zero-width joiner and non-joiner say how the letters beside them are written.
JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What stands on a card; `code` in the groups in which it is read out."""

    chain: str
    offer: str
    code: str
    validity: str


def card_pdf(card: Card) -> bytes:
    """One page of a card's own size."""
    pdf = _document((WIDTH, HEIGHT))
    pdf.add_page()
    _draw(pdf, card, 0, 0)
    return bytes(pdf.output())


def sheet_pdf(cards: Iterable[Card]) -> bytes:
    """A4 pages of ten cards with edges to cut along."""
    pdf = _document("A4")
    for place, card in enumerate(cards):
        if place % ON_A_PAGE == 0:
            pdf.add_page()
        row, column = divmod(place % ON_A_PAGE, COLUMNS)
        x, y = LEFT + column * WIDTH, TOP + row * HEIGHT
        _draw(pdf, card, x, y)
        pdf.set_draw_color(EDGE)
        pdf.set_line_width(0.1)
        pdf.rect(x, y, WIDTH, HEIGHT)
    return bytes(pdf.output())


def _document(page: str | tuple[float, float]) -> FPDF:
    pdf = FPDF(unit="mm", format=page)
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    return pdf


def _set_font(pdf: FPDF, family: str, kind: Kind) -> None:
    """Latin letters stand side by side as they are; to join them too would take long."""
    style, _size = kind
    if f"{family.lower()}{style}" not in pdf.fonts:
        pdf.add_font(family, style, FONTS / f"{family}_{WEIGHTS[style]}.ttf")
    pdf.set_font(family, *kind)
    pdf.set_text_shaping(family != FAMILIES[0])


def _draw(pdf: FPDF, card: Card, x: float, y: float) -> None:
    beside = WIDTH - 2 * PADDING - QR - 3
    left = x + PADDING
    pdf.set_text_color(SOFT)
    _write(pdf, [_cut(pdf, card.chain, WIDTH - 2 * PADDING, SMALL)], left, y + PADDING, SMALL)
    pdf.set_text_color(INK)
    _write(pdf, _wrapped(pdf, card.offer, beside, BIG, 3), left, y + PADDING + 7, BIG)
    lines, kind = _fitted(pdf, card.code, beside)
    _write(pdf, lines, left, y + HEIGHT - PADDING - 5.5 - 5.5 * len(lines), kind)
    pdf.set_text_color(SOFT)
    lines = _wrapped(pdf, card.validity, beside, TINY, 2)
    _write(pdf, lines, left, y + HEIGHT - PADDING - 3.5 * len(lines), TINY)
    _qr(pdf, card.code, x + WIDTH - PADDING - QR, y + HEIGHT - PADDING - QR)


def _runs(text: str) -> list[tuple[str, str]]:
    """The text in pieces of one font each; signs and digits go with the letters before them."""
    made: list[tuple[str, str]] = []
    for sign in text:
        before = made[-1][0] if made else FAMILIES[0]
        family = _family(sign, before)
        if made and before == family:
            made[-1] = family, made[-1][1] + sign
        else:
            made.append((family, sign))
    return made


def _family(sign: str, before: str) -> str:
    """The font for a sign that follows one of the font `before`."""
    if sign in JOINERS:
        return before
    # Noto Sans has Devanagari too; and a danda ends Bengali sentences as well.
    script = next((name for name, block in BLOCKS.items() if ord(sign) in block), "")
    if script and unicodedata.category(sign) != "Po":
        return script
    has = [each for each in FAMILIES if ord(sign) in _known(each)]
    if before in has and not sign.isalpha():
        return before
    return has[0] if has else before


def _width(pdf: FPDF, text: str, kind: Kind) -> float:
    wide = 0.0
    for family, piece in _runs(text):
        _set_font(pdf, family, kind)
        wide += pdf.get_string_width(piece)
    return wide


def _write(pdf: FPDF, lines: Sequence[str], x: float, y: float, kind: Kind) -> None:
    """Lines below one another, the first one's top at `y`."""
    height = kind[1] * 0.46
    for place, line in enumerate(lines):
        pdf.set_xy(x, y + place * height)
        for family, piece in _runs(line):
            _set_font(pdf, family, kind)
            pdf.cell(pdf.get_string_width(piece), height, piece)


def _wrapped(pdf: FPDF, text: str, width: float, kind: Kind, most: int) -> list[str]:
    """Words over at most so many lines; the last one is cut."""
    made = [""]
    for word in printable(text).split():
        longer = f"{made[-1]} {word}".strip()
        if not made[-1] or len(made) == most or _width(pdf, longer, kind) <= width:
            made[-1] = longer
        else:
            made.append(word)
    return [_cut(pdf, line, width, kind) for line in made if line]


def _fitted(pdf: FPDF, code: str, width: float) -> tuple[list[str], Kind]:
    """The whole code, always: over two lines, and smaller, where it is too wide."""
    style, size = BIG
    lines = [code]
    if _width(pdf, code, BIG) > width / 0.75:
        middle = len(code) // 2
        hyphens = [place + 1 for place, sign in enumerate(code[:-1]) if sign == "-"]
        at = min(hyphens, key=lambda place: abs(place - middle), default=middle)
        lines = [code[:at], code[at:]]
    wide = max(_width(pdf, line, BIG) for line in lines)
    return lines, (style, size * min(1.0, width / wide))


def _cut(pdf: FPDF, text: str, width: float, kind: Kind) -> str:
    text = printable(text)
    if _width(pdf, text, kind) <= width:
        return text
    while text and _width(pdf, f"{text}…", kind) > width:
        text = text[:-1]
    # Not between a letter and the sign that belongs to it.
    while text and unicodedata.category(text[-1]) in ("Mn", "Mc"):
        text = text[:-1]
    return f"{text.rstrip()}…"


def _qr(pdf: FPDF, code: str, x: float, y: float) -> None:
    wide, bars = qr_bars(code)
    module = QR / wide * pdf.k
    left, top = x * pdf.k, (pdf.h - y) * pdf.k
    # One path: `pdf.rect` for each bar would take most of a sheet's time.
    path = [
        f"{left + column * module:.3f} {top - (row + 1) * module:.3f}"
        f" {length * module:.3f} {module:.3f} re"
        for column, row, length in bars
    ]
    pdf._out(f"q 0 g {' '.join(path)} f Q")


def printable(text: str) -> str:
    """The text without what none of the fonts has."""
    known = [
        sign
        for sign in unicodedata.normalize("NFC", text)
        if sign in JOINERS or sign.isspace() or _has_letter(sign)
    ]
    return " ".join("".join(known).split())


def _has_letter(sign: str) -> bool:
    # Fonts say that they have control signs too.
    return not unicodedata.category(sign).startswith("C") and any(
        ord(sign) in _known(family) for family in FAMILIES
    )


@cache
def _known(family: str) -> frozenset[int]:
    path = FONTS / f"{family}_400Regular.ttf"
    return frozenset(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))).unicodes)
