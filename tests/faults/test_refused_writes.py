"""Full disks, file systems that can only be read, limits of a file's size."""

from __future__ import annotations

import pytest
from damage import MIB, amb, fill, mounted, remount, why_not_mount
from outcomes import most_in_full, only_in_full, times
from site_of_faults import SEEDS

STEPS = {"train": "a checkpoint", "evaluate": "predictions", "score": "a table"}
WRITES = {
    "train": "checkpoint.safetensors", "evaluate": "predictions.parquet", "score": "scores.csv",
}  # fmt: skip
SIZE = 64 * MIB


def before(site, results, step):
    """Put into a folder what stands there before a step; return the step's command."""
    site.finished(results)
    own = list(WRITES)[list(WRITES).index(step) :]
    for name in [*(WRITES[step] for step in own), "summary.csv"]:
        for file in [results / name, *results.glob(f"runs/*/*/{name}")]:
            file.unlink(missing_ok=True)
    commands = {"train": site.train, "evaluate": site.evaluate, "score": site.score}
    return commands[step](results)


@pytest.mark.parametrize("step", most_in_full([*STEPS]))
def test_full_disk(site, outcome, skip_fault, chance, tmp_path, step):
    fault = f"disk full while writing {STEPS[step]}"
    if why := why_not_mount(tmp_path):
        skip_fault(fault, why)
    counted = outcome(fault)
    for number in range(times(1, 10)):
        with mounted(tmp_path / str(number), SIZE) as disk:
            command = before(site, disk / "results", step)
            needed = _needed(site, step)
            filler = fill(disk, chance.randrange(needed))
            ended = amb(command, tmp_path / "log")
            assert ended.status == 1, ended.said
            assert "the disk is full, or a quota is" in ended.said
            filler.unlink()
            site.note(counted, disk / "results", SEEDS, score=True)
    counted.require_unharmed()


@only_in_full
@pytest.mark.parametrize("step", STEPS)
def test_read_only_results(site, outcome, skip_fault, tmp_path, step):
    fault = f"results read-only when writing {STEPS[step]}"
    if why := why_not_mount(tmp_path):
        skip_fault(fault, why)
    counted = outcome(fault)
    for number in range(times(1, 3)):
        with mounted(tmp_path / str(number), SIZE) as disk:
            command = before(site, disk / "results", step)
            remount(disk, "ro")
            ended = amb(command, tmp_path / "log")
            remount(disk, "rw")
            assert ended.status == 1, ended.said
            assert "the file system can only be read" in ended.said
            site.note(counted, disk / "results", SEEDS, score=True)
    counted.require_unharmed()


@only_in_full
@pytest.mark.parametrize("step", ["train", "evaluate"])
def test_limited_size_of_a_file(site, outcome, chance, tmp_path, step):
    counted = outcome(f"{STEPS[step]} larger than a file may be")
    for number in range(times(1, 10)):
        results = tmp_path / str(number)
        command = before(site, results, step)
        # The log counts too, and so do the small files that come before.
        largest = chance.randrange(2048, _needed(site, step))
        ended = amb(command, tmp_path / "log", largest_file=largest)
        assert ended.status != 0
        site.note(counted, results, SEEDS, score=True)
    counted.require_unharmed()


def _needed(site, step):
    """Bytes that the file of a step has, and so that do not fit with one less."""
    if step == "score":
        return len(site.table("scores.csv"))
    return site.size(f"{WRITES[step]}")
