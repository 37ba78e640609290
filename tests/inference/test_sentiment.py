"""A trained model predicts the same from raw arrays, from a saved folder and from its run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared_backbones import replace_tokenizer
from safetensors.numpy import load_file
from tiny_results import lay_out, stored_predictions, utterances_of

from amb import AmbForSentiment, Utterance
from amb.data.store import Store
from amb.errors import InputError
from amb.model.backbone_source import prepare_backbone
from amb.model.precision import precision_of
from amb.study import BackboneSettings

BASELINES = Path(__file__).resolve().parents[2] / "baselines"
METHODS = ["amb", *sorted(p.stem for p in BASELINES.glob("*.py") if p.stem != "__init__")]


@pytest.fixture(scope="module")
def model(results):
    return AmbForSentiment.from_run(results.run("amb"))


@pytest.fixture
def saved(model, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def assert_equals_stored(predictions, run, store, rows):
    expected = stored_predictions(run)[store.utterances["id"].iloc[rows]].to_numpy()
    assert predictions.dtype == np.float32
    np.testing.assert_allclose(predictions, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_predicts_what_evaluation_stored(tiny, tmp_path, method):
    content = tiny.file.read_text().replace("max_epochs: 2", "max_epochs: 1")
    missing = f"  {method}: {{}}\n" if f"  {method}:" not in content else ""
    content = content.replace("methods:\n", "methods:\n" + missing)
    results = lay_out(tiny, tmp_path / "tiny", content)
    run, store = results.run(method), Store.open(results.store)
    if method == "label_oracle":
        with pytest.raises(
            InputError, match="found 'label_oracle', expected a method that predicts"
        ):
            AmbForSentiment.from_run(run)
        return
    model = AmbForSentiment.from_run(run)
    rows = np.random.default_rng(0).permutation(len(store.utterances))
    assert_equals_stored(model.predict(utterances_of(store, rows)), run, store, rows)
    model.save_pretrained(tmp_path / "saved")
    loaded = AmbForSentiment.from_pretrained(tmp_path / "saved", backbone=results.backbone)
    assert_equals_stored(loaded.predict(utterances_of(store, rows[:5])), run, store, rows[:5])


def test_a_model_trained_in_bf16_predicts_in_bf16_wherever_it_goes(tiny, tmp_path):
    recipe = "methods:\n  under_test: {builder: amb, training: {precision: bf16}}\n"
    content = tiny.file.read_text().replace("methods:\n", recipe)
    results = lay_out(tiny, tmp_path / "tiny", content)
    run, store = results.run("under_test"), Store.open(results.store)
    record = json.loads((run / "run.json").read_text())
    assert record["precision"] == record["config"]["method"]["training"]["precision"] == "bf16"
    model = AmbForSentiment.from_run(run)
    model.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "config.json").read_text())["precision"] == "bf16"
    loaded = AmbForSentiment.from_pretrained(tmp_path / "saved", backbone=results.backbone)
    rows = np.arange(20)
    expected = stored_predictions(run)[store.utterances["id"].iloc[rows]].to_numpy()
    for one in (model, loaded):
        # Batches differ from those of evaluation: products are summed in another order.
        predictions = one.predict(utterances_of(store, rows))
        np.testing.assert_allclose(predictions, expected, atol=2e-3, rtol=0)
        assert precision_of(one.model) == "bf16"


def test_one_utterance_at_a_time_gives_the_same(results, model):
    store = Store.open(results.store)
    rows = [3, 70, 11]
    alone = [model.predict([utterance])[0] for utterance in utterances_of(store, rows)]
    np.testing.assert_allclose(alone, model.predict(utterances_of(store, rows)), atol=1e-5, rtol=0)
    assert model.predict([]).shape == (0,)


def test_text_is_split_at_white_space(model, results):
    (utterance,) = utterances_of(Store.open(results.store), [5])
    as_text = replace(utterance, words=None, text="  ".join(utterance.words))
    assert model.predict([as_text]) == model.predict([utterance])


def test_a_text_only_row_needs_no_features_although_its_data_had_them(results, tmp_path):
    run = results.run("finetuned_text")
    model = AmbForSentiment.from_run(run)
    store = Store.open(results.store)
    words = [Utterance(words=own) for own in store.utterances["words"]]
    assert_equals_stored(model.predict(words), run, store, np.arange(len(words)))
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    trained = load_file(run / "checkpoint.safetensors")
    rows = "backbone.embeddings.word_embeddings.rows"
    assert weights[rows].shape[0] <= trained[rows].shape[0]


def test_a_saved_model_is_learned_weights_a_configuration_and_a_card(results, model, saved):
    assert sorted(file.name for file in saved.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    weights = load_file(saved / "model.safetensors")
    trained = load_file(results.run("amb") / "checkpoint.safetensors")
    assert weights.keys() == trained.keys()
    assert all(np.array_equal(weights[name], trained[name]) for name in trained)
    config = json.loads((saved / "config.json").read_text())
    record = json.loads((results.run("amb") / "run.json").read_text())
    assert config["run"]["identity_sha256"] == record["identity_sha256"]
    card = (saved / "README.md").read_text()
    assert f"MAE, test split | {config['run']['test_scores']['mae']:.4f} |" in card
    assert f"{record['best_valid_mae']:.4f}" in card
    assert "Utterance(words=WORDS, audio=AUDIO, visual=VISUAL)" in card


def test_saving_twice_gives_the_same_bytes(saved, results, tmp_path):
    AmbForSentiment.from_pretrained(saved, results.backbone).save_pretrained(tmp_path / "again")
    for file in saved.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_the_backbone_is_found_by_name_and_prepared_once(saved, cache, results):
    (utterance,) = utterances_of(Store.open(results.store), [5])
    first = AmbForSentiment.from_pretrained(saved)  # the name is the checkpoint's own folder
    (folder,) = (cache / "backbones").iterdir()
    before = (folder / "card.json").stat().st_mtime_ns
    again = AmbForSentiment.from_pretrained(saved)
    assert (folder / "card.json").stat().st_mtime_ns == before
    assert first.predict([utterance]) == again.predict([utterance])


def test_another_backbone_is_refused_with_both_hashes(saved, random_bert, cache, tmp_path):
    other = tmp_path / "other"
    card = prepare_backbone(BackboneSettings(str(random_bert), layers=1), other)
    expected = json.loads((saved / "config.json").read_text())["backbone"]["sha256"]
    message = (
        rf"backbone SHA-256: found '{card['files']['model.safetensors']}', expected {expected}"
    )
    with pytest.raises(InputError, match=message):
        AmbForSentiment.from_pretrained(saved, other)
    changed = tmp_path / "changed"
    shutil.copytree(random_bert, changed)
    config = json.loads((changed / "config.json").read_text())
    (changed / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}))
    with pytest.raises(InputError, match=rf"backbone SHA-256: .* expected {expected}"):
        AmbForSentiment.from_pretrained(saved, changed)
    assert list((cache / "backbones").iterdir()) == []


def test_another_tokenizer_over_the_same_weights_is_refused(saved, results, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(results.backbone, other)
    replace_tokenizer(other)
    with pytest.raises(InputError, match=r"tokenizer SHA-256: found '[0-9a-f]{64}', expected"):
        AmbForSentiment.from_pretrained(saved, other)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_file_of_a_prepared_backbone_is_named(saved, results, tmp_path, name):
    damaged = tmp_path / "damaged"
    shutil.copytree(results.backbone, damaged)
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[:-1])
    with pytest.raises(InputError, match=rf"damaged/{name}: SHA-256: found '[0-9a-f]{{64}}'"):
        AmbForSentiment.from_pretrained(saved, damaged)


def test_a_backbone_without_hashes_is_to_be_prepared_again(saved, results, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(results.backbone, old)
    card = json.loads((old / "card.json").read_text())
    del card["files"]
    (old / "card.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"card.json: files: found None.*amb backbone"):
        AmbForSentiment.from_pretrained(saved, old)


def test_a_run_with_another_store_or_checkpoint_is_refused(results, tmp_path):
    run = tmp_path / "tiny" / "runs" / "amb" / "seed1111"
    shutil.copytree(results.run("amb"), run)
    with pytest.raises(InputError, match=r"store/card.json: file: found 'no such file'"):
        AmbForSentiment.from_run(run)
    store = tmp_path / "tiny" / "store"
    shutil.copytree(results.store, store)
    card = json.loads((store / "card.json").read_text())
    (store / "card.json").write_text(json.dumps({**card, "content_hash": "0" * 64}))
    with pytest.raises(InputError, match=r"content_hash: found '0{64}', expected \w+, the run's"):
        AmbForSentiment.from_run(run)
    (run / "checkpoint.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"checkpoint.safetensors: SHA-256: .* the run's"):
        AmbForSentiment.from_run(run, store=results.store)
    (run / "run.json").write_text("{}")
    with pytest.raises(InputError, match=r"run.json: content: .* the record of a finished run"):
        AmbForSentiment.from_run(run, store=results.store)
    (run / "run.json").unlink()
    with pytest.raises(InputError, match=r"run.json: file: found 'no such file'"):
        AmbForSentiment.from_run(run, store=results.store)


def test_features_are_scaled_by_the_videos_that_are_given(tiny, tmp_path):
    content = tiny.file.read_text().replace("max_epochs: 2", "max_epochs: 1")
    content = content.replace("normalisation: zscore", "normalisation: per_video")
    results = lay_out(tiny, tmp_path / "tiny", content)
    run, store = results.run("amb"), Store.open(results.store)
    model = AmbForSentiment.from_run(run)
    rows = np.random.default_rng(0).permutation(len(store.utterances))
    assert_equals_stored(model.predict(utterances_of(store, rows)), run, store, rows)
    nameless = [replace(utterance, video=None) for utterance in utterances_of(store, rows[:2])]
    with pytest.raises(InputError, match=r"utterance 0: video: found None, expected the name"):
        model.predict(nameless)
    np.testing.assert_allclose(
        model.predict_store(store, "test"),
        stored_predictions(run)[store.utterances.query("split == 'test'")["id"]],
        atol=1e-5,
    )


def test_the_callers_torch_settings_are_left_as_they_were(model, results):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    torch.set_float32_matmul_precision("highest")
    AmbForSentiment.from_run(results.run("amb")).predict(
        utterances_of(Store.open(results.store), [0])
    )
    assert torch.get_float32_matmul_precision() == "highest"
    assert torch.equal(torch.rand(1), expected)


def test_a_name_that_is_no_folder_is_looked_for_on_the_hub(tmp_path):
    for name in ("somebody/model", "../x", "no such folder"):
        with pytest.raises(InputError, match=r"model: found .* a folder of save_pretrained or"):
            AmbForSentiment.from_pretrained(name)
