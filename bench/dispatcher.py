"""A dispatch worker for the benches: sends what is due and says what it cost."""

import json
import resource
import sys
import threading
import time

from bench import ground


def main() -> None:
    ground.use_database()
    from marketing.delivery.dispatch import worker
    from marketing.delivery.models import DispatchBatch

    samples: list[int] = []
    threading.Thread(target=_watch_memory, args=(samples,), daemon=True).start()
    begun, cpu = time.perf_counter(), time.process_time()
    while worker.run() or DispatchBatch.objects.exclude(state="done").exists():
        pass
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "seconds": time.perf_counter() - begun,
            "cpu_seconds": time.process_time() - cpu,
            "peak_mb": usage.ru_maxrss / 1024,
            "rss_mb": [round(sample / 2**20) for sample in samples],
        },
        sys.stdout,
    )


def _watch_memory(samples: list[int]) -> None:
    page = resource.getpagesize()
    while True:
        with open("/proc/self/statm") as statm:
            samples.append(int(statm.read().split()[1]) * page)
        time.sleep(5)


if __name__ == "__main__":
    main()
