"""A dispatch worker for the benches: says it is ready, waits for a line, sends what is due.

Then it says what it cost, on one more line.
"""

import json
import resource
import sys
import threading
import time

from bench import ground, machine

SAMPLE_SECONDS = 1.0
IDLE_SECONDS = 0.05


def main() -> None:
    ground.use_database()
    from marketing.delivery.dispatch import worker
    from marketing.delivery.models import DispatchBatch

    print("ready", flush=True)
    sys.stdin.readline()
    samples: list[int] = []
    threading.Thread(target=_watch_memory, args=(samples,), daemon=True).start()
    begun, cpu = time.monotonic(), time.process_time()
    # Another worker may still hold some.
    while worker.run() or DispatchBatch.objects.exclude(state="done").exists():
        time.sleep(IDLE_SECONDS)
    told = {
        "begun": begun,
        "ended": time.monotonic(),
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": machine.peak_megabytes(),
        "rss_mb": [round(sample / 2**20) for sample in samples],
    }
    print(json.dumps(told), flush=True)


def _watch_memory(samples: list[int]) -> None:
    page = resource.getpagesize()
    while True:
        with open("/proc/self/statm") as statm:
            samples.append(int(statm.read().split()[1]) * page)
        time.sleep(SAMPLE_SECONDS)


if __name__ == "__main__":
    main()
