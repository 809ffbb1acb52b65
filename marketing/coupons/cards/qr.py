"""A code as a QR code: what a scanner reads is what somebody would type."""

import io
from collections.abc import Iterator

import segno

# A quarter of it may be scratched or folded.
ERROR = "q"
# Modules of white around it, as the standard asks.
QUIET = 4
MASK = 2


def qr_svg(code: str) -> bytes:
    """A drawing without a size of its own, dark on white."""
    out = io.BytesIO()
    _made(code).save(out, kind="svg", border=QUIET, light="#fff", omitsize=True, title=code)
    return out.getvalue()


def qr_png(code: str, *, module: int = 12) -> bytes:
    """A picture with so many pixels a module."""
    out = io.BytesIO()
    _made(code).save(out, kind="png", border=QUIET, scale=module)
    return out.getvalue()


def qr_bars(code: str) -> tuple[int, list[tuple[int, int, int]]]:
    """How many modules wide it is, and its dark runs: column, row, length."""
    matrix = _made(code).matrix
    return len(matrix), [bar for row, line in enumerate(matrix) for bar in _runs(row, line)]


def _made(code: str) -> segno.QRCode:
    # Any mask may be read; to look for the best of eight would take most of a sheet's time.
    return segno.make_qr(code, error=ERROR, boost_error=False, mask=MASK)


def _runs(row: int, line: bytearray) -> Iterator[tuple[int, int, int]]:
    start = None
    for column, dark in enumerate([*line, 0]):
        if dark and start is None:
            start = column
        elif not dark and start is not None:
            yield start, row, column - start
            start = None
