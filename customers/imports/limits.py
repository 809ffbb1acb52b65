"""How much one file may bring, and the refusal of one that cannot be read."""

from django.utils.translation import gettext_lazy as _

MAX_BYTES = 1024**3
MAX_COLUMNS = 200
MAX_ROWS = 1_000_000
MAX_CELL = 5_000
TOO_LARGE = _("The file is larger than 1 GB. Cut it in two.")


class UnreadableFile(ValueError):
    """The whole file is refused; the sentence says why, and where when that is known."""
