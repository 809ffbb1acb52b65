"""Requests to the web server that are due by the clock, and what answering them took."""

from collections.abc import Sequence
from typing import Any

from bench import ground, load, machine, product


def send(
    web: product.Web,
    path: str,
    lines: Sequence[str],
    connections: int,
    rate: float,
    kinds: Sequence[str] = (),
) -> dict[str, Any]:
    """`rate` requests a second, whether or not the ones before were answered.

    `kinds` names what comes in turn among the lines; the times of each are told apart.
    """
    before = web.cpu_seconds()
    with machine.watched() as watched:
        told = load.send(web.port, path, lines, connections, rate)
    cpu = web.cpu_seconds() - before
    requests = len(lines)
    return {
        "n": requests,
        "seconds": round(told["seconds"], 1),
        **({"busy": told["busy"]} if told["busy"] else {}),
        "requests_per_s": round(requests / told["seconds"]),
        "p50_ms": told["p50_ms"],
        "p95_ms": told["p95_ms"],
        "p99_ms": told["p99_ms"],
        "max_ms": told["max_ms"],
        "cpu_ms": round(cpu / requests * 1000, 3),
        "database_cpu_ms": watched.database and round(watched.database / requests * 1000, 3),
        "foreign_cpu": watched.foreign_share,
        **({"kinds": _apart(told["each_ms"], lines, kinds)} if kinds else {}),
    }


def _apart(
    each_ms: Sequence[float], lines: Sequence[str], kinds: Sequence[str]
) -> dict[str, dict[str, float]]:
    if len(each_ms) != len(lines):
        raise RuntimeError(f"{len(each_ms)} of {len(lines)} requests were answered")
    return {
        kind: load.times(took / 1000 for took in each_ms[place :: len(kinds)])
        for place, kind in enumerate(kinds)
    }


def require_rows(table: str, requests: int) -> None:
    """What was answered must be there, a row a request; then it is thrown away."""
    with ground.admin() as server:
        row = server.execute(f"SELECT count(*) FROM {table}").fetchone()
        server.execute(f"TRUNCATE {table}")
    if not row or row[0] != requests:
        raise RuntimeError(f"of {requests} answered requests {row and row[0]} are in {table}")
