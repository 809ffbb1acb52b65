"""The same work by several threads at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def at_once(
    threads: int, work: Callable[[], Any], refusal: type[Exception] | tuple[()] = ()
) -> list[Any]:
    """What each thread's `work` gave, or the `refusal` it raised; they begin together."""
    barrier = threading.Barrier(threads)

    def one(_: int) -> Any:
        try:
            barrier.wait()
            return work()
        except refusal as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
