"""What a file holds, as ids, labels and blocks of features by split, whatever its layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amb.data.dataset import SPLITS
from amb.data.formats import mult
from amb.data.formats.folds import read_folds
from amb.data.formats.h5 import read_any_array
from amb.data.formats.label_csv import read_labelled_table
from amb.data.formats.sequence import open_sequence
from amb.data.formats.text_table import read_text_table
from amb.data.formats.word_tuples import WordTuple, parse_word_tuples
from amb.data.inspection.detect import Detected

ALL = "all"


@dataclass(frozen=True)
class Block:
    """An array, or rows of the same kind that make one.

    Attributes:
        split: The split it is of, ``all`` where the file has none.
        name: Its name in the file.
        shape: As text: lengths that differ are given as a range.
        dtype: Its type.
        rows: Arrays of numbers that make it up, for statistics; none for text.
    """

    split: str
    name: str
    shape: str
    dtype: str
    rows: Iterable[npt.NDArray[Any]] = ()


@dataclass
class Contents:
    """Ids and labels by split, and blocks."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    videos: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


def read_contents(file: Path, detected: Detected) -> Contents:
    """Collect what a file of a known layout holds.

    Args:
        file: The file.
        detected: Its layout, and its content where it is a pickle.

    Returns:
        Its ids, labels and blocks; a file that contradicts its layout is refused.
    """
    return _COLLECTORS[detected.layout](file, detected.content)


def _of_dicts(content: Mapping[str, Any], label_key: str) -> Contents:
    found = Contents()
    for split in SPLITS:
        own = content[split]
        labels = own[label_key]
        found.labels[split] = np.asarray(labels, dtype=np.float64).reshape(-1)
        for name, value in own.items():
            found.blocks.append(_block_of(split, str(name), value))
    return found


def _mmsa(file: Path, content: Any) -> Contents:
    found = _of_dicts(content, "regression_labels")
    for split in SPLITS:
        ids = [str(identifier) for identifier in content[split]["id"]]
        found.ids[split] = ids
        found.videos[split] = [identifier.rpartition("$_$")[0] for identifier in ids]
    return found


def _mult(file: Path, content: Any) -> Contents:
    found = _of_dicts(content, "labels")
    for split in SPLITS:
        names = mult.read_names(file, split, content[split])
        found.ids[split] = [name.identifier for name in names]
        found.videos[split] = [name.video for name in names]
    return found


def _mag(file: Path, content: Any) -> Contents:
    found = Contents()
    for split, key in (("train", "train"), ("valid", "dev"), ("test", "test")):
        _add_tuples(found, split, parse_word_tuples(file, key, content[key]))
    return found


def _misa(file: Path, content: Any) -> Contents:
    found = Contents()
    _add_tuples(found, ALL, parse_word_tuples(file, "list", content))
    return found


def _add_tuples(found: Contents, split: str, utterances: list[WordTuple]) -> None:
    found.ids[split] = [own.segment for own in utterances]
    found.videos[split] = [own.video for own in utterances]
    found.labels[split] = np.array([own.label for own in utterances], dtype=np.float64)
    words = sum(len(own.words) for own in utterances)
    found.blocks.append(Block(split, "words", f"{len(utterances)} lists, {words} in all", "text"))
    for name in ("visual", "acoustic"):
        rows = [getattr(own, name) for own in utterances]
        found.blocks.append(_ragged(split, name, rows))


@dataclass(frozen=True)
class _Features:
    """The features of a computational sequence, read video by video each time they are asked for.

    A file of features may be larger than memory.
    """

    file: Path
    videos: list[str]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        with open_sequence(self.file) as sequence:
            for video in self.videos:
                yield sequence.numbers(video)


def _csd(file: Path, content: Any) -> Contents:
    found = Contents()
    with open_sequence(file) as sequence:
        videos = sorted(sequence.videos)
        if not videos:
            return found
        found.videos[ALL] = videos
        intervals = [sequence.intervals(video) for video in videos]
        found.blocks.append(_ragged(ALL, "intervals (s)", intervals))
        rows = sum(len(own) for own in intervals)
        if sequence.is_text(videos[0]):
            found.blocks.append(Block(ALL, "features", f"({rows}, 1)", "text"))
            return found
        width = sequence.dimension(videos[0])
    features = _Features(file, videos)
    found.blocks.append(Block(ALL, "features", f"({rows}, {width})", "float32", features))
    if width == 1:
        found.labels[ALL] = np.concatenate([own[:, 0] for own in features])
    return found


def _h5(file: Path, content: Any) -> Contents:
    array = read_any_array(file)
    found = Contents(blocks=[_block_of(ALL, "array", array)])
    if array.ndim == 1:
        found.labels[ALL] = array.astype(np.float64)
    return found


def _label_csv(file: Path, content: Any) -> Contents:
    table = read_labelled_table(file)
    found = Contents()
    for split, rows in table.groupby("mode", sort=False):
        found.ids[str(split)] = (rows["video_id"] + "$_$" + rows["clip_id"]).tolist()
        found.videos[str(split)] = rows["video_id"].tolist()
        found.labels[str(split)] = rows["label"].to_numpy(np.float64)
        found.blocks.append(Block(str(split), "text", f"({len(rows)},)", "text"))
    return found


def _transcripts(file: Path, content: Any) -> Contents:
    table = read_text_table(file, ("video_id", "text"))
    return Contents(
        videos={ALL: table["video_id"].unique().tolist()},
        blocks=[Block(ALL, column, f"({len(table)},)", "text") for column in table.columns],
    )


def _folds(file: Path, content: Any) -> Contents:
    found = Contents()
    for video, split in read_folds(file).items():
        found.videos.setdefault(split, []).append(video)
    return found


def _embeddings(file: Path, content: Any) -> Contents:
    parts = content if isinstance(content, tuple) else (content,)
    return Contents(blocks=[_block_of(ALL, f"[{place}]", own) for place, own in enumerate(parts)])


def _segments(file: Path, content: Any) -> Contents:
    ids = [str(own[0]) for own in content.values()]
    return Contents(ids={ALL: ids}, videos={ALL: [own.rpartition("[")[0] for own in ids]})


def _block_of(split: str, name: str, value: Any) -> Block:
    """Describe any value; only arrays of numbers get statistics."""
    if isinstance(value, np.ndarray):
        numbers = value.dtype.kind == "f" and value.ndim >= 1
        rows = value if numbers and value.ndim >= 2 else ([value] if numbers else ())
        return Block(split, name, str(value.shape), str(value.dtype), rows)
    if isinstance(value, list | tuple | dict | set):
        kind = type(next(iter(value))).__name__ if value else "nothing"
        return Block(split, name, f"({len(value)},)", f"{type(value).__name__} of {kind}")
    return Block(split, name, "()", type(value).__name__)


def _ragged(split: str, name: str, rows: list[npt.NDArray[Any]]) -> Block:
    lengths = [len(row) for row in rows] or [0]
    span = str(min(lengths)) if min(lengths) == max(lengths) else f"{min(lengths)}..{max(lengths)}"
    width = rows[0].shape[1] if rows else 0
    dtype = str(rows[0].dtype) if rows else "nothing"
    return Block(split, name, f"({len(rows)}, {span}, {width})", dtype, rows)


_COLLECTORS = {
    "mmsa": _mmsa,
    "mult": _mult,
    "mag": _mag,
    "misa": _misa,
    "csd": _csd,
    "h5": _h5,
    "label_csv": _label_csv,
    "transcripts": _transcripts,
    "folds": _folds,
    "embeddings": _embeddings,
    "segments": _segments,
}
