"""Utterances as intervals of videos, and how words and frames are cut to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amb.data.formats.sequence import ComputationalSequence

Float64 = npt.NDArray[np.float64]

# Two files give the same interval if their bounds differ by less, in seconds.
SAME_TIME_S = 0.01


@dataclass(frozen=True)
class VideoSegments:
    """The utterances of one video, in the order of the label file.

    Attributes:
        video: Its identifier.
        split: train, valid or test.
        intervals: Start and end of each of its n utterances (n, 2), in seconds.
        labels: Sentiment of each (n,).
    """

    video: str
    split: str
    intervals: Float64
    labels: npt.NDArray[np.float32]

    def identifiers(self) -> list[str]:
        """Return ``video[row]`` of each utterance, as the SDK names them."""
        return [f"{self.video}[{row}]" for row in range(len(self.labels))]


@dataclass(frozen=True)
class Words:
    """The words of one utterance, and when they were spoken (W, 2), where that is known."""

    words: list[str]
    text: str
    intervals: Float64 | None = None


def is_utterance_level(sequence: ComputationalSequence, videos: list[VideoSegments]) -> bool:
    """Tell whether a sequence has one row for each utterance, in the same order."""
    return all(
        _same_intervals(sequence.intervals(segments.video), segments.intervals)
        for segments in videos
        if segments.video in sequence.videos
    )


def _same_intervals(rows: Float64, utterances: Float64) -> bool:
    return rows.shape == utterances.shape and np.allclose(
        rows, utterances, atol=SAME_TIME_S, rtol=0
    )


def midpoints_within(rows: Float64, start: float, end: float) -> npt.NDArray[np.bool_]:
    """Return which rows (n, 2) have their midpoint in [start, end) (n,)."""
    middle = rows.mean(axis=1)
    within: npt.NDArray[np.bool_] = (middle >= start) & (middle < end)
    return within


def mean_within_words(
    frames: npt.NDArray[np.float32], times: Float64, words: Float64
) -> npt.NDArray[np.float32]:
    """Average the frames that overlap each word, as the SDK aligns by averaging.

    Args:
        frames: Features (n, d).
        times: Start and end of the frames (n, 2), in seconds.
        words: Start and end of the words (W, 2), in seconds.

    Returns:
        One row a word (W, d); NaN at words that no frame overlaps.
    """
    means = np.full((len(words), frames.shape[1]), np.nan, dtype=np.float32)
    # All of the utterance's frames first: a video has thousands, and so many words to compare.
    near = (times[:, 0] < words[:, 1].max()) & (times[:, 1] > words[:, 0].min())
    frames, times = frames[near], times[near]
    for row, (start, end) in enumerate(words):
        overlapping = (times[:, 0] < end) & (times[:, 1] > start)
        if overlapping.any():
            # +inf and −inf in one word average to NaN; the contract mends both alike.
            with np.errstate(invalid="ignore"):
                means[row] = frames[overlapping].mean(axis=0, dtype=np.float64)
    return means
