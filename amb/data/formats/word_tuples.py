"""Utterances as tuples of words and word-aligned frames: what MISA's and MAG-BERT's pickles share.

    MISA      ((word_ids (L,), visual (L,d_v), acoustic (L,d_a), words), label (1,1), 'video[k]')
    MAG-BERT  ((words, visual (L,d_v), acoustic (L,d_a)), label (1,1), segment)

One frame a word, words as they were spoken (so text is rebuilt by joining them). What the layouts
cannot say: times, pauses, and who speaks. ``segment`` names the video as ``video[k]`` or
``video_k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.dataset import UTTERANCE_COLUMNS, Dataset
from amb.data.formats.checks import numeric, texts
from amb.data.formats.identifiers import BRACKET_FORM, UNDERSCORE_FORM, split_identifier
from amb.data.ragged import ListedSequences
from amb.errors import InputError


@dataclass(frozen=True)
class WordTuple:
    """One utterance.

    Attributes:
        segment: Its name.
        video: The video that the name starts with.
        clip: What follows.
        words: Its L words.
        visual: (L, d_v).
        acoustic: (L, d_a).
        label: Its sentiment.
        word_ids: Row of each word's vector (L,), in MISA's layout.
    """

    segment: str
    video: str
    clip: str
    words: list[str]
    visual: npt.NDArray[Any]
    acoustic: npt.NDArray[Any]
    label: float
    word_ids: npt.NDArray[Any] | None = None


def parse_word_tuples(file: Path, where: str, items: Any) -> list[WordTuple]:
    """Check and parse a list of tuples of either layout.

    Args:
        file: For messages.
        where: Where the list stands in the file.
        items: The list.

    Returns:
        The utterances, in the list's order.

    Raises:
        InputError: An item is of neither layout.
    """
    if not isinstance(items, list):
        raise InputError(file, where, type(items).__name__, "a list of tuples")
    return [_parse(file, f"{where}[{place}]", item) for place, item in enumerate(items)]


def to_dataset(
    utterances: Sequence[tuple[str, WordTuple]], sources: list[dict[str, Any]], known_as: str
) -> Dataset:
    """Return utterances with their splits as a data set, word-aligned.

    Args:
        utterances: (split, utterance), in the order that the store shall have.
        sources: What was read.
        known_as: Name of the data set.

    Returns:
        The data set; utterances whose frames have different numbers of features are refused.
    """
    _check_dimensions(utterances, sources)
    rows = [
        (own.segment, own.video, own.clip, None, split, " ".join(own.words), own.words)
        for split, own in utterances
    ]
    table = pd.DataFrame(rows, columns=list(UTTERANCE_COLUMNS))
    labels = np.array([own.label for _, own in utterances], dtype=np.float32)
    return Dataset(
        utterances=table,
        features={
            "audio": ListedSequences([own.acoustic for _, own in utterances]),
            "visual": ListedSequences([own.visual for _, own in utterances]),
        },
        labels=pd.DataFrame({"id": table["id"], "label": labels}),
        word_aligned={"audio": True, "visual": True},
        sources=sources,
        known_as=known_as,
    )


def _parse(file: Path, where: str, item: Any) -> WordTuple:
    if not isinstance(item, tuple) or len(item) != 3 or not isinstance(item[0], tuple):
        found = type(item).__name__
        raise InputError(file, where, found, "((words, visual, acoustic), label, segment)")
    parts, label, segment = item
    if len(parts) == 4:  # MISA: word ids first, words last
        word_ids, visual, acoustic, spoken = parts
    elif len(parts) == 3:
        word_ids, (spoken, visual, acoustic) = None, parts
    else:
        raise InputError(file, f"{where}[0]", f"{len(parts)} parts", "3 (MAG-BERT) or 4 (MISA)")
    words = texts(file, f"{where} words", spoken)
    if not isinstance(segment, str):
        raise InputError(file, f"{where} segment", segment, "video[k] or video_k")
    video, clip = split_identifier(file, f"{where} segment", segment, BRACKET_FORM, UNDERSCORE_FORM)
    return WordTuple(
        segment=segment,
        video=video,
        clip=clip,
        words=words,
        visual=numeric(file, f"{where} visual", visual, 2, len(words)),
        acoustic=numeric(file, f"{where} acoustic", acoustic, 2, len(words)),
        label=_label(file, f"{where} label", label),
        word_ids=_word_ids(file, f"{where} word ids", word_ids, len(words)),
    )


def _check_dimensions(
    utterances: Sequence[tuple[str, WordTuple]], sources: list[dict[str, Any]]
) -> None:
    names = ", ".join(source["name"] for source in sources)
    first = utterances[0][1] if utterances else None
    for _, own in utterances:
        for modality in ("visual", "acoustic"):
            found = getattr(own, modality).shape[1]
            expected = getattr(first, modality).shape[1]
            if found != expected:
                where = f"{modality} of {own.segment}"
                raise InputError(names, where, f"{found} features", f"{expected} as before")


def _word_ids(file: Path, where: str, value: Any, rows: int) -> npt.NDArray[Any] | None:
    if value is None:
        return None
    ids = numeric(file, where, value, 1, rows)
    if ids.dtype.kind == "f":
        raise InputError(file, where, ids.dtype, "whole numbers")
    return ids


def _label(file: Path, where: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiu":
        return float(value.reshape(()))
    if type(value) in (int, float):
        return float(value)
    raise InputError(file, where, type(value).__name__, "one number, shape (1, 1)")
