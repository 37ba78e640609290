"""Who is shown which labels when predictions are made; what a control changes in them."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
import yaml

from amb.cli import main
from amb.data.batches import SplitData
from amb.evaluation.predict import evaluate_seed
from amb.training.check import check_method
from amb.training.job import Job
from amb.training.run import identify, open_context, run_seed
from baselines.label_oracle import LabelOracle

TEST_ROWS = 24


@pytest.fixture
def job_of(tiny, tmp_path):
    """A job of a row that is added to the tiny study."""

    def make(name, **row):
        content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
        content["methods"] = {**content["methods"], name: row}
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        open_context.cache_clear()
        return Job(file, tiny.store, tiny.backbone, name, tmp_path / "runs", "cpu")

    return make


@pytest.fixture
def seen(monkeypatch):
    """Which labels were in the batches, by the utterances of their split."""
    found = {}
    make_batch = SplitData.batch

    def spy(self, rows, seeds=1):
        batch = make_batch(self, rows, seeds)
        found.setdefault(tuple(self.utterances), []).append(batch.labels is not None)
        return batch

    monkeypatch.setattr(SplitData, "batch", spy)
    return found


@pytest.mark.parametrize("method", ["amb", "mean_predictor"])
def test_no_other_model_gets_a_batch_with_test_labels(job_of, seen, method):
    job = job_of(method)
    run_seed(job, 1111, lambda _: None)
    evaluate_seed(job, 1111)
    test = tuple(open_context(job).splits["test"].utterances)
    assert len(test) == TEST_ROWS
    assert not any(seen.pop(test))
    assert all(all(labelled) for labelled in seen.values())


def test_the_oracle_gets_test_labels_in_evaluation_only(job_of, seen):
    job = job_of("label_oracle")
    check_method(job)
    run_seed(job, 1111, lambda _: None)
    test = tuple(open_context(job).splits["test"].utterances)
    assert test not in seen
    evaluate_seed(job, 1111)
    assert seen[test] == [True]
    assert open_context(job).splits["test"].labels is None  # what is shared stays blind


def test_the_oracle_cannot_predict_without_labels(job_of):
    data = open_context(job_of("label_oracle")).splits["test"]
    with pytest.raises(AssertionError, match="has to be shown the labels"):
        LabelOracle()(data.batch(torch.arange(2)))


def test_a_control_changes_training_and_keeps_the_labels_of_the_prediction_file(job_of):
    intact = job_of("amb")
    run_seed(intact, 1111, lambda _: None)
    evaluate_seed(intact, 1111)
    reference = pd.read_parquet(intact.folder(1111) / "predictions.parquet")
    identities = {identify(intact, 1111)["config_sha256"]}
    for control in ("shuffled_audio", "shuffled_text", "permuted_labels"):
        job = job_of(f"amb_{control}", builder="amb", control=control)
        identities.add(identify(job, 1111)["config_sha256"])
        run_seed(job, 1111, lambda _: None)
        evaluate_seed(job, 1111)
        frame = pd.read_parquet(job.folder(1111) / "predictions.parquet")
        assert frame["utterance"].equals(reference["utterance"])
        assert frame["label"].equals(reference["label"])
        assert (frame["prediction"] != reference["prediction"]).any()
    assert len(identities) == 4


def test_training_on_permuted_labels_permutes_no_feature(job_of):
    plain = open_context(job_of("amb")).splits["train"].batch(torch.arange(4))
    job = job_of("amb_permuted", builder="amb", control="permuted_labels")
    permuted = open_context(job).splits["train"].batch(torch.arange(4))
    assert torch.equal(plain.token_ids, permuted.token_ids)
    assert torch.equal(plain.frames["audio"].values, permuted.frames["audio"].values)
    assert not torch.equal(plain.labels, permuted.labels)


TEXTS = """video_id,clip_id,text,label,mode
v1,1,fine,-1,train
v2,1,bad,0.5,valid
v3,7,good,3.0,test
"""


def test_a_control_of_what_the_data_lack_is_refused_by_the_check(tiny, tmp_path, capsys):
    content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
    content["data"] = {"reader": "label_csv", "label_csv": {"dataset": "other", "file": "t.csv"}}
    row = {"builder": "finetuned_text", "control": "shuffled_visual"}
    content["methods"] = {"finetuned_text": {}, "shuffled": row}
    content["statistics"]["reference"] = "finetuned_text"
    (tmp_path / "t.csv").write_text(TEXTS)
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    command = ["--study", str(study), "--out", str(tmp_path / "store")]
    assert main(["data", "prepare", *command, "--data-root", str(tmp_path)]) == 0
    command = ["--study", str(study), "--store", str(tmp_path / "store")]
    command += ["--backbone", str(tiny.backbone), "--out", str(tmp_path / "methods.json")]
    assert main(["check", *command]) == 2
    expected = "modalities: found 'text', expected visual for the control shuffled_visual"
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "methods.json").exists()
