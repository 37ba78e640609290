"""A pass over the grid: level 0 is the clean prediction, and everything is put back afterwards."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch
import yaml

from amb.cli import main
from amb.evaluation.corrupt import corrupt_seed
from amb.evaluation.corruption.encoders import EmbeddingNoise, encoders_of
from amb.evaluation.corruption.fields import FieldKey
from amb.evaluation.corruption.grid import CorruptionScales, predict_clean, predict_corrupted
from amb.evaluation.corruption.points import GridPoint
from amb.evaluation.predict import evaluate_seed, load_frozen
from amb.evaluation.reading import read_predictions
from amb.training.predict import predict
from amb.training.run import open_context, run_seed

GAUSSIAN = {"draws": 1, "grid": [{"kind": "gaussian", "targets": ["audio"], "levels": [1]}]}


@pytest.fixture
def trained(grid_job):
    """A job with one trained and evaluated seed."""

    def make(name, **row):
        job = grid_job(name, **row)
        run_seed(job, 1111, lambda _: None)
        evaluate_seed(job, 1111)
        return job

    return make


def by_corruption(job):
    folder = job.folder(1111)
    frame = read_predictions([folder / "predictions.parquet", folder / "corrupted.parquet"])
    test = frame[frame["split"] == "test"]
    return {
        name: rows.set_index("utterance")["prediction"] for name, rows in test.groupby("corruption")
    }


@pytest.mark.parametrize("method", ["amb", "finetuned_fusion", "late_fusion", "mult"])
def test_level_zero_is_the_clean_prediction_to_the_bit_and_no_other_level_is(trained, method):
    job = trained(method)
    clean_bytes = (job.folder(1111) / "predictions.parquet").read_bytes()
    corrupt_seed(job, 1111)
    found = by_corruption(job)
    assert (job.folder(1111) / "predictions.parquet").read_bytes() == clean_bytes
    assert len(found) == 23
    for name, predicted in found.items():
        level = "0" if name == "none" else name.split(":")[2]
        assert predicted.equals(found["none"]) == (level == "0"), name


def test_two_methods_and_two_seeds_meet_the_same_inputs(trained, monkeypatch):
    from amb.evaluation.corruption import inputs

    seen = []
    original = inputs.corrupt_frames

    def spy(frames, point, modality, utterances, unit):
        corrupted = original(frames, point, modality, utterances, unit)
        seen.append((point.name, modality, corrupted.values.clone()))
        return corrupted

    monkeypatch.setattr(inputs, "corrupt_frames", spy)
    passes = []
    for method in ("amb", "late_fusion"):
        job = trained(method)
        corrupt_seed(job, 1111)
        passes.append(list(seen))
        seen.clear()
    assert passes[0]
    for one, other in zip(*passes, strict=True):
        assert one[:2] == other[:2]
        assert torch.equal(one[2], other[2])


def test_a_done_pass_is_not_repeated_until_the_grid_changes(trained, grid_job):
    job = trained("amb")
    assert "at 22 points" in corrupt_seed(job, 1111)
    assert corrupt_seed(job, 1111) == "already predicted"
    assert corrupt_seed(grid_job("amb", grid=GAUSSIAN), 1111) == "24 predictions at 1 points"


def test_embedding_noise_neither_reads_nor_poisons_the_memory_of_texts(trained):
    job = trained("late_fusion")
    model, context = load_frozen(job, 1111), open_context(job)
    (encoder,) = encoders_of(model)
    test, scales = context.splits["test"], CorruptionScales.of(context)
    clean = predict_clean(model, context.splits)
    memory, known = encoder.memory, dict(encoder.memory._states)
    for name in ("embedding_noise:text:1:0", "token_mask:text:0.5:0", "missing:text:1:0"):
        noisy = predict_corrupted(model, test, GridPoint.parse(name), scales)
        assert not torch.equal(noisy, clean)
        assert encoder.memory is memory
        assert memory._states == known
    assert torch.equal(predict(model, test), clean)


def test_the_hook_is_gone_after_a_failure(trained):
    model = load_frozen(trained("amb"), 1111)
    (encoder,) = encoders_of(model)
    noise = EmbeddingNoise(FieldKey("embedding_noise", "text", 0), 1.0, 32)
    table = encoder.embeddings.word_embeddings
    with pytest.raises(RuntimeError, match="embeds whole batches"), noise.on(model):
        table(torch.arange(3))
    assert table(torch.arange(3)).shape == (3, 32)


def test_a_method_without_word_embeddings_is_marked_and_has_no_rows(trained):
    job = trained("audio_only", builder="unimodal", options={"modality": "audio"})
    note = corrupt_seed(job, 1111)
    assert "not applicable: embedding_noise:text:1 (has no word embeddings)" in note
    found = by_corruption(job)
    assert "embedding_noise:text:1:0" not in found
    assert found["token_mask:text:0.5:1"].equals(found["none"])  # reads no word
    assert not found["missing:audio:1:0"].equals(found["none"])


def test_only_the_test_split_is_corrupted_and_has_its_labels(trained):
    job = trained("amb")
    corrupt_seed(job, 1111)
    clean = pd.read_parquet(job.folder(1111) / "predictions.parquet").query("split == 'test'")
    noisy = pd.read_parquet(job.folder(1111) / "corrupted.parquet")
    assert set(noisy["split"]) == {"test"}
    own = noisy.query("corruption == 'gaussian:audio:1:1'")
    assert own["utterance"].tolist() == clean["utterance"].tolist()
    assert own["label"].tolist() == clean["label"].tolist()


def test_a_study_without_a_grid_and_a_control_row_are_refused(grid_job, tiny, tmp_path, capsys):
    job = grid_job("oracle", builder="label_oracle")
    common = ["--store", str(tiny.store), "--backbone", str(tiny.backbone), "--seeds", "1111"]
    common += ["--runs", str(tmp_path), "--gpus", "0"]
    command = ["corrupt", "--study", str(job.study_file), "--method", "oracle", *common]
    assert main(command) == 2
    assert "--method: found 'oracle'" in capsys.readouterr().err
    open_context.cache_clear()
    command = ["corrupt", "--study", str(tiny.file), "--method", "amb", *common]
    assert main(command) == 2
    assert "corruption: found 'no such section'" in capsys.readouterr().err


TEXTS = """video_id,clip_id,text,label,mode
v1,1,fine,-1,train
v2,1,bad,0.5,valid
v3,7,good,3.0,test
"""


def test_a_grid_that_corrupts_what_the_data_lack_is_refused_by_the_check(tiny, tmp_path, capsys):
    content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
    content["data"] = {"reader": "label_csv", "label_csv": {"dataset": "other", "file": "t.csv"}}
    content["methods"] = {"finetuned_text": {}}
    content["statistics"]["reference"] = "finetuned_text"
    content["corruption"] = GAUSSIAN
    (tmp_path / "t.csv").write_text(TEXTS)
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    command = ["--study", str(study), "--out", str(tmp_path / "store")]
    assert main(["data", "prepare", *command, "--data-root", str(tmp_path)]) == 0
    command = ["--study", str(study), "--store", str(tmp_path / "store")]
    command += ["--backbone", str(tiny.backbone), "--out", str(tmp_path / "methods.json")]
    assert main(["check", *command]) == 2
    expected = "modalities: found 'text', expected audio for the corruption gaussian"
    assert expected in capsys.readouterr().err


def test_texts_that_training_has_met_are_remembered_as_evaluation_remembered_them(trained):
    job = trained("late_fusion")
    splits = open_context(job).splits
    train, test = splits["train"], splits["test"]
    rows = torch.arange(len(test))
    same_texts = replace(
        test, token_ids=train.token_ids.take(rows), word_index=train.word_index.take(rows)
    )
    model = load_frozen(job, 1111)
    for split in ("train", "valid"):
        predict(model, splits[split])
    evaluated = predict(model, same_texts)
    again = predict_clean(load_frozen(job, 1111), {**splits, "test": same_texts})
    assert torch.equal(again, evaluated)
