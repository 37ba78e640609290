"""A run that was stopped anywhere goes on and ends in the bits of one that never was."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from amb.training.job import Job
from amb.training.loop import Position
from amb.training.resume import FILE, ResumeFile
from amb.training.run import OUTPUTS, is_complete, open_context, run_pack

BASELINES = Path(__file__).resolve().parents[2] / "baselines"
IN_CLOSED_FORM = {"mean_predictor", "majority_class", "label_oracle"}
ROWS = ["amb", *sorted(p.stem for p in BASELINES.glob("*.py") if p.stem != "__init__")]
SEEDS = (1111, 1112)
# Kills of packed seeds, and again of single ones; `make test-faults` has many more, at any moment.
PLAIN, IN_BF16, BY_LENGTH = "precision: float32", "precision: bf16", "length_window: 2"
KILLS = {PLAIN: 4, IN_BF16: 2}


@pytest.fixture
def job_of(tiny, tmp_path):
    def make(row: str, name: str, keep_minutes: float = 0.0, recipe: str = PLAIN) -> Job:
        content = tiny.file.read_text(encoding="utf-8")
        file = tmp_path / "study.yaml"
        training = f"{{max_epochs: 3, {recipe}}}"
        line = f"methods:\n  under_test: {{builder: {row}, training: {training}}}\n"
        file.write_text(content.replace("methods:\n", line), encoding="utf-8")
        runs = tmp_path / name
        return Job(file, tiny.store, tiny.backbone, "under_test", runs, "cpu", 1, keep_minutes)

    return make


class InterruptionError(Exception):
    """What a test stops training with."""


def learnt(job: Job, seeds=SEEDS):
    """The bytes of the checkpoints, and the curves without their times."""
    found = []
    for seed in seeds:
        folder = job.folder(seed)
        curve = [line.rsplit(",", 1)[0] for line in (folder / "curve.csv").read_text().split()]
        found.append(((folder / "checkpoint.safetensors").read_bytes(), curve))
    return found


def ignore(seed, epoch):
    """Do nothing with an epoch."""


EVERY_ROW = [(row, PLAIN) for row in ROWS if row not in IN_CLOSED_FORM]
SOME_IN_BF16 = [(row, IN_BF16) for row in ("amb", "finetuned_fusion", "misa")]


@pytest.mark.parametrize(("row", "recipe"), [*EVERY_ROW, *SOME_IN_BF16, ("amb", BY_LENGTH)])
def test_every_row_goes_on_where_it_was_stopped(job_of, row, recipe, monkeypatch):
    seed = SEEDS[:1]
    undisturbed = job_of(row, "undisturbed", 60, recipe)
    run_pack(undisturbed, seed, ignore)
    stopped = job_of(row, "stopped", recipe=recipe)
    save, left = ResumeFile.save, [5]

    def stop_after_five(self, trainings, position):
        save(self, trainings, position)
        left[0] -= 1
        if left[0] == 0:
            raise InterruptionError

    with monkeypatch.context() as patched:
        patched.setattr(ResumeFile, "save", stop_after_five)
        with pytest.raises(InterruptionError):
            run_pack(stopped, seed, ignore)
    assert (stopped.folder(seed[0]) / FILE).exists()
    epochs = []
    run_pack(stopped, seed, lambda _, epoch: epochs.append(epoch.epoch))
    assert epochs[0] > 1  # it did go on
    assert learnt(stopped, seed) == learnt(undisturbed, seed)
    assert {path.name for path in stopped.folder(seed[0]).iterdir()} == set(OUTPUTS)


@pytest.mark.parametrize(("packed", "recipe"), [(False, PLAIN), (True, PLAIN), (True, IN_BF16)])
def test_sigkill_at_any_moment_changes_no_bit(job_of, packed, recipe):
    """Killed at random moments after a step, some of them while the state is written."""
    packs = [SEEDS] if packed else [SEEDS[:1], SEEDS[1:]]
    undisturbed = job_of("amb", "undisturbed", 60, recipe)
    killed = job_of("amb", "killed", recipe=recipe)
    for pack in packs:
        run_pack(undisturbed, pack, ignore)
    chance = random.Random(7)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["amb.training.run"])
    ends = []
    for _ in range(KILLS[recipe]):
        stepped = context.Event()
        child = context.Process(target=_run_slowly, args=(killed, packs, stepped))
        child.start()
        while not stepped.wait(0.05) and child.is_alive():
            pass
        child.join(chance.uniform(0, 0.15))
        child.kill()
        child.join()
        ends.append(child.exitcode)
    assert ends.count(-9) >= KILLS[recipe] / 3  # the others found the runs complete
    for pack in packs:
        run_pack(killed, pack, ignore)
    assert all(is_complete(killed, seed) for seed in SEEDS)
    assert learnt(killed) == learnt(undisturbed)


def _run_slowly(job: Job, packs, stepped) -> None:
    """Train, with the state kept and a pause after every step."""
    after_step = ResumeFile.after_step

    def pause(self, trainings, position):
        after_step(self, trainings, position)
        stepped.set()
        time.sleep(0.05)

    ResumeFile.after_step = pause
    for pack in packs:
        run_pack(job, pack, ignore)


def test_a_damaged_or_foreign_file_is_named_and_training_starts_anew(job_of, capfd, monkeypatch):
    job = job_of("amb", "runs")
    folder = job.folder(SEEDS[0])

    def leave_a_file():
        save = ResumeFile.save

        def save_and_stop(self, trainings, position):
            save(self, trainings, position)
            raise InterruptionError

        with monkeypatch.context() as patched:
            patched.setattr(ResumeFile, "save", save_and_stop)
            with pytest.raises(InterruptionError):
                run_pack(job, SEEDS, ignore)

    leave_a_file()
    content = bytearray((folder / FILE).read_bytes())
    content[-3] ^= 1
    (folder / FILE).write_bytes(content)
    run_pack(job, SEEDS, ignore)
    assert f"{folder / FILE}: not usable, training starts anew" in capfd.readouterr().err
    expected = learnt(job)

    for seed in SEEDS:
        (job.folder(seed) / "run.json").unlink()
    leave_a_file()
    text = job.study_file.read_text(encoding="utf-8")
    job.study_file.write_text(text.replace("max_epochs: 3", "max_epochs: 2"), encoding="utf-8")
    open_context.cache_clear()
    run_pack(job, SEEDS, ignore)
    assert "of other inputs, training starts anew" in capfd.readouterr().err
    assert learnt(job) != expected


def test_state_is_kept_when_it_is_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    file = ResumeFile(tmp_path / FILE, "identity", 5, print)
    saved = []
    monkeypatch.setattr(file, "save", lambda trainings, position: saved.append(now[0]))
    for second in range(0, 700, 100):
        now[0] = float(second)
        file.after_step([], Position())
    assert saved == [300.0, 400.0, 500.0, 600.0]
    file.remove()  # a file that never was is no error


def test_two_threads_give_the_same_bits_run_after_run(job_of):
    """One and two threads differ in the last bits; each is equal to itself."""
    jobs = [replace(job_of("amb", name, 60), threads=2) for name in ("first", "second")]
    try:
        for job in jobs:
            run_pack(job, SEEDS[:1], ignore)
    finally:
        torch.set_num_threads(1)
    assert learnt(jobs[0], SEEDS[:1]) == learnt(jobs[1], SEEDS[:1])
