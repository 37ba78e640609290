"""Workers that die at the worst moment: nobody waits for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import pytest

from amb.errors import InputError
from amb.failures import KILLED_BY
from amb.training.job import Epoch
from amb.training.progress import RunProgress
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


def refuse(job, seeds):
    """Find a fault before the first seed."""
    raise InputError(job.file, "field", seeds, "other seeds")


def die_before(job, seeds):
    """Be killed before the first seed."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave_a_trace(job, seed, report):
    """Do the task, so that one can see it."""
    Path(job.file).write_text("done")
    return "done"


def run_two(task, before=None, **job):
    job = SimpleNamespace(device="cpu", **job)
    with RunProgress("amb", 1) as progress:
        progress.epoch = lambda seed, epoch: None
        return run_seeds(task, job, [0, 1], 2, progress, before)


def failed_seeds(task, **job):
    failed = run_two(task, **job)
    assert all(isinstance(error, BrokenProcessPool) for error in failed.values())
    return set(failed)


@pytest.mark.parametrize(
    "call", ["flood_and_die", "die_or_train_on, dies=0", "die_or_train_on, dies=1"]
)
def test_a_killed_worker_blocks_nobody(call):
    # In a process of its own: what hangs would hang this one.
    task, _, job = call.partition(",")
    code = f"import {__name__} as t\nassert t.failed_seeds('{__name__}:{task}',{job}) == {{0, 1}}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, timeout=PATIENCE_S, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("trial", ["refuse", "die_before"])
def test_what_fails_before_the_first_seed_stops_all(trial, tmp_path):
    file = tmp_path / "trace"
    with pytest.raises((InputError, BrokenProcessPool)) as caught:
        run_two(f"{__name__}:leave_a_trace", f"{__name__}:{trial}", file=str(file))
    if trial == "refuse":
        assert str(caught.value).startswith(f"{file}: field: found [0, 1], expected other seeds")
    else:
        assert any(f"{KILLED_BY}SIGKILL" in note for note in caught.value.__notes__)
    assert not file.exists()


def test_what_comes_before_passes_and_the_seeds_follow(tmp_path):
    file = tmp_path / "trace"
    assert run_two(f"{__name__}:leave_a_trace", "builtins:print", file=str(file)) == {}
    assert file.exists()
