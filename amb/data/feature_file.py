"""``features.safetensors``: written front to back as values come, mapped when read.

The format is simple: the length of a header (8 bytes, little-endian), the header (JSON: type,
shape and place of every tensor), then the tensors end to end. The safetensors library writes
tensors that are in memory; shapes are known here before the first value is, so nothing needs to be
held. A modality ``m`` of N utterances and V videos is

    m_offsets (N + 1,) int64, m (ΣT, d), m_video_mean (V, d) and m_video_std (V, d) float32

with videos in the order in which they first occur among the utterances.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from amb.data.ragged import Offsets
from amb.errors import InputError

DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
ALIGNMENT = 8


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file: its name, its type (``F32`` or ``I64``) and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return int(np.prod(self.shape, dtype=np.int64)) * DTYPES[self.dtype].itemsize


class HashedFile:
    """A file being written, whose SHA-256 is known at the end.

    Args:
        target: The open file.
        on_bytes: Called with the number of bytes after each write.
    """

    def __init__(self, target: BinaryIO, on_bytes: Callable[[int], None] | None = None) -> None:
        self._target, self._on_bytes = target, on_bytes
        self._digest = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``."""
        self._target.write(data)
        self._digest.update(data)
        if self._on_bytes is not None:
            self._on_bytes(len(data))

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()


def modality_tensors(
    modality: str, frames: int, dimension: int, utterances: int, videos: int
) -> list[Tensor]:
    """Return the tensors of a modality in the order in which they are written."""
    return [
        Tensor(f"{modality}_offsets", "I64", (utterances + 1,)),
        Tensor(modality, "F32", (frames, dimension)),
        Tensor(f"{modality}_video_mean", "F32", (videos, dimension)),
        Tensor(f"{modality}_video_std", "F32", (videos, dimension)),
    ]


def write_header(target: HashedFile, tensors: list[Tensor]) -> None:
    """Write what stands before the values of ``tensors``, which must follow in this order."""
    header, end = {}, 0
    for tensor in tensors:
        place = [end, end + tensor.nbytes]
        header[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": place}
        end = place[1]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    target.write(len(text).to_bytes(8, "little") + text)


def write_values(target: HashedFile, values: npt.NDArray[Any], dtype: str) -> None:
    """Write some values of a tensor, little-endian."""
    target.write(np.ascontiguousarray(values, dtype=DTYPES[dtype]).reshape(-1).view(np.uint8).data)


def map_tensor(file: Path, name: str) -> npt.NDArray[Any]:
    """Return a tensor of a checked file as a view of the mapped file.

    The map is copy-on-write, since torch wants memory that it may write to; nothing here does.
    """
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        entry = json.loads(opened.read(length))[name]
    dtype, shape = DTYPES[entry["dtype"]], tuple(entry["shape"])
    if 0 in shape:  # nothing to map
        return np.empty(shape, dtype)
    start = 8 + length + entry["data_offsets"][0]
    return np.asarray(np.memmap(file, dtype=dtype, mode="c", offset=start, shape=shape))


def described_tensors(file: Path) -> dict[str, Tensor]:
    """Read names, types and shapes, without values.

    Args:
        file: The file.

    Returns:
        The tensors by name.

    Raises:
        InputError: It is no safetensors file, or its header and its length contradict each other.
    """
    try:
        with safe_open(file, framework="np") as opened:
            slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            return {
                name: Tensor(name, part.get_dtype(), tuple(part.get_shape()))
                for name, part in slices.items()
            }
    except SafetensorError as error:
        raise InputError(file, "content", str(error), "a safetensors file") from error


def check_features(
    file: Path,
    dimensions: Mapping[str, int],
    words: Mapping[str, Offsets | None],
    utterances: int,
    videos: int,
) -> None:
    """Check names, types, shapes and offsets of a store's features without reading values.

    Args:
        file: The file.
        dimensions: d of each modality that must be there, and no other.
        words: Number of words of each utterance (N,), None where frames do not belong to words.
        utterances: N.
        videos: V.

    Raises:
        InputError: The file is damaged or not the one that the store's card describes.
    """
    found = described_tensors(file)
    expected = {
        tensor.name: tensor
        for m, d in dimensions.items()
        for tensor in modality_tensors(m, _frames(found.get(m)), d, utterances, videos)
    }
    if sorted(found) != sorted(expected):
        raise InputError(file, "tensors", ", ".join(sorted(found)), ", ".join(sorted(expected)))
    for name, tensor in expected.items():
        if found[name] != tensor:
            own = found[name]
            wanted = f"{tensor.dtype} {tensor.shape}, as the card and the utterances say"
            raise InputError(file, name, f"{own.dtype} {own.shape}", wanted)
    for modality in dimensions:
        offsets = map_tensor(file, f"{modality}_offsets")
        _check_offsets(file, modality, offsets, found[modality].shape[0], words[modality])


def _frames(tensor: Tensor | None) -> int:
    return tensor.shape[0] if tensor is not None and tensor.shape else 0


def _check_offsets(
    file: Path, modality: str, offsets: Offsets, rows: int, words: Offsets | None
) -> None:
    key = f"{modality}_offsets"
    if offsets[0] != 0 or offsets[-1] != rows:
        found = f"{offsets[0]} to {offsets[-1]}"
        raise InputError(file, key, found, f"0 to {rows}, all frames of {modality}")
    lengths = np.diff(offsets)
    if (lengths < 1).any():
        row = int(np.argmax(lengths < 1)) + 1
        expected = f"more than the {offsets[row - 1]} before it"
        raise InputError(file, f"{key}[{row}]", int(offsets[row]), expected)
    if words is not None and (lengths != words).any():
        row = int(np.argmax(lengths != words))
        where = f"{modality} frames of utterance {row}"
        raise InputError(file, where, int(lengths[row]), f"{words[row]}, one a word")
