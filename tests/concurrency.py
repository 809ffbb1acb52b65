"""The same work by several threads at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connection

from marketing.core.tenancy import tenant_scope

# Seconds. Nothing is judged by its speed: this only ends what would never come.
PATIENCE = 60.0


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


def wait_for_me(work: Callable[[], Any], pool: ThreadPoolExecutor) -> Future[Any]:
    """Start `work` in a thread; returns when it waits for a lock of this connection, or is done."""

    def closing() -> Any:
        try:
            return work()
        finally:
            connection.close()

    future = pool.submit(closing)
    with connection.cursor() as cursor:
        while not future.done():
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted"
                " AND pg_backend_pid() = ANY(pg_blocking_pids(l.pid)))"
            )
            if cursor.fetchone() == (True,):
                break
            time.sleep(0.01)
    return future


def beside(chain: Any, mine: Callable[[], Any], others: Callable[[], Any]) -> tuple[Any, bool]:
    """Do `mine`, and before it is committed the other's: what that gave, and whether at once.

    Else it waited for what was done here.
    """

    def other() -> Any:
        with tenant_scope(chain.tenant.pk):
            return others()

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            mine()
            future = wait_for_me(other, pool)
            was_at_once = future.done()
        return future.result(), was_at_once
