"""A real training as ``amb status`` sees it: under way, and after its processes were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from amb.heartbeat import is_alive, read_progress
from amb.status.runs import State
from amb.status.study import read_status
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
SEEDS = (1111, 1112)


@pytest.fixture
def training(tiny, tmp_path):
    """Starts ``amb train`` of two seeds that would take long, as a rule does: with a log."""
    content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
    content["training"] = {"max_epochs": 5000, "patience": 5000, "batch_size": 12}
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    results = tmp_path / "results" / "tiny"
    log = results / "logs" / "train_amb_0.log"
    log.parent.mkdir(parents=True)
    children = []

    def start(*options):
        command = [sys.executable, "-m", "amb", "train", "--study", str(file)]
        command += ["--store", str(tiny.store), "--backbone", str(tiny.backbone)]
        command += ["--method", "amb", "--seeds", "1111", "1112", "--gpus", "0"]
        command += ["--runs", str(results / "runs"), "--keep-minutes", "0", *options]
        with log.open("w") as handle:
            children.append(subprocess.Popen(command, stderr=handle, stdout=handle, cwd=ROOT))
        return children[-1]

    yield start, load_study(file).resolved(), results
    for child in children:
        child.kill()
        child.wait()


def wait_for_an_epoch(folder, child):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and child.poll() is None:
        progress = read_progress(folder)
        if progress is not None and progress.epoch >= 1:
            return progress
        time.sleep(0.05)
    raise AssertionError(f"no epoch: exit status {child.poll()}")


def test_a_pack_runs_and_once_killed_is_interrupted_with_the_epoch_where_it_goes_on(training):
    start, resolved, results = training
    child = start("--pack", "2")
    wait_for_an_epoch(results / "runs" / "amb" / "seed1112", child)
    status = read_status(resolved, results)
    assert [run.state for run in status.rows[0].runs] == [State.RUNNING] * 2
    assert status.rows[0].runs[0].packed == 2
    assert status.time_left.at_once == 1
    child.kill()
    child.wait()
    runs = read_status(resolved, results).rows[0].runs
    assert [run.state for run in runs] == [State.INTERRUPTED] * 2
    # One file in the first seed's folder holds the whole pack.
    assert runs[0].kept_epoch == runs[1].kept_epoch >= 1
    assert runs[1].best_valid_mae > 0


def test_a_killed_worker_ends_the_log_with_the_signal_and_what_to_do(training):
    start, resolved, results = training
    child = start("--workers", "2")
    workers = [wait_for_an_epoch(results / "runs" / "amb" / f"seed{s}", child) for s in SEEDS]
    assert len({child.pid, *(worker.pid for worker in workers)}) == 3
    os.kill(workers[0].pid, signal.SIGKILL)
    assert child.wait(PATIENCE_S) == 1
    status = read_status(resolved, results)
    step = status.failed[0]
    assert step.rule == "train_amb_0"
    assert step.failure.what == "a worker process was killed from outside (SIGKILL)"
    assert step.failure.where == "amb, seeds 1111, 1112"
    assert "ran out of memory" in step.failure.to_do
    assert step.log.read_text().count("workers ended by: SIGKILL") == 1
    assert status.rows[0].runs[0].state is State.INTERRUPTED


def test_workers_end_with_the_process_that_gave_them_work(training):
    start, _, results = training
    child = start("--workers", "2")
    folders = [results / "runs" / "amb" / f"seed{seed}" for seed in SEEDS]
    workers = [wait_for_an_epoch(folder, child) for folder in folders]
    child.kill()
    child.wait()
    end = time.monotonic() + PATIENCE_S
    while any(map(is_alive, workers, folders)):
        assert time.monotonic() < end, "a worker trains on"
        time.sleep(0.05)
