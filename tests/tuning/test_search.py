"""A search: exactly so many trials, on validation only, and a killed one goes on."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from amb.cli import main
from amb.errors import InputError
from amb.study import load_study
from amb.training.pack import Pack
from amb.training.run import identify, is_complete, open_context, run_seed
from amb.tuning import search as search_module
from amb.tuning.search import search

pytest.importorskip("optuna", reason="Optuna is not installed (extra: tune)")
ROOT = Path(__file__).resolve().parents[2]
N = 3


def ignore(trial, epoch):
    pass


def shown(trials):
    return [(trial.number, trial.values, trial.outcome.valid_mae) for trial in trials]


@pytest.fixture
def command(tiny, tmp_path):
    """The arguments of ``amb tune``."""

    def arguments(file, folder, method="amb"):
        files = ["--study", file, "--store", tiny.store, "--backbone", tiny.backbone]
        files += ["--storage", tmp_path / folder / "tuning" / f"{method}.db"]
        files += ["--out", tmp_path / folder / "tuned" / f"{method}.json"]
        return ["tune", *map(str, files), "--method", method, "--gpus", "0"]

    return arguments


def test_a_search_ends_with_its_trials_and_a_second_one_makes_none(
    tuned_study, job_of, tmp_path, monkeypatch
):
    job = job_of(tuned_study())
    found = search(job, N, tmp_path / "amb.db", ignore)
    assert [trial.number for trial in found] == [0, 1, 2]
    names = {"learning_rate", "options.head_dropout", "batch_size"}
    assert all(trial.values.keys() == names for trial in found)
    assert len({trial.values["learning_rate"] for trial in found}) == N
    assert all(trial.outcome.utterance_epochs == 36 * trial.outcome.epochs for trial in found)
    monkeypatch.setattr(search_module, "run_trial", pytest.fail)
    assert search(job, N, tmp_path / "amb.db", ignore) == found
    assert search(job, 2, tmp_path / "amb.db", ignore) == found[:2]
    assert not list(tmp_path.rglob("trials/**/*.safetensors"))


def test_a_killed_search_goes_on_to_the_trials_that_it_would_have_made(
    tuned_study, tmp_path, command
):
    file = tuned_study()
    arguments = command(file, "killed")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-m", "amb", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    for line in process.stderr:
        if line.startswith("amb trial 1: epoch 1"):
            process.kill()
            break
    process.wait()
    process.stderr.close()
    assert process.returncode == -9
    assert not (tmp_path / "killed" / "tuned").exists()

    assert main(arguments) == 0
    assert main(command(file, "whole")) == 0
    killed, whole = (
        json.loads((tmp_path / name / "tuned" / "amb.json").read_text())
        for name in ("killed", "whole")
    )
    assert killed["budget"]["trials"] == len(killed["trials"]) == N
    for key in ("best", "identity_sha256", "space"):
        assert killed[key] == whole[key]
    for one, other in zip(killed["trials"], whole["trials"], strict=True):
        assert {**one, "wall_time_s": 0} == {**other, "wall_time_s": 0}


def test_the_best_trial_becomes_a_study_that_trains_the_row(
    tuned_study, job_of, tmp_path, command, capsys
):
    file = tuned_study()
    assert main(command(file, "results")) == 0
    folder = tmp_path / "results" / "tuned"
    result = json.loads((folder / "amb.json").read_text())
    maes = [trial["valid_mae"] for trial in result["trials"]]
    best = result["best"]
    assert best["valid_mae"] == min(maes) == maes[best["trial"]]
    assert f"best of 3 trials is trial {best['trial']}" in capsys.readouterr().out
    assert result["budget"]["utterance_epochs"] == sum(
        36 * trial["epochs"] for trial in result["trials"]
    )
    assert result["budget"]["wall_time_s"] > 0
    assert result["rows"] == ["amb", "amb_shuffled"]
    tuned = load_study(folder / "amb.yaml")
    assert tuned.methods["amb"].training.learning_rate == best["training"]["learning_rate"]
    assert tuned.methods["amb"].options == best["options"]

    # Under the tuning seed, the tuned study gives what the best trial gave.
    job = replace(job_of(folder / "amb.yaml"), runs=tmp_path / "runs")
    run_seed(job, 7, lambda _: None)
    record = json.loads((job.folder(7) / "run.json").read_text())
    assert record["best_valid_mae"] == best["valid_mae"]


def test_a_run_is_stale_when_its_tuned_values_change(tuned_study, job_of, tmp_path):
    file = tuned_study()
    plain = replace(job_of(file), runs=tmp_path / "runs")
    run_seed(plain, 1111, lambda _: None)
    assert is_complete(plain, 1111)
    identities = {identify(plain, 1111)["identity_sha256"]}
    for number, rate in enumerate((0.002, 0.003)):
        target = tmp_path / f"tuned{number}.yaml"
        values = {"learning_rate": rate}
        search_module.write_study_with(target, file, "amb", values, "Made for a test.")
        open_context.cache_clear()
        tuned = replace(plain, study_file=target)
        assert not is_complete(tuned, 1111)
        identities.add(identify(tuned, 1111)["identity_sha256"])
    assert len(identities) == 3


def test_another_space_is_another_search_in_the_same_file(tuned_study, job_of, tmp_path):
    storage = tmp_path / "amb.db"
    first = search(job_of(tuned_study()), 1, storage, ignore)
    other = search(job_of(tuned_study(seed=8)), 1, storage, ignore)
    assert shown(first) != shown(other)
    assert shown(search(job_of(tuned_study()), 1, storage, ignore)) == shown(first)


def test_trials_need_no_test_labels(tuned_study, job_of, tiny, tmp_path):
    blind = tmp_path / "blind_store"
    shutil.copytree(tiny.store, blind)
    (blind / "labels.test.parquet").unlink()
    job = job_of(tuned_study())
    without = search(replace(job, store=blind), 1, tmp_path / "blind.db", ignore)
    assert shown(without) == shown(search(job, 1, tmp_path / "amb.db", ignore))


@pytest.fixture
def diverging(monkeypatch):
    """Let the losses of the trials that are named not be finite."""

    def choose(*trials):
        train, losses = search_module.run_seed, Pack.losses

        def run(job, seed, on_epoch):
            with monkeypatch.context() as patched:
                if job.runs.name in trials:
                    patched.setattr(Pack, "losses", lambda *own: losses(*own) * math.nan)
                return train(job, seed, on_epoch)

        monkeypatch.setattr(search_module, "run_seed", run)

    return choose


def test_a_trial_that_diverges_counts_and_is_never_the_best(
    tuned_study, tmp_path, diverging, command
):
    diverging("trial0")
    assert main([*command(tuned_study(), "results"), "--trials", "2"]) == 0
    result = json.loads((tmp_path / "results" / "tuned" / "amb.json").read_text())
    assert [trial["valid_mae"] is None for trial in result["trials"]] == [True, False]
    assert result["best"]["trial"] == 1
    assert result["trials"][0]["utterance_epochs"] == 36


def test_a_search_in_which_everything_diverges_is_an_error(
    tuned_study, job_of, tmp_path, diverging
):
    diverging("trial0", "trial1")
    with pytest.raises(InputError, match=r"found '2 diverged trials'"):
        search(job_of(tuned_study()), 2, tmp_path / "amb.db", ignore)


def test_the_tpe_sampler_searches_too(tuned_study, job_of, tmp_path):
    found = search(job_of(tuned_study(sampler="tpe")), 2, tmp_path / "amb.db", ignore)
    assert len(found) == 2


def test_a_plain_study_cannot_be_tuned(tiny, command, capsys):
    assert main(command(tiny.file, "results")) == 2
    assert "tuning: found 'no such section'" in capsys.readouterr().err
    content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
    assert "tuning" not in content
