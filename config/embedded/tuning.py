"""PostgreSQL settings fitted to the machine."""

import os
from pathlib import Path

MEGABYTE = 1024 * 1024


def machine_memory() -> int:
    """Bytes this process may use: the machine's memory or its control group's limit."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            memory = min(memory, int(Path(limit).read_text()))
        except (OSError, ValueError):  # No such group, or "max".
            continue
    return memory


def shared_memory_type() -> str:
    """`mmap` where /dev/shm is too small for parallel queries (64 MB in containers)."""
    status = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
    roomy = status is not None and status.f_bavail * status.f_frsize >= 512 * MEGABYTE
    return "posix" if roomy else "mmap"


def postgres_settings(memory: int, *, durable: bool) -> dict[str, str]:
    """Settings for a machine with `memory` bytes, shared with the application and its workers.

    Without `durable` a crash of the machine may lose everything: for throw-away test data only.
    """
    megabytes = memory // MEGABYTE
    settings = {
        "max_connections": "100",
        "shared_buffers": f"{max(min(megabytes // 4, 4096), 32)}MB",
        "effective_cache_size": f"{max(megabytes * 55 // 100, 64)}MB",
        "work_mem": f"{max(min(megabytes // 256, 64), 4)}MB",
        "maintenance_work_mem": f"{max(min(megabytes // 16, 1024), 32)}MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "wal_compression": "on",
        # Nothing replicates these servers; so an index is not logged by the page as it is made.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "min_wal_size": "1GB",
        "max_wal_size": "4GB",
        # Roomy, so that a writer beside it carries the log of a million rows to the disk.
        "wal_buffers": f"{max(min(megabytes // 192, 128), 4)}MB",
        "checkpoint_timeout": "15min",
        # A query over a month-partitioned table locks every partition and every index.
        "max_locks_per_transaction": "256",
        # Append-heavy tables must be vacuumed for index-only scans and analyzed for estimates
        # long before the default fifth of them is new.
        "autovacuum_naptime": "20s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
        # But not tables of a day's bills every few seconds: a till waits meanwhile.
        "autovacuum_analyze_threshold": "5000",
        "autovacuum_vacuum_insert_threshold": "5000",
        "autovacuum_vacuum_cost_limit": "2000",
    }
    if not durable:
        settings |= {
            "shared_buffers": f"{max(min(megabytes // 16, 256), 32)}MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_wal_size": "1GB",
            # Each of three processes of tests may race 32 tills, beside a running product.
            "max_connections": "200",
        }
    return settings
