"""A short rehearsal of `make chaos`: everything is killed now and then, nothing is lost."""

import json
import os
import subprocess
import sys

import pytest

from tests.delivery.sandbox.conftest import ROOT


@pytest.mark.long
def test_nothing_is_lost_and_nobody_is_sent_to_twice():
    arguments = ["--messages", "1200", "--kills", "8", "--seconds", "2", "--instance", "chaos-test"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.dev"},
        capture_output=True,
        text=True,
        timeout=420,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["wrong"] == []
    assert told["kills"] == 8
    assert sum(told["states"].values()) == 1200
    assert told["held_at_first"] == 120
    assert "held" not in told["states"]
