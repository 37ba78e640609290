"""Commands that are killed, told to end, or run out of memory, at random moments."""

from __future__ import annotations

import os
import signal
import time

import pytest
from damage import MIB, Command, amb, wait_for
from outcomes import FULL, only_in_full, times
from site_of_faults import METHOD, SEEDS

from amb.heartbeat import FILE, read_progress
from amb.termination import GRACE_S

CHUNKS = range(5 if FULL else 1)  # for as many processes as there are


@pytest.mark.parametrize("chunk", CHUNKS)
def test_sigkill_of_a_training(site, outcome, chance, tmp_path, chunk):
    counted = outcome("SIGKILL of a training")
    for number in range(times(1, 10)):
        results = tmp_path / str(number)
        training = Command(site.train(results, keep=0), tmp_path / "log")
        training.kill_after(chance.uniform(0, site.seconds["train"]))
        site.note(counted, results)
    counted.require_unharmed()


@pytest.mark.parametrize("chunk", CHUNKS)
def test_sigterm_of_a_training_keeps_its_state_within_the_grace(
    site, outcome, chance, tmp_path, chunk
):
    counted = outcome("SIGTERM of a training, with grace")
    kept, window = 0, site.seconds["train"] / 4
    for number in range(5):
        results = tmp_path / str(number)
        training = Command(site.train(results), tmp_path / "log")
        folder = results / "runs" / METHOD / f"seed{SEEDS[0]}"
        progress_of(folder, training)
        asked = time.monotonic()
        ended = training.kill_after(chance.uniform(0, window), signal.SIGTERM)
        assert time.monotonic() - asked < GRACE_S
        assert ended.status in (0, -signal.SIGTERM)
        if "asked to end (SIGTERM): kept at epoch" in ended.said:
            kept += 1
            assert (folder / "resume.safetensors").exists()
            assert "going on from epoch" in site.note(counted, results)[0].said
            if kept == times(1, 5):
                break
        else:  # it was quicker than the signal
            window /= 2
            site.note(counted, results)
    assert kept > 0
    counted.require_unharmed()


@only_in_full
@pytest.mark.parametrize("chunk", CHUNKS)
def test_sigkill_of_a_worker(site, outcome, chance, tmp_path, chunk):
    counted = outcome("SIGKILL of a worker")
    for number in range(times(1, 10)):
        results = tmp_path / str(number)
        command = [*site.train(results, SEEDS, keep=0), "--workers", "2"]
        training = Command(command, tmp_path / "log")
        folder = results / "runs" / METHOD / f"seed{chance.choice(SEEDS)}"
        progress = progress_of(folder, training)
        assert progress.pid != training.process.pid
        time.sleep(chance.uniform(0, site.seconds["train"] / 2))
        try:
            os.kill(progress.pid, signal.SIGKILL)
        except ProcessLookupError:
            assert training.wait().status == 0
        else:
            ended = training.wait()
            whole = (folder / "run.json").exists()
            assert whole or "a worker process was killed from outside (SIGKILL)" in ended.said
        site.note(counted, results, SEEDS)
    counted.require_unharmed()


@only_in_full
def test_sigkill_of_the_process_that_has_workers(site, outcome, chance, tmp_path):
    counted = outcome("SIGKILL of the process that has workers")
    for number in range(times(1, 10)):
        results = tmp_path / str(number)
        command = [*site.train(results, SEEDS, keep=0), "--workers", "2"]
        Command(command, tmp_path / "log").kill_after(chance.uniform(0, site.seconds["train"]))
        site.note(counted, results, SEEDS)
    counted.require_unharmed()


@only_in_full
@pytest.mark.parametrize("step", ["evaluate", "score"])
def test_sigkill_of_an_evaluation_and_of_a_table(site, outcome, chance, tmp_path, step):
    counted = outcome({"evaluate": "SIGKILL of an evaluation", "score": "SIGKILL of a table"}[step])
    for number in range(times(1, 25)):
        results = site.finished(tmp_path / str(number))
        for name in ("scores.csv", "summary.csv"):
            (results / name).unlink()
        if step == "evaluate":
            for file in results.glob("runs/*/*/predictions.parquet"):
                file.unlink()
        seconds = chance.uniform(0, site.seconds[step])
        command = {"evaluate": site.evaluate(results, SEEDS), "score": site.score(results)}[step]
        Command(command, tmp_path / "log").kill_after(seconds)
        site.note(counted, results, SEEDS, score=True)
    counted.require_unharmed()


@only_in_full
def test_out_of_memory(site, outcome, chance, tmp_path):
    counted = outcome("out of memory in a training")
    failed = 0
    for number in range(times(2, 15)):
        results = tmp_path / str(number)
        memory = chance.randrange(4 * MIB, 64 * MIB)
        ended = amb(site.train(results, keep=0), tmp_path / "log", memory=memory)
        failed += ended.status != 0
        site.note(counted, results)
    assert failed > 0, "the limits were too wide to show anything"
    counted.require_unharmed()


def progress_of(folder, command):
    """Return what a training says of itself, once it does."""
    wait_for(folder / FILE, command)
    return read_progress(folder)
