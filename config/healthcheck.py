"""The container's health check: `/healthz` of the web process in the same container."""

import os
import sys
import urllib.request

PORT = 8000


def main() -> int:
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".")
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/healthz", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=4) as response:
        return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
