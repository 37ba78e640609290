"""A study on a real Slurm, undisturbed and through faults: complete, and equal to the local run.

Several nodes with a made-up GPU each run on this machine (``slurm.py``). A normal test run trains
and evaluates through those faults that take no minutes; ``make test-slurm`` does all of it.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
import psutil
import pytest
import yaml
from slurm import PARTITION, Job, Slurm, why_not
from snakemake_command import COMMAND, PROJECT, environment_for_jobs

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / "workflow" / "profiles" / "slurm" / "config.yaml"
ROWS = ("finetuned_text", "finetuned_late", "late_fusion")
NODES = 5  # one for each row, when one is dead and one drained
DEADLINE_S = 900
EVALUATED = ["--until", *(f"evaluate_{row}_0" for row in ROWS)]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Run:
    """A run of the study in a folder of its own."""

    folder: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end within {DEADLINE_S} s\n{self.said()}") from None
        assert code == 0, self.said()

    def end(self) -> None:
        """End it with all that it started here, if it still runs."""
        if self.process.poll() is None:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.kill()

    def said(self) -> str:
        return (self.folder / "said.txt").read_text()[-6000:]

    def training(self, row: str) -> psutil.Process | None:
        """The process that trains a row, if one runs."""
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                if "train" in words and row in words and process.cwd() == str(self.folder):
                    return process
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return None

    def hold(self, row: str) -> psutil.Process:
        """Wait until a row's training begins, and halt it before it has done anything."""
        process = self.found(f"{row} trains", lambda: self.training(row))
        process.suspend()
        return process

    def found(self, what: str, look: Callable[[], Found | None]) -> Found:
        end = time.monotonic() + DEADLINE_S
        while (thing := look()) is None:
            assert self.process.poll() is None, f"ended before: {what}\n{self.said()}"
            assert time.monotonic() < end, f"not seen within {DEADLINE_S} s: {what}\n{self.said()}"
            time.sleep(0.05)
        return thing

    def predictions(self) -> pd.DataFrame:
        """All predictions, in an order that does not depend on how they were made."""
        files = (self.folder / "results" / "tiny" / "runs").glob("*/*/predictions.parquet")
        keys = ["method", "seed", "split", "corruption", "utterance"]
        frame = pd.concat([pd.read_parquet(file) for file in files])
        return frame.sort_values(keys, ignore_index=True)


def begin(folder: Path, study: Path, *arguments: str) -> Run:
    folder.mkdir()
    command = [*COMMAND, *PROJECT, "--directory", str(folder), *arguments]
    command += ["--config", f"study={study}", "finish=none"]
    environment = environment_for_jobs(OMP_NUM_THREADS="1")
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
    return Run(folder, process)


@pytest.fixture(scope="module")
def start():
    """Starts runs, of which none outlives the tests."""
    runs = []

    def start(*arguments, **options) -> Run:
        runs.append(begin(*arguments, **options))
        return runs[-1]

    yield start
    for run in runs:
        run.end()


@pytest.fixture
def slurm(tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    pytest.importorskip("snakemake_executor_plugin_slurm")
    cluster = Slurm(tmp_path / "slurm", NODES)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def study(tmp_path_factory, tiny) -> Path:
    content = yaml.safe_load(tiny.file.read_text())
    content["methods"] = {row: {} for row in ROWS}
    content["statistics"]["reference"] = "finetuned_late"
    file = tmp_path_factory.mktemp("study") / "tiny.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


@pytest.fixture(scope="module")
def local(tmp_path_factory, start, study) -> Run:
    """The run on one machine; it goes on while the others do."""
    folder = tmp_path_factory.mktemp("local") / "run"
    return start(folder, study, "--cores", "2", "--resources", "gpu=0", *EVALUATED)


@pytest.fixture(scope="module")
def profile(tmp_path_factory) -> list[str]:
    """The profile as a user takes it: a copy with one value changed; and fewer seconds waited."""
    text = PROFILE.read_text()
    assert text.count("slurm_partition: gpu ") == 1
    folder = tmp_path_factory.mktemp("profile")
    (folder / "config.yaml").write_text(
        text.replace("slurm_partition: gpu ", f"slurm_partition: {PARTITION} ")
    )
    quick = ["--slurm-init-seconds-before-status-checks", "3"]
    return ["--workflow-profile", str(folder), *quick, "--seconds-between-status-checks", "3"]


def assert_complete_and_equal(run: Run, local: Run) -> None:
    local.wait()
    predictions = local.predictions()
    assert set(predictions["method"]) == set(ROWS)
    pd.testing.assert_frame_equal(run.predictions(), predictions, check_exact=True)
    assert len(list(run.folder.glob("results/tiny/runs/*/*/run.json"))) == 2 * len(ROWS)


def assert_has_a_page(run: Run) -> None:
    assert (run.folder / "results" / "tiny" / "index.html").stat().st_size > 0


@pytest.mark.slurm
def test_a_study_on_several_nodes_equals_the_local_run(
    slurm, start, study, local, profile, tmp_path
):
    run = start(tmp_path / "run", study, *profile)
    run.wait()
    assert_complete_and_equal(run, local)
    assert_has_a_page(run)
    trained = [job for job in slurm.jobs() if job.rule.startswith("train_")]
    assert len({job.node for job in trained}) > 1
    assert {job.state for job in slurm.jobs()} == {"COMPLETED"}


def test_training_outlives_a_dead_node_a_drained_one_and_a_cancelled_job(
    slurm, start, study, local, profile, tmp_path
):
    run = start(tmp_path / "run", study, *profile, *EVALUATED)
    slow, *others = held_jobs(run, slurm)
    disturb(slurm, slow, *others)
    slow.process.resume()
    run.wait()

    assert_complete_and_equal(run, local)
    assert_faults_were_met(slurm, slow, *others)
    assert attempts(slurm, slow) == [("COMPLETED", slow.job.minutes)]


@pytest.mark.slurm
def test_a_study_outlives_a_dead_node_a_drained_one_a_cancelled_job_and_a_time_limit(
    slurm, start, study, local, profile, tmp_path
):
    run = start(tmp_path / "run", study, *profile)
    slow, *others = held_jobs(run, slurm)
    disturb(slurm, slow, *others)
    # This one stays halted, on a drained node, until Slurm ends it at its limit.
    slurm.limit(slow.job, minutes=1)
    run.wait()

    assert_complete_and_equal(run, local)
    assert_has_a_page(run)
    assert_faults_were_met(slurm, slow, *others)
    assert attempts(slurm, slow) == [("TIMEOUT", 1), ("COMPLETED", 2 * slow.job.minutes)]


@dataclass(frozen=True)
class Held:
    """A row's first job, its training halted before it has done anything."""

    row: str
    job: Job
    process: psutil.Process


def held_jobs(run: Run, slurm: Slurm) -> list[Held]:
    """Halt all rows' trainings as they begin."""
    processes = [run.hold(row) for row in ROWS]
    jobs = {job.rule: job for job in slurm.jobs()}
    return [
        Held(row, jobs[f"train_{row}_0"], process)
        for row, process in zip(ROWS, processes, strict=True)
    ]


def disturb(slurm: Slurm, drained: Held, cancelled: Held, crashed: Held) -> None:
    """Drain one job's node, cancel another job, and crash a third one's node."""
    slurm.cancel(cancelled.job)
    slurm.crash(crashed.job.node)
    slurm.drain(drained.job.node)


def assert_faults_were_met(slurm: Slurm, drained: Held, cancelled: Held, crashed: Held) -> None:
    """The lost jobs ran again, with the time a retry gets, on nodes that take jobs."""
    asked = cancelled.job.minutes
    assert attempts(slurm, cancelled) == [("CANCELLED", asked), ("COMPLETED", 2 * asked)]
    assert slurm.restarts(crashed.job) == 1
    assert attempts(slurm, crashed)[-1][0] == "COMPLETED"
    states = slurm.node_states()
    assert states[crashed.job.node].startswith("down")
    assert states[drained.job.node] == "drained"
    last = max(held.job.number for held in (drained, cancelled, crashed))
    later = {job.node for job in slurm.jobs() if job.number > last}
    assert later
    assert not {crashed.job.node, drained.job.node} & later


def attempts(slurm: Slurm, held: Held) -> list[tuple[str, int]]:
    """How the jobs that trained a row ended, and their limits in minutes."""
    jobs = [job for job in slurm.jobs() if job.rule == f"train_{held.row}_0"]
    return [(job.state, job.minutes) for job in jobs]
