import dataclasses

import numpy as np
import pandas as pd
import pytest

from amb.data.contract import checked
from amb.data.dataset import Dataset
from amb.data.ragged import Ragged
from amb.errors import InputError


def with_cell(dataset: Dataset, row: int, column: str, value: object) -> Dataset:
    utterances = dataset.utterances.astype(object)
    utterances.at[row, column] = value
    return dataclasses.replace(dataset, utterances=utterances)


def with_label(dataset: Dataset, row: int, value: float) -> Dataset:
    labels = dataset.labels.copy()
    labels.loc[row, "label"] = np.float32(value)
    return dataclasses.replace(dataset, labels=labels)


def with_audio(dataset: Dataset, audio: Ragged) -> Dataset:
    return dataclasses.replace(dataset, features={**dataset.features, "audio": audio})


def test_sound_data_pass_unchanged(tiny_dataset: Dataset) -> None:
    result = checked(tiny_dataset, "study.yaml")
    assert result.utterances.equals(tiny_dataset.utterances)


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (1, "id", "a[0]", r"unique ids: a\[0\]: found '2 utterances', expected one"),
        (3, "video", "a", "disjoint splits: video a: found 'test and train'"),
        (1, "split", "dev", r"splits: b\[0\]: found 'dev'"),
        (3, "split", "valid", "non-empty splits: test: found 0"),
        (2, "text", "  ", r"text: c\[0\]: found '  '"),
        (2, "words", [], r"text: c\[0\]"),
        (0, "words", ["good"], r"audio frames: a\[0\]: found 2, expected 1, one a word"),
    ],
)
def test_broken_utterance_is_refused_by_name(
    tiny_dataset: Dataset, row: int, column: str, value: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        checked(with_cell(tiny_dataset, row, column, value), "study.yaml")


def test_speaker_in_two_splits_is_refused(tiny_dataset: Dataset) -> None:
    one = with_cell(with_cell(tiny_dataset, 0, "speaker", "ann"), 3, "speaker", "ann")
    with pytest.raises(InputError, match="disjoint splits: speaker ann"):
        checked(one, "study.yaml")


@pytest.mark.parametrize("value", [3.001, -3.2, np.nan, np.inf])
def test_label_out_of_range_is_refused(tiny_dataset: Dataset, value: float) -> None:
    with pytest.raises(InputError, match=rf"label range: c\[0\]: found {str(value)[:4]}"):
        checked(with_label(tiny_dataset, 2, value), "study.yaml")


def test_label_beyond_three_by_rounding_passes(tiny_dataset: Dataset) -> None:
    checked(with_label(tiny_dataset, 2, 3.0000002), "study.yaml")


def test_utterance_without_its_label_is_refused(tiny_dataset: Dataset) -> None:
    fewer = dataclasses.replace(tiny_dataset, labels=tiny_dataset.labels.iloc[:3])
    with pytest.raises(InputError, match=r"one label an utterance: d\[0\]: found '0 labels'"):
        checked(fewer, "study.yaml")


def test_utterance_with_two_labels_is_refused(tiny_dataset: Dataset) -> None:
    twice = pd.concat([tiny_dataset.labels, tiny_dataset.labels.iloc[:1]], ignore_index=True)
    with pytest.raises(InputError, match=r"one label an utterance: a\[0\]: found '2 labels'"):
        checked(dataclasses.replace(tiny_dataset, labels=twice), "study.yaml")


def test_labels_in_another_order_are_refused(tiny_dataset: Dataset) -> None:
    turned = tiny_dataset.labels.iloc[::-1].reset_index(drop=True)
    with pytest.raises(InputError, match="the order of utterances"):
        checked(dataclasses.replace(tiny_dataset, labels=turned), "study.yaml")


def test_missing_sequence_is_refused(tiny_dataset: Dataset) -> None:
    audio = tiny_dataset.features["audio"]
    fewer = Ragged(audio.values[:6], audio.offsets[:4])
    with pytest.raises(InputError, match="audio sequences: found 3, expected 4"):
        checked(with_audio(tiny_dataset, fewer), "study.yaml")


def test_features_of_no_dimension_are_refused(tiny_dataset: Dataset) -> None:
    audio = tiny_dataset.features["audio"]
    with pytest.raises(InputError, match="audio dimensions"):
        checked(with_audio(tiny_dataset, Ragged(audio.values[:, :0], audio.offsets)), "study.yaml")


def test_split_sizes_of_a_published_data_set_are_checked(tiny_dataset: Dataset) -> None:
    claimed = dataclasses.replace(tiny_dataset, known_as="mosi")
    with pytest.raises(InputError, match=r"mosi .*found '2/1/1', expected 1284/229/686"):
        checked(claimed, "study.yaml")
    checked(dataclasses.replace(tiny_dataset, known_as="other"), "study.yaml")
