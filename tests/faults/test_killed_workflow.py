"""Snakemake itself killed, told to end, started twice, and with files from other times."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from damage import PATIENCE_S, Snakemake, session_orphans
from outcomes import Outcome, only_in_full, times
from site_of_faults import METHOD, SEEDS

pytestmark = pytest.mark.workflow
PREDICTIONS = [f"results/tiny/runs/{METHOD}/seed{seed}/predictions.parquet" for seed in SEEDS]

CHUNKS = range(times(0, 26))  # two kills each; some come after the end, and do not count


@pytest.fixture
def folder_of(site, tmp_path):
    """Makes working directories with a store and a backbone that are there already."""

    def make(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(site.store, folder / "results" / "tiny" / "store")
        shutil.copytree(site.backbone, folder / "results" / "tiny" / "backbone")
        return folder

    return make


@pytest.fixture(scope="module")
def undisturbed_seconds(site, tmp_path_factory):
    """How long the workflow takes from such a directory."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(site.store, folder / "results" / "tiny" / "store")
    shutil.copytree(site.backbone, folder / "results" / "tiny" / "backbone")
    start = time.monotonic()
    ended = Snakemake(folder, site.study, PREDICTIONS).wait()
    assert ended.status == 0, ended.said
    return time.monotonic() - start


def note(counted: Outcome, site, folder: Path, session: int, times: int = 1) -> None:
    """After a fault: look for harm, give the same command again, compare, and count."""
    left = session_orphans(session)
    half_written = len(site.harmed(folder / "results" / "tiny"))
    again = Snakemake(folder, site.study, PREDICTIONS)
    ended = again.wait()
    left += session_orphans(again.process.pid)
    reran = ended.status == 0
    counted.note(reran, is_equal(site, folder), half_written, left, times)
    assert reran, ended.said


def is_equal(site, folder: Path) -> bool:
    """Whether the results are there and those of the undisturbed run."""
    results = folder / "results" / "tiny"
    return not site.harmed(results) and not site.unfinished(results, SEEDS)


@only_in_full
@pytest.mark.parametrize("chunk", CHUNKS)
def test_sigkill_of_snakemake(site, outcome, chance, folder_of, undisturbed_seconds, chunk):
    """Twice in a row: the second time, a run is killed that goes on from the first."""
    counted = outcome("SIGKILL of Snakemake")
    folder, kills = folder_of("killed"), 0
    for _ in range(2):
        workflow = Snakemake(folder, site.study, PREDICTIONS)
        ended = workflow.kill_after(chance.uniform(0, undisturbed_seconds))
        kills += ended.status == -signal.SIGKILL
        counted.orphans += session_orphans(workflow.process.pid)
        counted.half_written += len(site.harmed(folder / "results" / "tiny"))
    note(counted, site, folder, workflow.process.pid, kills)
    if kills:
        counted.require_unharmed()


@only_in_full
def test_sigterm_of_snakemake_and_its_jobs(site, outcome, chance, folder_of, undisturbed_seconds):
    counted = outcome("SIGTERM of Snakemake and all of its jobs")
    for _ in range(times(0, 5)):
        folder = folder_of(str(counted.times))
        workflow = Snakemake(folder, site.study, PREDICTIONS, cores=2)
        workflow.terminate_all_after(chance.uniform(0, undisturbed_seconds))
        note(counted, site, folder, workflow.process.pid)
    counted.require_unharmed()


@only_in_full
def test_clock_jumps(site, outcome, chance, folder_of):
    counted = outcome("clock jumps: files from the future and the past")
    folder = folder_of("clock")
    assert Snakemake(folder, site.study, PREDICTIONS).wait().status == 0
    for jump in (86_400, -86_400 * 3650, None, None):
        for file in sorted((folder / "results").rglob("*")):
            by = chance.choice([-86_400, 0, 3600, 86_400]) if jump is None else jump
            os.utime(file, (time.time() + by,) * 2)
        workflow = Snakemake(folder, site.study, PREDICTIONS)
        workflow.wait()
        note(counted, site, folder, workflow.process.pid)
    counted.require_unharmed()


def test_two_snakemakes_in_one_folder_and_sigkill_of_the_first(site, outcome, folder_of):
    """The second is refused while the first lives, and goes on where it was killed."""
    two, killed = outcome("two Snakemakes in one folder"), outcome("SIGKILL of Snakemake")
    for number in range(times(1, 3)):
        folder = folder_of(str(number))
        first = Snakemake(folder, site.study, PREDICTIONS)
        _wait_for(folder / "results" / "tiny" / "logs" / f"train_{METHOD}_0.log", first)
        second = Snakemake(folder, site.study, PREDICTIONS)
        refused = second.wait()
        assert "Directory cannot be locked" in refused.said, refused.said
        if number == 0:
            first.process.kill()
            first.process.wait()
            note(killed, site, folder, first.process.pid)
            two.note(reran=True, equal=is_equal(site, folder))
        else:
            assert first.wait().status == 0
            note(two, site, folder, second.process.pid)
    two.require_unharmed()
    killed.require_unharmed()


def _wait_for(file: Path, workflow: Snakemake) -> None:
    end = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert workflow.process.poll() is None, workflow.log.read_text()
        assert time.monotonic() < end
        time.sleep(0.02)
