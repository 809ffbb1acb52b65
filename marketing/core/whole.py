"""Done whole or not at all, at the price of one savepoint however many services call each other."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.transaction import Atomic


class _Whole(Atomic):
    """Known apart from blocks that others opened, which may go on after a refusal."""


@contextmanager
def whole() -> Iterator[None]:
    """`transaction.atomic()` that joins the `whole` around it.

    A refusal undoes all of the outermost. Who catches one inside and goes on puts
    `transaction.atomic()` around what may refuse; without it the connection takes no statement
    more.
    """
    joins = any(isinstance(block, _Whole) for block in connection.atomic_blocks)
    with _Whole(connection.alias, not joins, False):
        yield
