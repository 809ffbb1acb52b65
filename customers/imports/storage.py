"""An uploaded file as parts in the database, written and read without ever holding it whole."""

import io
from collections.abc import Iterable
from typing import Any

from customers.models import ImportJob, ImportPart

PART_BYTES = 1024 * 1024


def keep(job: ImportJob, pieces: Iterable[bytes]) -> None:
    """Store the pieces, of any size, as parts of `PART_BYTES`."""
    number, held = 0, bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= PART_BYTES:
            ImportPart.objects.create(job=job, number=number, content=bytes(held[:PART_BYTES]))
            number, held = number + 1, held[PART_BYTES:]
    if held:
        ImportPart.objects.create(job=job, number=number, content=bytes(held))


def open_stored(job: ImportJob) -> io.BufferedReader:
    """The stored file, to be read and sought like one on disk, within open tenant scopes."""
    return io.BufferedReader(_Parts(job), buffer_size=128 * 1024)


class _Parts(io.RawIOBase):
    """One part is held at a time."""

    def __init__(self, job: ImportJob) -> None:
        self._job, self._at = job, 0
        self._number, self._content = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._job.file_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        number, inside = divmod(self._at, PART_BYTES)
        if self._at >= self._job.file_bytes:
            return 0
        if number != self._number:
            part = ImportPart.objects.get(job=self._job, number=number)
            self._number, self._content = number, bytes(part.content)
        piece = self._content[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
