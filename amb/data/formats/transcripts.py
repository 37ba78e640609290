"""The words of each utterance: timestamped words (.csd) or a table of transcripts (.csv)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.formats.segments import SAME_TIME_S, Float64, VideoSegments, Words, midpoints_within
from amb.data.formats.sequence import open_sequence
from amb.data.formats.text_table import read_text_table
from amb.errors import InputError

PAUSE = "sp"
# A transcript's own label may be rounded; further off it belongs to another utterance.
SAME_LABEL = 0.01

TextByVideo = dict[str, list[Words]]


def read_text(file: Path, videos: list[VideoSegments]) -> tuple[TextByVideo, dict[str, int]]:
    """Read the words of all utterances.

    Args:
        file: Timestamped words (.csd), or transcripts (.csv) with video_id, text and, where
            known, start, end and label.
        videos: The utterances.

    Returns:
        The words of each video's utterances, and counts of repairs. A file that is damaged or
        has no words for an utterance is refused.
    """
    if file.suffix.lower() == ".csv":
        return _read_transcripts(file, videos)
    return _read_timestamped_words(file, videos)


def _read_timestamped_words(
    file: Path, videos: list[VideoSegments]
) -> tuple[TextByVideo, dict[str, int]]:
    """Give each utterance the words whose midpoint lies in its interval; pauses are dropped.

    Some utterances are shorter than a word (CMU-MOSI has two): they get the word that is being
    spoken at their own midpoint.
    """
    found: TextByVideo = {}
    repaired = 0
    with open_sequence(file) as sequence:
        for segments in videos:
            if segments.video not in sequence.videos:
                raise InputError(file, "videos", "no " + segments.video, "words of every video")
            words, times = sequence.words(segments.video), sequence.intervals(segments.video)
            spoken = np.array([word not in ("", PAUSE) for word in words], dtype=bool)
            found[segments.video] = []
            for name, (start, end) in zip(segments.identifiers(), segments.intervals, strict=True):
                chosen = np.flatnonzero(spoken & midpoints_within(times, start, end))
                if not len(chosen):
                    chosen = np.flatnonzero(spoken & _covering(times, (start + end) / 2))[:1]
                    repaired += 1
                if not len(chosen):
                    when = f"no word from {start:.2f} s to {end:.2f} s"
                    raise InputError(file, f"words: {name}", when, "at least one word")
                own = [words[row] for row in chosen]
                found[segments.video].append(Words(own, " ".join(own), times[chosen]))
    return found, {"utterances_given_the_word_at_their_midpoint": repaired}


def _covering(times: Float64, moment: float) -> npt.NDArray[np.bool_]:
    covers: npt.NDArray[np.bool_] = (times[:, 0] <= moment) & (times[:, 1] >= moment)
    return covers


def _read_transcripts(
    file: Path, videos: list[VideoSegments]
) -> tuple[TextByVideo, dict[str, int]]:
    table = read_text_table(file, ("video_id", "text"))
    groups = dict(iter(table.groupby("video_id", sort=False)))
    found: TextByVideo = {}
    for segments in videos:
        if segments.video not in groups:
            raise InputError(file, "video_id", "no " + segments.video, "rows of every video")
        rows = _matched(file, groups[segments.video], segments)
        _check_labels(file, rows, segments)
        found[segments.video] = [Words(text.split(), text) for text in rows["text"]]
    used = sum(len(utterances) for utterances in found.values())
    rows_of_videos = sum(len(groups[segments.video]) for segments in videos)
    return found, {"transcripts_of_no_utterance": rows_of_videos - used}


def _matched(file: Path, rows: pd.DataFrame, segments: VideoSegments) -> pd.DataFrame:
    """Return a video's transcripts in the order of its utterances.

    By order where there are as many and, if starts are given, they agree; else by start. (Order
    comes first because two utterances of a video can share an interval, as in CMU-MOSI.)
    """
    starts = segments.intervals[:, 0]
    given = _numbers(file, rows, "start")
    if len(rows) == len(starts) and (given is None or _close(given, starts).all()):
        return rows
    if given is None:
        expected = f"{len(starts)}, one an utterance, or a column start"
        raise InputError(file, f"rows of {segments.video}", len(rows), expected)
    order: list[int] = []
    for name, start in zip(segments.identifiers(), starts, strict=True):
        free = [row for row in np.flatnonzero(_close(given, start)) if row not in order]
        if len(free) != 1:
            found = f"{len(free)} transcripts that start at {start:.2f} s"
            raise InputError(file, f"transcripts: {name}", found, "exactly one")
        order.append(int(free[0]))
    return rows.iloc[order]


def _check_labels(file: Path, rows: pd.DataFrame, segments: VideoSegments) -> None:
    """Where transcripts carry labels, refuse a row whose label is another utterance's."""
    given = _numbers(file, rows, "label")
    if given is None:
        return
    differs = ~(np.abs(given - segments.labels) <= SAME_LABEL)
    if differs.any():
        row = int(np.argmax(differs))
        name = segments.identifiers()[row]
        expected = f"{float(segments.labels[row]):g}, as in the label file"
        raise InputError(file, f"label: {name}", float(given[row]), expected)


def _numbers(file: Path, rows: pd.DataFrame, column: str) -> Float64 | None:
    if column not in rows:
        return None
    try:
        return rows[column].to_numpy(dtype=np.float64)
    except ValueError as error:
        raise InputError(file, f"column {column}", str(error), "numbers") from error


def _close(first: Float64, second: Float64 | float) -> npt.NDArray[np.bool_]:
    close: npt.NDArray[np.bool_] = np.abs(first - second) <= SAME_TIME_S
    return close
