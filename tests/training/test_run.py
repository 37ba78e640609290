"""Runs on disk: complete or absent, reproducible, blind to test labels."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from prepared_backbones import replace_tokenizer
from safetensors.numpy import load_file

from amb.cli import main
from amb.data.store import Store
from amb.errors import InputError
from amb.evaluation.predict import evaluate_seed
from amb.training import memory
from amb.training.job import Job
from amb.training.progress import RunProgress
from amb.training.run import OUTPUTS, is_complete, open_context, run_pack, run_seed
from amb.training.seeds import derive_seed
from amb.training.workers import run_seeds


@pytest.fixture
def job(tiny, tmp_path):
    open_context.cache_clear()
    return Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path / "runs", "cpu")


def contents(folder):
    """The bytes that must not differ between equal runs: the record has times in it."""
    return (folder / "checkpoint.safetensors").read_bytes()


def test_a_run_leaves_its_files_and_its_record(job):
    run_seed(job, 1111, lambda _: None)
    folder = job.folder(1111)
    assert sorted(path.name for path in folder.iterdir()) == sorted(OUTPUTS)
    record = json.loads((folder / "run.json").read_text())
    assert record["method"] == "amb"
    assert record["seed"] == 1111
    assert record["parameters"]["trainable"] < record["parameters"]["total"]
    assert record["wall_time_s"] > 0
    assert record["peak_memory_bytes"] > 1e6
    assert record["threads"] == 1
    curve = pd.read_csv(folder / "curve.csv")
    assert list(curve.epoch) == [1, 2]
    assert curve.valid_mae.min() == pytest.approx(record["best_valid_mae"])


@pytest.mark.parametrize("seeds", [[1111], [1111, 1112]])
def test_features_that_do_not_fit_are_streamed_and_change_no_bit(job, monkeypatch, capfd, seeds):
    held = replace(job, runs=job.runs / "held")
    run_pack(held, seeds, lambda seed, epoch: None)
    streamed = replace(job, runs=job.runs / "streamed")
    open_context.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(memory, "free_bytes", lambda device: 10_000)
        run_pack(streamed, seeds, lambda seed, epoch: None)
    assert all(f.stream for f in open_context(streamed).splits["train"].frames.values())
    assert "brought batch by batch" in capfd.readouterr().err
    for seed in seeds:
        for one in (held, streamed):
            evaluate_seed(one, seed)
        assert contents(held.folder(seed)) == contents(streamed.folder(seed))
        frames = [pd.read_parquet(j.folder(seed) / "predictions.parquet") for j in (held, streamed)]
        pd.testing.assert_frame_equal(*frames)
    open_context.cache_clear()


def test_the_checkpoint_holds_trainable_weights_only(job):
    run_seed(job, 1111, lambda _: None)
    names = load_file(job.folder(1111) / "checkpoint.safetensors").keys()
    assert {name.split(".")[0] for name in names} == {"adapters", "fusion", "audiovisual", "head"}


def test_a_fine_tuned_checkpoint_stores_only_the_embeddings_that_changed(job, tiny):
    tuned = replace(job, method="finetuned_text")
    run_seed(tuned, 1111, lambda _: None)
    size = (tuned.folder(1111) / "checkpoint.safetensors").stat().st_size
    assert size < 0.25 * (tiny.backbone / "model.safetensors").stat().st_size
    evaluate_seed(tuned, 1111)  # refuses a checkpoint that does not restore the model


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(job, tmp_path):
    again = replace(job, runs=tmp_path / "again")
    for one in (job, again):
        run_seed(one, 1111, lambda _: None)
    run_seed(job, 1112, lambda _: None)
    assert contents(job.folder(1111)) == contents(again.folder(1111))
    assert contents(job.folder(1111)) != contents(job.folder(1112))


def test_workers_give_the_bits_of_a_run_alone(job, tmp_path, capsys):
    run_seed(job, 1111, lambda _: None)
    beside = replace(job, runs=tmp_path / "beside")
    with RunProgress("amb", 2) as progress:
        assert run_seeds("amb.training.run:run_seed", beside, [1111, 1112], 2, progress) == {}
    assert contents(job.folder(1111)) == contents(beside.folder(1111))
    lines = capsys.readouterr().err.splitlines()
    assert sum("epoch 2/2" in line for line in lines) == 2


def test_training_needs_no_test_labels(job, tiny, tmp_path):
    blind = tmp_path / "blind_store"
    shutil.copytree(tiny.store, blind)
    (blind / "labels.test.parquet").unlink()
    without = replace(job, store=blind, runs=tmp_path / "blind_runs")
    run_seed(job, 1111, lambda _: None)
    run_seed(without, 1111, lambda _: None)
    assert contents(job.folder(1111)) == contents(without.folder(1111))
    assert not set(Store.open(tiny.store).labels()["id"]) & set(
        open_context(job).splits["test"].utterances
    )
    with pytest.raises(InputError, match=r"labels.test.parquet"):
        evaluate_seed(without, 1111)


def test_a_complete_run_is_left_alone(job):
    run_seed(job, 1111, lambda _: None)
    before = (job.folder(1111) / "run.json").read_bytes()
    assert run_seed(job, 1111, pytest.fail) == "already complete"
    assert (job.folder(1111) / "run.json").read_bytes() == before


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_run_that_misses_a_file_is_not_complete(job, name):
    run_seed(job, 1111, lambda _: None)
    assert is_complete(job, 1111)
    (job.folder(1111) / name).unlink()
    assert not is_complete(job, 1111)


def test_a_changed_study_or_checkpoint_makes_a_run_stale(job, tmp_path):
    run_seed(job, 1111, lambda _: None)
    changed = tmp_path / "changed.yaml"
    changed.write_text(job.study_file.read_text().replace("patience: 2", "patience: 1"))
    assert not is_complete(replace(job, study_file=changed), 1111)
    open_context.cache_clear()
    assert is_complete(job, 1111)
    checkpoint = job.folder(1111) / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1] + b"\0")
    assert not is_complete(job, 1111)


def test_another_tokenizer_makes_a_run_stale(job, tiny, tmp_path):
    run_seed(job, 1111, lambda _: None)
    other = shutil.copytree(tiny.backbone, tmp_path / "backbone")
    again = replace(job, backbone=other)
    assert is_complete(again, 1111)
    replace_tokenizer(other)
    open_context.cache_clear()
    assert not is_complete(again, 1111)


def test_a_damaged_backbone_is_named_before_training(job, tiny, tmp_path):
    damaged = shutil.copytree(tiny.backbone, tmp_path / "backbone")
    file = damaged / "tokenizer.json"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match=rf"{file}: SHA-256: found '[0-9a-f]{{64}}', expected"):
        run_seed(replace(job, backbone=damaged), 1111, lambda _: None)


def test_a_checkpoint_that_is_not_the_recorded_one_is_not_evaluated(job):
    run_seed(job, 1111, lambda _: None)
    checkpoint = job.folder(1111) / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-4] + b"\1\2\3\4")
    with pytest.raises(InputError, match=r"checkpoint.safetensors: SHA-256: found"):
        evaluate_seed(job, 1111)


def test_a_failing_seed_does_not_stop_the_others(job, tmp_path):
    blocked = job.folder(1111)
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way")
    with RunProgress("amb", 2) as progress:
        failed = run_seeds("amb.training.run:run_seed", job, [1111, 1112], 1, progress)
    assert list(failed) == [1111]
    assert is_complete(job, 1112)


def test_seeds_of_a_pack_leave_runs_like_any_other(tiny, tmp_path, capsys):
    command = ["train", "--study", str(tiny.file), "--store", str(tiny.store)]
    command += ["--backbone", str(tiny.backbone), "--gpus", "0", "--runs", str(tmp_path)]
    alone, packed = [*command, "--seeds", "1111"], [*command, "--pack", "2"]
    packed += ["--seeds", "1111", "1112", "1113"]
    assert main([*alone, "--method", "amb"]) == 0
    expected = json.loads((tmp_path / "amb" / "seed1111" / "run.json").read_text())
    (tmp_path / "amb" / "seed1111" / "run.json").unlink()
    assert main([*packed, "--method", "amb"]) == 0
    job = Job(tiny.file, tiny.store, tiny.backbone, "amb", tmp_path, "cpu")
    records = [json.loads((job.folder(s) / "run.json").read_text()) for s in (1111, 1112, 1113)]
    assert [record["packed_seeds"] for record in records] == [[1111, 1112]] * 2 + [[1113]]
    assert all(is_complete(job, seed) for seed in (1111, 1112, 1113))
    assert records[0]["best_valid_mae"] == pytest.approx(expected["best_valid_mae"], abs=1e-4)
    assert main([*packed, "--method", "amb"]) == 0
    assert capsys.readouterr().err.count("already complete") == 3


def test_seeds_that_cannot_be_one_model_train_in_turn_and_say_so(tiny, tmp_path, capfd):
    content = tiny.file.read_text(encoding="utf-8")
    file = tmp_path / "study.yaml"
    file.write_text(content.replace("methods:\n", "methods:\n  misa: {}\n"), encoding="utf-8")
    job = Job(file, tiny.store, tiny.backbone, "misa", tmp_path / "runs", "cpu")
    ends = run_pack(job, [1, 2], lambda seed, epoch: None)
    assert "misa: seeds train one after another" in capfd.readouterr().err
    assert all(is_complete(job, seed) and "best epoch" in ends[seed] for seed in (1, 2))


def test_predictions_are_made_once_and_again_when_they_are_gone_or_another_s(job):
    run_seed(job, 1111, lambda _: None)
    assert evaluate_seed(job, 1111) == "78 predictions"
    file = job.folder(1111) / "predictions.parquet"
    before = file.read_bytes()
    assert evaluate_seed(job, 1111) == "already predicted"
    file.unlink()
    assert evaluate_seed(job, 1111) == "78 predictions"
    assert file.read_bytes() == before
    run_seed(job, 1112, lambda _: None)
    evaluate_seed(job, 1112)
    shutil.copy(job.folder(1112) / "predictions.parquet", file)
    assert evaluate_seed(job, 1111) == "78 predictions"
    assert file.read_bytes() == before


def test_predictions_cover_every_split_once(job, tiny):
    run_seed(job, 1111, lambda _: None)
    evaluate_seed(job, 1111)
    frame = pd.read_parquet(job.folder(1111) / "predictions.parquet")
    assert frame.groupby("split").size().to_dict() == {"train": 36, "valid": 18, "test": 24}
    assert set(frame.columns) == {
        "method", "seed", "split", "corruption", "utterance", "video", "label", "prediction"
    }  # fmt: skip
    valid = frame[frame.split == "valid"]
    record = json.loads((job.folder(1111) / "run.json").read_text())
    mae = (valid.prediction - valid.label).abs().mean()
    assert mae == pytest.approx(record["best_valid_mae"], abs=1e-5)


def test_every_stream_of_a_seed_is_its_own():
    seeds = {derive_seed(p, s) for p in ("initialisation", "order", "dropout") for s in range(100)}
    assert len(seeds) == 300
    assert derive_seed("order", 1111) == 3093946643949151802
    assert len({derive_seed("order", 1, *place) for place in ((), (1,), (11,), (1, 1))}) == 4


def test_the_command_line_names_an_unknown_method(tiny, tmp_path, capsys):
    common = ["--study", str(tiny.file), "--store", str(tiny.store)]
    common += ["--backbone", str(tiny.backbone), "--runs", str(tmp_path)]
    assert main(["train", *common, "--method", "ambb", "--seeds", "1"]) == 2
    assert "methods: found 'ambb', expected one of amb, finetuned_fusion" in capsys.readouterr().err
