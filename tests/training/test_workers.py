"""Workers that die at the worst moment: nobody waits for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace

import pytest

from amb.training.progress import RunProgress
from amb.training.seed_training import Epoch
from amb.training.workers import run_seeds

PATIENCE_S = 120


def flood_and_die(job, seed, report):
    """Send epochs without pause, and be killed amid that."""

    def flood():
        for epoch in range(10**9):
            report(Epoch(epoch, 0.5, 0.5, 1e-3, 0.0))

    threading.Thread(target=flood, daemon=True).start()
    threading.Event().wait(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def die_or_train_on(job, seed, report):
    """Be killed where this is the job's seed to die; else do not end."""
    report(Epoch(1, 0.5, 0.5, 1e-3, 0.0))
    threading.Event().wait(0.5 if seed == job.dies else 10 * PATIENCE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def failed_seeds(task, **job):
    with RunProgress("amb", 1) as progress:
        progress.epoch = lambda seed, epoch: None
        failed = run_seeds(task, SimpleNamespace(device="cpu", **job), [0, 1], 2, progress)
    assert all(isinstance(error, BrokenProcessPool) for error in failed.values())
    return set(failed)


@pytest.mark.parametrize(
    "call", ["flood_and_die", "die_or_train_on, dies=0", "die_or_train_on, dies=1"]
)
def test_a_killed_worker_blocks_nobody(call):
    # In a process of its own: what hangs would hang this one.
    task, _, job = call.partition(",")
    code = f"import {__name__} as t\nassert t.failed_seeds(t.{task},{job}) == {{0, 1}}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, timeout=PATIENCE_S, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
