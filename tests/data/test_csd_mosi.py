"""The reader on the real CMU-MOSI; skipped where its files are not at hand."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from amb.data.contract import checked
from amb.data.dataset import Dataset
from amb.data.formats.csd import read_csd

AUDIO = "mosi/MOSI_audio_openSMILE73_utterance.csd"
OPTIONS = {
    "dataset": "mosi",
    "labels": "mosi/CMU_MOSI_Opinion_Labels.csd",
    "folds": "mosi/standard_folds.txt",
    "text": "mosi/transcripts_labels.csv",
    "audio": AUDIO,
}


@pytest.fixture(scope="module")
def from_transcripts(real_data: Path) -> Dataset:
    return checked(read_csd(OPTIONS, real_data), "study")


@pytest.fixture(scope="module")
def from_words(real_data: Path) -> Dataset:
    words = "mosi/CMU_MOSI_ModifiedTimestampedWords.csd"
    return checked(read_csd({**OPTIONS, "text": words}, real_data), "study")


def test_split_sizes_are_the_published_ones(from_transcripts: Dataset) -> None:
    sizes = from_transcripts.utterances["split"].value_counts()
    assert (sizes["train"], sizes["valid"], sizes["test"]) == (1284, 229, 686)
    assert from_transcripts.utterances["video"].nunique() == 93


def test_known_utterance_has_its_text_and_label(from_transcripts: Dataset) -> None:
    utterances = from_transcripts.utterances.set_index("id")
    labels = from_transcripts.labels.set_index("id")["label"]
    assert utterances.loc["03bSnISJMiM[0]", "text"] == "ANYHOW IT WAS REALLY GOOD"
    assert labels["03bSnISJMiM[0]"] == np.float32(2.4)
    # two rows of one interval keep their own labels
    assert labels["bOL9jKpeJRs[23]"] == np.float32(-1.0)
    assert labels["bOL9jKpeJRs[24]"] == np.float32(-0.6)


def test_audio_rows_are_those_of_the_file(from_transcripts: Dataset, real_data: Path) -> None:
    with h5py.File(real_data / AUDIO) as opened:
        videos = opened["openSMILE73_utterance/data"]
        for row in (0, 125, 1283, 1500, 2198):
            utterance = from_transcripts.utterances.iloc[row]
            expected = videos[utterance["video"]]["features"][int(utterance["clip"])]
            np.testing.assert_array_equal(from_transcripts.features["audio"][row], expected[None])
    assert from_transcripts.word_aligned == {"audio": False}


def test_timestamped_words_agree_with_transcripts(
    from_words: Dataset, from_transcripts: Dataset
) -> None:
    assert from_words.utterances["id"].equals(from_transcripts.utterances["id"])
    overlaps = [
        len(spoken & written) / len(spoken | written)
        for spoken, written in zip(
            from_words.utterances["words"].map(set),
            from_transcripts.utterances["text"].map(
                lambda text: set(re.findall(r"[a-z0-9']+", text.lower()))
            ),
            strict=True,
        )
    ]
    assert np.mean(overlaps) > 0.79
    assert np.mean(np.array(overlaps) >= 0.5) > 0.96


def test_the_two_utterances_without_a_word_are_repaired(from_words: Dataset) -> None:
    assert from_words.repairs["utterances_given_the_word_at_their_midpoint"] == 2
    words = from_words.utterances.set_index("id")["words"]
    assert words["2WGyTLYerpo[43]"] == ["shes"]
    assert words["VCslbP0mgZI[0]"] == ["of"]
    assert not words.map(lambda own: "sp" in own).any()
