"""Models of data without words: precomputed token states stand in for them."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import yaml
from tiny_results import Results, stored_predictions, utterances_of

from amb import AmbForSentiment
from amb.data.dataset import Dataset
from amb.data.firewall import read_test_labels
from amb.data.store import Store
from amb.data.store_writer import write_store
from amb.errors import InputError


@pytest.fixture
def text_free(results, tmp_path):
    """The tiny study without words; its visual features are called token states."""
    store = Store.open(results.store)
    labels = {**dict(store.labels().to_numpy()), **dict(read_test_labels(store.path).to_numpy())}
    ids = store.utterances["id"]
    dataset = Dataset(
        utterances=store.utterances.assign(text="", words=[[] for _ in ids]),
        features={"audio": store.features("audio"), "text_states": store.features("visual")},
        labels=ids.to_frame().assign(label=ids.map(labels).astype(np.float32)),
        word_aligned={"audio": False, "text_states": False},
        has_text=False,
    )
    folder = tmp_path / "text_free"
    write_store(folder / "store", dataset)
    shutil.copytree(results.backbone, folder / "backbone")
    content = yaml.safe_load(results.study_file.read_text())
    content["methods"]["late_fusion"] = {"options": {"text": "states"}}
    (folder / "study.yaml").write_text(yaml.safe_dump(content))
    return Results(folder, folder / "study.yaml")


def test_token_states_are_read_in_place_of_words(text_free):
    run, store = text_free.run("late_fusion"), Store.open(text_free.store)
    model = AmbForSentiment.from_run(run)
    assert set(model.config.read_features) == {"audio", "text_states"}
    rows = np.arange(0, len(store.utterances), 7)
    utterances = [dataclasses.replace(own, words=None) for own in utterances_of(store, rows)]
    expected = stored_predictions(run)[store.utterances["id"].iloc[rows]]
    np.testing.assert_allclose(model.predict(utterances), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict_store(store)[rows], expected, atol=1e-5)


def test_a_store_with_words_does_not_fit(text_free, results):
    model = AmbForSentiment.from_run(text_free.run("late_fusion"))
    with pytest.raises(InputError, match=r"text: found 'utterances with text'"):
        model.predict_store(Store.open(results.store))
