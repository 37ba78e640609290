"""Features are scaled when a batch is made, each by its own statistics."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from amb.data.dataset import Dataset
from amb.data.frames import ScaledFrames
from amb.data.normalisation import scaling_of
from amb.data.ragged import Ragged
from amb.data.store import Store
from amb.data.store_writer import write_store


@pytest.fixture
def store(tmp_path, tiny_dataset: Dataset) -> Store:
    rng = np.random.default_rng(8)
    audio = [rng.normal(300, 7, size=(40, 3)) for _ in range(4)]
    for sequence in audio:
        sequence[:, 2] = 0.1
    features = {"audio": Ragged.from_sequences(audio)}
    data = dataclasses.replace(tiny_dataset, features=features, word_aligned={"audio": False})
    write_store(tmp_path / "store", data)
    return Store.open(tmp_path / "store")


def batch(store: Store, kind: str, rows=range(4)):
    features = store.features("audio")
    frames = ScaledFrames.select(features, scaling_of(store, "audio", kind), np.arange(4))
    return frames.pad(torch.tensor(list(rows))).values.numpy()


def test_train_frames_have_mean_zero_and_variance_one(store: Store) -> None:
    train = batch(store, "zscore", [0, 1]).reshape(-1, 3)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(train[:, :2].std(axis=0), 1, atol=1e-4)
    assert abs(batch(store, "zscore", [3]).mean()) > 1e-3  # other splits keep their own mean


def test_frames_of_each_video_have_mean_zero_and_variance_one(store: Store) -> None:
    for own in batch(store, "per_video"):
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(own[:, :2].std(axis=0), 1, atol=1e-4)


def test_a_constant_feature_is_centred_and_not_blown_up(store: Store) -> None:
    for kind in ("zscore", "per_video"):
        np.testing.assert_allclose(batch(store, kind)[..., 2], 0, atol=1e-6)


def test_without_scaling_values_are_those_of_the_store(store: Store) -> None:
    np.testing.assert_array_equal(batch(store, "none")[2], store.features("audio")[2])


def test_videos_are_numbered_as_they_first_occur(store: Store) -> None:
    mixed = pd.Series(["b", "a", "b", "c"])
    store.utterances["video"] = mixed
    assert store.video_numbers().tolist() == [0, 1, 0, 2]
