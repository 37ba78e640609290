"""A run with its test metrics by epoch is, to the bit, the run without them."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from amb.cli import main
from amb.errors import InputError
from amb.evaluation.metrics import METRICS
from amb.evaluation.predict import evaluate_seed
from amb.peeking import retrain
from amb.peeking.retrain import EPOCHS, peek_seed, train_watched
from amb.training.job import Job
from amb.training.run import open_context, run_seed

SEED = 1111


@pytest.fixture
def job_of(tiny, tmp_path):
    def make(method="amb", file=None):
        open_context.cache_clear()
        runs = tmp_path / "runs"
        return Job(file or tiny.file, tiny.store, tiny.backbone, method, runs, "cpu")

    return make


def stateful_row(tiny, tmp_path):
    """A study with a row that keeps a memory of its training from epoch to epoch."""
    file = tmp_path / "stateful.yaml"
    text = tiny.file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("methods:\n", "methods:\n  self_mm: {training: {max_epochs: 3}}\n")
    )
    return file


@pytest.mark.parametrize("method", ["amb", "finetuned_text", "self_mm"])
def test_training_is_the_same_to_the_bit_with_and_without_a_look_at_test(
    tiny, tmp_path, job_of, method
):
    job = job_of(method, stateful_row(tiny, tmp_path))
    run_seed(job, SEED, lambda _: None)
    looked = []
    result = train_watched(job, SEED, lambda _: None, lambda e, p: looked.append((e, p)))
    stored = load_file(job.folder(SEED) / "checkpoint.safetensors")
    learnt = {name: value for name, value in stored.items() if not name.endswith(".row_ids")}
    assert learnt.keys() == result.state.keys()
    assert all(torch.equal(learnt[name], result.state[name]) for name in learnt)
    curve = pd.read_csv(job.folder(SEED) / "curve.csv")
    assert [epoch.valid_mae for epoch, _ in looked] == curve["valid_mae"].tolist()
    assert [epoch.train_loss for epoch, _ in looked] == curve["train_loss"].tolist()


def test_a_look_leaves_the_generators_as_they_were(job_of, monkeypatch):
    job = job_of()
    plain = train_watched(job, SEED, lambda _: None, lambda *_: None)
    predict = retrain.predict

    def wasteful(model, data):
        torch.rand(7)
        return predict(model, data)

    monkeypatch.setattr(retrain, "predict", wasteful)
    drawn = train_watched(job, SEED, lambda _: None, lambda *_: None)
    assert all(torch.equal(plain.state[name], drawn.state[name]) for name in plain.state)


def test_the_honest_epoch_has_the_metrics_of_the_run(job_of, tmp_path):
    job = job_of()
    run_seed(job, SEED, lambda _: None)
    evaluate_seed(job, SEED)
    frame = pd.read_parquet(job.folder(SEED) / "predictions.parquet")
    test = frame[frame["split"] == "test"]
    peeking = replace(job, runs=tmp_path / "peek")
    assert peek_seed(peeking, SEED, lambda _: None) == "test metrics of 2 epochs"
    found = json.loads((peeking.folder(SEED) / EPOCHS).read_text())
    (honest,) = (e for e in found["epochs"] if e["epoch"] == found["best_epoch"])
    for name, metric in METRICS.items():
        expected = metric(test["label"], test["prediction"].to_numpy()[None])[0]
        assert honest["test"][name] == pytest.approx(expected, abs=1e-7), name
    assert peek_seed(peeking, SEED, pytest.fail) == "already peeked"


def test_what_was_peeked_with_another_study_is_peeked_again(job_of, tiny, tmp_path):
    job = job_of()
    peek_seed(job, SEED, lambda _: None)
    changed = tmp_path / "changed.yaml"
    changed.write_text(tiny.file.read_text().replace("max_epochs: 2", "max_epochs: 1"))
    assert peek_seed(job_of(file=changed), SEED, lambda _: None) == "test metrics of 1 epochs"


def test_a_control_is_not_peeked_at(tiny, tmp_path, job_of):
    file = tmp_path / "control.yaml"
    file.write_text(tiny.file.read_text().replace("methods:\n", "methods:\n  label_oracle: {}\n"))
    with pytest.raises(InputError, match=r"row to peek at: found 'label_oracle', expected one of"):
        peek_seed(job_of("label_oracle", file), SEED, lambda _: None)


def test_the_command_prints_both_numbers_and_says_what_they_are(tiny, tmp_path, capsys):
    files = ["--study", tiny.file, "--store", tiny.store, "--backbone", tiny.backbone]
    files += ["--runs", tmp_path / "peek", "--out", tmp_path / "peek" / "amb.json"]
    arguments = ["peek", *map(str, files), "--method", "amb", "--seeds", "1111", "1112"]
    assert main([*arguments, "--gpus", "0"]) == 0
    page = (tmp_path / "peek" / "amb.md").read_text(encoding="utf-8")
    assert page.strip() in capsys.readouterr().out
    assert "not results" in page
    found = json.loads((tmp_path / "peek" / "amb.json").read_text())
    assert found["seeds"] == [1111, 1112]
    mae = found["metrics"]["mae"]
    assert mae["estimate"] == pytest.approx(mae["honest"] - mae["peeked"])
    assert mae["estimate"] >= 0


def test_a_tuned_row_is_peeked_at_with_its_recipe(tiny, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(tiny.file.read_text().replace("max_epochs: 2", "max_epochs: 1"))
    files = ["--study", tiny.file, "--store", tiny.store, "--backbone", tiny.backbone]
    files += ["--runs", tmp_path / "peek", "--out", tmp_path / "amb.json", "--recipe", recipe]
    arguments = ["peek", *map(str, files), "--method", "amb", "--seeds", "1111", "--gpus", "0"]
    assert main(arguments) == 0
    run = json.loads((tmp_path / "peek" / "amb" / "seed1111" / EPOCHS).read_text())
    assert len(run["epochs"]) == 1
