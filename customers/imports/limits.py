"""How much one file may bring, and the refusal of one that cannot be read."""

MAX_BYTES = 1024**3
MAX_COLUMNS = 200
MAX_ROWS = 1_000_000
MAX_CELL = 5_000


class UnreadableFile(ValueError):
    """The whole file is refused; the sentence says why, and where when that is known."""
