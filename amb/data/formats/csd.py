"""CMU-MOSI, CMU-MOSEI and the like, from computational sequences of the CMU Multimodal SDK.

Labels define the utterances; folds assign their videos to splits; text comes as timestamped words
or as transcripts; audio and visual features come one row an utterance or frame by frame. Frames
are averaged within words where words have times (word-aligned), else cut to the utterance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.dataset import MODALITIES, SPLITS, UTTERANCE_COLUMNS, Dataset
from amb.data.formats.folds import read_folds
from amb.data.formats.segments import (
    VideoSegments,
    is_utterance_level,
    mean_within_words,
    midpoints_within,
)
from amb.data.formats.sequence import ComputationalSequence, open_sequence
from amb.data.formats.transcripts import TextByVideo, read_text
from amb.data.ragged import ListedSequences
from amb.data.sources import described
from amb.errors import InputError


def read_csd(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read a data set of computational sequences.

    Args:
        options: The study's ``data.csd`` section: dataset, labels, folds, text, audio, visual.
        data_root: The folder that the paths are relative to.

    Returns:
        The data set: train, valid, test; within a split by video, then in the order of labels.
        Files that are damaged or do not fit each other are refused.
    """
    videos, repairs = _read_segments(data_root / options["labels"], data_root / options["folds"])
    text, text_repairs = read_text(data_root / options["text"], videos)
    repairs |= text_repairs
    features, word_aligned = {}, {}
    for modality in MODALITIES:
        if modality in options:
            with open_sequence(data_root / options[modality]) as sequence:
                sequences, word_aligned[modality] = _read_features(sequence, videos, text)
            repairs[f"{modality}_rows_missing"] = sum(
                int(np.isnan(rows).all(axis=1).sum()) for rows in sequences
            )
            features[modality] = ListedSequences(sequences)
    utterances = _table(videos, text)
    return Dataset(
        utterances=utterances,
        features=features,
        labels=pd.DataFrame(
            {"id": utterances["id"], "label": np.concatenate([v.labels for v in videos])}
        ),
        word_aligned=word_aligned,
        sources=described("csd", options, data_root),
        repairs=repairs,
        known_as=options["dataset"],
    )


def _read_segments(labels: Path, folds: Path) -> tuple[list[VideoSegments], dict[str, int]]:
    """Read the utterances of all videos that a fold names; sentiment is the first label."""
    split_of = read_folds(folds)
    with open_sequence(labels) as sequence:
        videos = [
            VideoSegments(
                video, split_of[video], sequence.intervals(video), sequence.numbers(video)[:, 0]
            )
            for video in sorted(
                sequence.videos & split_of.keys(), key=lambda v: (SPLITS.index(split_of[v]), v)
            )
        ]
        repairs = {
            "videos_in_no_fold": len(sequence.videos - split_of.keys()),
            "videos_without_labels": len(split_of.keys() - sequence.videos),
        }
    if not videos:
        raise InputError(labels, "videos", "none that a fold names", f"videos of {folds.name}")
    return videos, repairs


def _table(videos: list[VideoSegments], text: TextByVideo) -> pd.DataFrame:
    rows = [
        (identifier, segments.video, str(clip), None, segments.split, own.text, own.words)
        for segments in videos
        for clip, (identifier, own) in enumerate(
            zip(segments.identifiers(), text[segments.video], strict=True)
        )
    ]
    return pd.DataFrame(rows, columns=list(UTTERANCE_COLUMNS))


def _read_features(
    sequence: ComputationalSequence, videos: list[VideoSegments], text: TextByVideo
) -> tuple[list[npt.NDArray[np.float32]], bool]:
    """Return a sequence of frames for each utterance, and whether frames belong to words.

    Where the file has nothing for a word or an utterance stands a row of NaN, which the contract
    counts and sets to 0.
    """
    present = [segments.video for segments in videos if segments.video in sequence.videos]
    if not present:
        raise InputError(sequence.file, "videos", "none of the labelled ones", "features of them")
    utterance_level = is_utterance_level(sequence, videos)
    has_times = all(own.intervals is not None for rows in text.values() for own in rows)
    word_aligned = has_times and not utterance_level
    dimension = sequence.dimension(present[0])
    nothing = np.full((1, dimension), np.nan, dtype=np.float32)
    sequences: list[npt.NDArray[np.float32]] = []
    for segments in videos:
        frames, times = _frames(sequence, segments.video, dimension)
        for row, (start, end) in enumerate(segments.intervals):
            words = text[segments.video][row].intervals
            if word_aligned and words is not None:
                cut = mean_within_words(frames, times, words)
            elif utterance_level:
                cut = frames[row : row + 1]
            else:
                cut = frames[midpoints_within(times, start, end)]
            sequences.append(cut if len(cut) else nothing)
    return sequences, word_aligned


def _frames(
    sequence: ComputationalSequence, video: str, dimension: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Return features and intervals of a video; none at all where the file lacks it."""
    if video not in sequence.videos:
        return np.empty((0, dimension), dtype=np.float32), np.empty((0, 2))
    frames = sequence.numbers(video)
    if frames.shape[1] != dimension:
        found = f"{frames.shape[1]} features"
        raise InputError(sequence.file, f"{video}/features", found, f"{dimension} as before")
    return frames, sequence.intervals(video)
