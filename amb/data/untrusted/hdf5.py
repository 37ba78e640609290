"""HDF5 of unknown origin, read as numbers and text that lie in this very file.

HDF5 can lead a reader elsewhere (links, virtual and external data), load libraries (filters) and
declare far more than is stored (chunks, fill values, compression). Everything is therefore checked
against what the file itself holds before the library reads it. Attributes are never read.

The library is C code and parses the file's structure itself: what is checked here keeps honest and
crafted files within bounds, but is no sandbox against a defect of the library.
"""

from __future__ import annotations

import math
import mmap
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5d, h5o, h5pl, h5t, h5z

from amb.errors import InputError

Kind = Literal["f", "iuf", "S"]

MEBIBYTE = 1 << 20
LARGEST_NAMES = 100_000
LARGEST_CHUNK_BYTES = 256 * MEBIBYTE
LARGEST_BYTES = 2048 * MEBIBYTE
LARGEST_TEXT_BYTES = 64 * MEBIBYTE
# What is unpacked may be this many times what is stored, and this much more. Deflate cannot exceed
# the first ratio; features stay below the second, unless they are small and all zero.
DEFLATE_RATIO = 1032
FEATURE_RATIO = 50
FEATURE_SLACK_BYTES = 128 * MEBIBYTE
FILL_SLACK_BYTES = MEBIBYTE

_EXPECTED = {"f": "floating-point numbers", "iuf": "numbers", "S": "text (bytes)"}
_COUNTS = {0: "no", 1: "one", 2: "two", 3: "three"}
_FILTERS = (h5z.FILTER_SHUFFLE, h5z.FILTER_DEFLATE, h5z.FILTER_FLETCHER32)
_CHECKSUM_BYTES = 4
_PLACE_BYTES = 16  # length, heap and index of a text of variable length
_LARGEST_NUMBER_BYTES = 8
_HEAP, _HEAD_BYTES = b"GCOL", 16
_PIECE_BYTES = 1 << 16
_BROKEN = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    MemoryError,
)


@contextmanager
def open_hdf5(file: Path, expected: str = "an HDF5 file") -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, with the loading of filter libraries turned off.

    Args:
        file: The file.
        expected: What the file should be, for messages.

    Yields:
        h5py.File: It is open within the block.

    Raises:
        InputError: The file is missing, is no HDF5, or is cut.
    """
    _forget_plugins()
    with _reading(file, "HDF5", expected):
        opened = h5py.File(file, "r")
    try:
        yield opened
    finally:
        opened.close()


def child_names(file: Path, group: h5py.Group, largest: int = LARGEST_NAMES) -> list[str]:
    """List a group's children, without opening them.

    Args:
        file: For messages.
        group: The group.
        largest: How many children it may have.

    Returns:
        Their names.

    Raises:
        InputError: There are more, or the list is damaged.
    """
    with _reading(file, "names", "a readable group"):
        where = _place(f"{group.name}: names")
        if len(group) > largest:
            raise InputError(file, where, len(group), f"{largest:,} at most")
        names = list(group)
        for name in names:
            if not isinstance(name, str):
                raise InputError(file, where, repr(name)[:80], "names in UTF-8")
        return names


def own_child(file: Path, group: h5py.Group, name: str, kind: Any) -> Any:
    """Return a group or data set that lies in this very file and has no other name.

    Args:
        file: For messages.
        group: The parent.
        name: The child's name.
        kind: ``h5py.Group`` or ``h5py.Dataset``.

    Returns:
        The child.

    Raises:
        InputError: There is no such child, it is behind a link, is of another kind or damaged, or
            has several names, by which a group could contain itself.
    """
    where = _place(f"{group.name}/{name}".replace("//", "/"))
    if "/" in name or name in ("", "."):
        raise InputError(file, where, name, "a name, not a path")
    expected = f"a {kind.__name__.lower()}"
    with _reading(file, where, "a readable object"):
        link = group.get(name, getlink=True)
        if link is None:
            raise InputError(file, where, "nothing", expected)
        if not isinstance(link, h5py.HardLink):
            raise InputError(file, where, type(link).__name__, "no soft or external link")
        child = group[name]
        if type(child) is not kind:
            raise InputError(file, where, f"a {type(child).__name__.lower()}", expected)
        names = h5o.get_info(child.id).rc
        if names != 1:
            raise InputError(file, where, f"{names} hard links", "one: an object of its own")
    return child


def require_safe(
    file: Path, dataset: h5py.Dataset, kind: Kind, ndim: int, largest_values: int
) -> None:
    """Check where a data set's values lie, their type, how they are packed, and how many they are.

    Args:
        file: For messages.
        dataset: The data set.
        kind: Floating-point numbers, any real numbers, or text.
        ndim: How many axes it must have.
        largest_values: How many values it may have.

    Raises:
        InputError: The values lie in another file; are compound, objects, references or of variable
            length (but for text); are of a named type; are packed by another filter than deflate,
            shuffle and Fletcher-32; or are more than allowed or than the stored bytes can hold.
    """
    where = _where(file, dataset)
    with _reading(file, where, "a readable data set"):
        properties = dataset.id.get_create_plist()
        if properties.get_layout() == h5d.VIRTUAL or properties.get_external_count():
            raise InputError(file, where, "data in another file", "data in this file")
        _check_type(file, where, dataset, kind)
        shape = dataset.shape or ()
        if len(shape) != ndim or dataset.size is None or dataset.size > largest_values:
            axes = f"{_COUNTS.get(ndim, ndim)} ax{'i' if ndim == 1 else 'e'}s"
            expected = f"{axes} and {largest_values:,} values at most"
            raise InputError(file, where, f"shape {shape}", expected)
        _check_filters(file, where, properties)
        _check_size(file, where, dataset, properties)


def read_numbers(
    file: Path, dataset: h5py.Dataset, ndim: int, largest_values: int, kind: Kind = "iuf"
) -> npt.NDArray[Any]:
    """Read a whole data set of numbers once it is known to be safe.

    Args:
        file: For messages.
        dataset: The data set.
        ndim: How many axes it must have.
        largest_values: How many values it may have.
        kind: Floating-point numbers, or any real numbers.

    Returns:
        The values, of the data set's shape and type, in this machine's byte order.

    Raises:
        InputError: The data set is not safe to read, or is damaged.
    """
    require_safe(file, dataset, kind, ndim, largest_values)
    where = _where(file, dataset)
    with _reading(file, where, "readable values"):
        _check_chunks(file, where, dataset)
        values = dataset[()]
        return np.asarray(values, values.dtype.newbyteorder("="))


def read_text(
    file: Path, dataset: h5py.Dataset, ndim: int, largest_values: int
) -> npt.NDArray[Any]:
    """Read a whole data set of text once it is known to be safe.

    Args:
        file: For messages.
        dataset: The data set; its text is of fixed or variable length.
        ndim: How many axes it must have.
        largest_values: How many texts it may have.

    Returns:
        Bytes, of the data set's shape.

    Raises:
        InputError: The data set is not safe to read, or is damaged, or its text is too long.
    """
    require_safe(file, dataset, "S", ndim, largest_values)
    where = _where(file, dataset)
    with _reading(file, where, "readable values"):
        _check_chunks(file, where, dataset)
        if dataset.dtype.kind != "S":
            _check_lengths(file, where, dataset)
            _check_heaps(file)
        return np.asarray(dataset[()])


def _forget_plugins() -> None:
    """Take every folder off the list where the library looks for filters that it does not know."""
    for _ in range(h5pl.size()):
        h5pl.remove(0)


@contextmanager
def _reading(file: Path, where: str, expected: str) -> Iterator[None]:
    """Turn what h5py raises over a damaged file into a refusal."""
    try:
        yield
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(file, where, str(error)[:300], expected) from error


def _place(name: str) -> str:
    """Return a name in printable form: names need not be UTF-8."""
    return name.encode("utf-8", errors="backslashreplace").decode()


def _where(file: Path, dataset: h5py.Dataset) -> str:
    with _reading(file, "name", "a readable data set"):
        return _place(str(dataset.name))


def _check_type(file: Path, where: str, dataset: h5py.Dataset, kind: Kind) -> None:
    stored = dataset.id.get_type()
    classes = {"f": (h5t.FLOAT,), "iuf": (h5t.FLOAT, h5t.INTEGER), "S": (h5t.STRING,)}[kind]
    if stored.get_class() not in classes:
        raise InputError(file, where, f"type {_type_name(dataset)}", _EXPECTED[kind])
    if stored.committed():
        raise InputError(file, where, "a named type", f"{_EXPECTED[kind]} of a type of their own")
    if kind != "S" and max(stored.get_size(), dataset.dtype.itemsize) > _LARGEST_NUMBER_BYTES:
        expected = f"{_EXPECTED[kind]} of {_LARGEST_NUMBER_BYTES} bytes at most"
        raise InputError(file, where, f"type {_type_name(dataset)}", expected)


def _type_name(dataset: h5py.Dataset) -> str:
    try:
        return str(dataset.dtype)[:120]
    except _BROKEN:
        return "unknown to NumPy"


def _check_filters(file: Path, where: str, properties: Any) -> None:
    """Refuse filters that load libraries or that nest."""
    filters = [properties.get_filter(place) for place in range(properties.get_nfilters())]
    codes = [code for code, *_ in filters]
    for code, _, _, name in filters:
        if code not in _FILTERS:
            found = f"filter {code} {name[:40].decode('utf-8', errors='replace')}".strip()
            raise InputError(file, where, found, "deflate (gzip), shuffle and fletcher32 only")
    if codes != [code for code in _FILTERS if code in codes]:
        expected = "shuffle, deflate and fletcher32 in this order, each once"
        raise InputError(file, where, f"filters {codes}"[:120], expected)


def _check_size(file: Path, where: str, dataset: h5py.Dataset, properties: Any) -> None:
    """Compare what reading would take with what the file holds."""
    item = max(_stored_item(dataset), dataset.dtype.itemsize)
    needed, stored = dataset.size * item, dataset.id.get_storage_size()
    if stored > file.stat().st_size:
        raise InputError(file, where, f"{stored} stored bytes", "no more than the file has")
    if properties.get_layout() == h5d.CHUNKED:
        chunk = math.prod(properties.get_chunk()) * item
        if chunk > LARGEST_CHUNK_BYTES:
            raise InputError(file, where, f"chunks of {chunk} bytes", f"{LARGEST_CHUNK_BYTES:,}")
        needed = max(needed, chunk * dataset.id.get_num_chunks())
    elif stored and stored != dataset.size * _stored_item(dataset):
        raise InputError(file, where, f"{stored} stored bytes", f"{needed}, as the shape has")
    allowed = min(LARGEST_BYTES, stored + FILL_SLACK_BYTES)
    if properties.get_nfilters():
        most = min(DEFLATE_RATIO * stored, FEATURE_RATIO * stored + FEATURE_SLACK_BYTES)
        allowed = min(LARGEST_BYTES, most + FILL_SLACK_BYTES)
    if needed > allowed:
        found = f"{needed} bytes, {stored} of them stored"
        raise InputError(file, where, found, f"{allowed:,} at most for what is stored")


def _stored_item(dataset: h5py.Dataset) -> int:
    """Return the bytes of one value as stored: of text of variable length, its place."""
    stored = dataset.id.get_type()
    is_text = stored.get_class() == h5t.STRING and stored.is_variable_str()
    return _PLACE_BYTES if is_text else int(stored.get_size())


def _chunks(dataset: h5py.Dataset) -> list[Any]:
    chunks: list[Any] = []
    if dataset.chunks:
        dataset.id.chunk_iter(chunks.append)
    return chunks


def _check_chunks(file: Path, where: str, dataset: h5py.Dataset) -> None:
    """Check that each chunk unpacks to what it declares: the library takes that for granted."""
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(place)[0] for place in range(properties.get_nfilters())]
    for chunk in _chunks(dataset):
        size = math.prod(properties.get_chunk()) * _stored_item(dataset)
        used = [code for place, code in enumerate(codes) if not chunk.filter_mask >> place & 1]
        checksum = _CHECKSUM_BYTES if h5z.FILTER_FLETCHER32 in used else 0
        length = chunk.size - checksum
        if h5z.FILTER_DEFLATE in used and length > 0:
            raw = dataset.id.read_direct_chunk(chunk.chunk_offset)[1]
            length = _unpacked_length(raw[:length], size)
        if length != size:
            found = f"chunk {chunk.chunk_offset} of another length"
            raise InputError(file, where, found, f"{size} bytes, as it declares")


def _unpacked_length(raw: bytes, largest: int) -> int:
    """Return the length of deflated data, up to a little over the largest, without holding them."""
    unpacker, length = zlib.decompressobj(), 0
    try:
        piece = unpacker.decompress(raw, _PIECE_BYTES)
        while piece and length <= largest:
            length += len(piece)
            piece = unpacker.decompress(unpacker.unconsumed_tail, _PIECE_BYTES)
    except zlib.error as error:
        raise ValueError(f"deflate: {error}") from error
    return length if unpacker.eof or length > largest else -1


def _check_lengths(file: Path, where: str, dataset: h5py.Dataset) -> None:
    """Check how long texts say they are: the library takes memory before it looks for them.

    Source: HDF5 File Format Specification: length (4 bytes), heap (8) and index (4) a text.
    """
    created = dataset.file.id.get_create_plist()
    if created.get_sizes() != (8, 8) or created.get_userblock():
        raise InputError(file, "superblock", "other lengths or a user block", "8 bytes and none")
    places = [(chunk.byte_offset, chunk.size) for chunk in _chunks(dataset)]
    if not dataset.chunks and dataset.id.get_storage_size():
        places = [(dataset.id.get_offset(), dataset.id.get_storage_size())]
    if dataset.id.get_create_plist().get_nfilters() or any(place is None for place, _ in places):
        raise InputError(file, where, "packed text of variable length", "text that is not packed")
    length = 0
    with file.open("rb") as handle:
        for place, size in places:
            handle.seek(place)
            raw = np.frombuffer(handle.read(size // _PLACE_BYTES * _PLACE_BYTES), "<u4")
            length += int(raw[::4].sum(dtype=np.uint64))
    if length > LARGEST_TEXT_BYTES:
        raise InputError(file, where, f"{length} bytes of text", f"{LARGEST_TEXT_BYTES:,} at most")


def _check_heaps(file: Path) -> None:
    """Walk the heaps where text of variable length lies: the library loops over damaged ones.

    Source: HDF5 File Format Specification, "Global Heap": a head of 16 bytes with the size of the
    whole, then objects of a head of 16 bytes (index, size at 8) padded to 8; index 0 is free space
    and its size includes its head.
    """
    with file.open("rb") as handle:
        data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    with data:
        heap = data.find(_HEAP)
        while heap >= 0:
            if not _is_whole(data, heap):
                raise InputError(file, f"heap at byte {heap}", "damaged text", "a global heap")
            heap = data.find(_HEAP, heap + 1)


def _is_whole(data: mmap.mmap, heap: int) -> bool:
    """Return whether a heap's objects follow each other up to its end."""
    if heap + _HEAD_BYTES > len(data):
        return False
    place, end = heap + _HEAD_BYTES, heap + int.from_bytes(data[heap + 8 : heap + 16], "little")
    while place + _HEAD_BYTES <= min(end, len(data)):
        index = int.from_bytes(data[place : place + 2], "little")
        size = int.from_bytes(data[place + 8 : place + 16], "little")
        taken = _HEAD_BYTES + -(-size // 8) * 8 if index else size
        if taken < _HEAD_BYTES or place + taken > end:
            return False
        place += taken
    return end <= len(data)
