"""Run the named benches; without names, all that are built.

Exits 2 for a name that is not built yet, 1 when something could not be measured.
"""

import argparse
import importlib
import json
import os
import sys
import traceback

BUILT = (
    "freeze", "send", "bulk", "webhooks", "memory", "post_office",
    "fair", "control", "backoff", "door", "redirect", "pages", "whole",
    "facts", "preview", "refresh", "import", "lookup",
    "counter", "quote", "redeem", "refund", "codes", "oscar",
)  # fmt: skip
PLANNED = (
    "journeys", "soak",
)  # fmt: skip

# A module cannot be named by a word of the language, nor as what its peer imports.
MODULES = {"import": "imports", "oscar": "vouchers"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BUILT))
    parser.add_argument("--n", type=int, help="how many people; each bench has its own default")
    options = parser.parse_args()
    names = options.names or list(BUILT)
    for name in names:
        if name not in BUILT:
            known = "is planned, but not built yet" if name in PLANNED else "is not a bench"
            print(f"{name} {known}. Built: {', '.join(BUILT)}.", file=sys.stderr)
            return 2
    if "DATABASE_ADMIN_URL" not in os.environ:
        python = [sys.executable, "-m"]
        servers = [*python, "config.embedded", "exec", "--instance", "bench", "--"]
        os.execv(sys.executable, [*servers, *python, "bench", *sys.argv[1:]])
    failed = False
    for name in names:
        try:
            module = importlib.import_module(f"bench.{MODULES.get(name, name)}")
            for result in module.measure(options.n):
                print(json.dumps(result), flush=True)
        except Exception:
            traceback.print_exc()
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
