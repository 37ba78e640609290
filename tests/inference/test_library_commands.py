"""``amb export``, ``amb predict``, and every block of the document about them."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_results import stored_predictions

from amb.cli import main
from amb.data.dataset import Dataset
from amb.data.ragged import Ragged
from amb.data.store import Store
from amb.data.store_writer import write_store

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "library.md"


def blocks(language):
    text = DOCUMENT.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def documented(results, tmp_path, monkeypatch):
    """A working folder in which the document's paths lead to the tiny study."""
    run = results.run("amb")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "demo").symlink_to(results.folder)
    monkeypatch.chdir(tmp_path)
    return run


def test_every_command_of_the_document_runs(documented, results, capsys):
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 2
    for command in commands:
        assert main(shlex.split(command)[1:]) == 0
    assert "MB of learned weights" in capsys.readouterr().out
    table = pd.read_csv("predictions.csv")
    assert list(table.columns) == ["utterance", "video", "split", "prediction"]
    assert set(table["split"]) == {"test"}
    expected = stored_predictions(documented)[table["utterance"]]
    np.testing.assert_allclose(table["prediction"], expected, atol=1e-5)


def test_the_code_of_the_document_runs(documented, capsys):
    (code,) = blocks("python")
    names = {}
    exec(code, names)
    assert names["predictions"].shape == (2,)
    assert np.isfinite(names["predictions"]).all()
    assert capsys.readouterr().out.splitlines()[0].startswith("audio 12 one frame a word")


def predict(*arguments):
    return main(["predict", "--gpus", "0", *map(str, arguments)])


def test_a_store_without_any_labels_is_predicted_whole(results, tmp_path):
    run, store, out = results.run("amb"), tmp_path / "store", tmp_path / "out.parquet"
    shutil.copytree(results.store, store)
    for file in store.glob("labels*"):
        file.unlink()
    assert predict("--checkpoint", run, "--input", store, "--out", out) == 0
    table = pd.read_parquet(out)
    assert table["utterance"].tolist() == Store.open(results.store).utterances["id"].tolist()
    expected = stored_predictions(run)[table["utterance"]]
    np.testing.assert_allclose(table["prediction"], expected, atol=1e-5)


def write_changed(results, folder, change):
    """A store like the run's, but for its features, as ``change`` mends them."""
    store = Store.open(results.store)
    features = {m: store.features(m) for m in store.modalities}
    aligned = store.word_aligned
    change(features, aligned)
    labels = store.utterances[["id"]].assign(label=np.float32(0))
    write_store(folder, Dataset(store.utterances, features, labels, aligned))


def test_features_are_scaled_as_in_training_whatever_the_store(results, tmp_path):
    first_test = Store.open(results.store).utterances["split"].tolist().index("test")

    def louder_training(features, aligned):
        audio = features["audio"]
        values = audio.values.copy()
        values[: audio.offsets[first_test]] *= 100
        features["audio"] = Ragged(values, audio.offsets)

    write_changed(results, tmp_path / "other", louder_training)
    run, out = results.run("amb"), tmp_path / "out.csv"
    arguments = ("--input", tmp_path / "other", "--out", out, "--split", "test")
    assert predict("--checkpoint", run, *arguments) == 0
    table = pd.read_csv(out)
    expected = stored_predictions(run)[table["utterance"]]
    np.testing.assert_allclose(table["prediction"], expected, atol=1e-5)


def narrower(features, aligned):
    features["audio"] = Ragged(features["audio"].values[:, 1:], features["audio"].offsets)


def not_aligned(features, aligned):
    aligned["visual"] = False


def without_visual(features, aligned):
    del features["visual"], aligned["visual"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (narrower, r"dimensions.audio: found \d+, expected \d+, the model's"),
        (not_aligned, r"word_aligned.visual: found False, expected True, the model's"),
        (without_visual, r"modalities: found 'audio', expected visual too"),
    ],
)
def test_a_store_that_does_not_fit_is_refused(results, tmp_path, capsys, change, message):
    write_changed(results, tmp_path / "other", change)
    arguments = ("--input", tmp_path / "other", "--out", tmp_path / "out.csv")
    assert predict("--checkpoint", results.run("amb"), *arguments) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out.csv").exists()


def test_a_suffix_that_is_no_table_is_refused_before_anything_is_read(tmp_path, capsys):
    arguments = ("--checkpoint", "x", "--input", "y", "--out", tmp_path / "out.txt")
    assert predict(*arguments) == 2
    assert "suffix: found '.txt', expected .csv or .parquet" in capsys.readouterr().err
