"""Files of ``torch.save`` before version 1.6, loaded as NumPy arrays, without torch.

Layout: pickles of a magic number, a protocol version, facts about the system, the object and a list
of storage keys; then for each key the number of values (8 bytes, little-endian) and the values.
The object names its tensors' storages before their place in the file is known, so its pickle is
interpreted twice: first to learn where it ends and which storages it names, then to view them.

A defaultdict names its factory, which is foreign code. That name alone is passed over, and only
where it is the factory: the dictionary is returned as a plain one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amb.data.untrusted.pickle_globals import NUMPY, Constructor, RefusedError, Spend, short
from amb.data.untrusted.pickle_machine import PickleMachine
from amb.data.untrusted.pickles import mapped
from amb.errors import InputError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
LARGEST_NDIM = 8
LARGEST_LENGTH = 1 << 48  # of an axis, a stride or an offset: their products stay small integers

_KIND = "a torch file of the legacy format (_use_new_zipfile_serialization=False)"
_MAGIC_WITHIN_BYTES = 64
_COUNT_BYTES = 8


@dataclass
class Storage:
    """Values that tensors view.

    Attributes:
        type: Their NumPy type.
        count: How many the object says there are.
        data: Their bytes, once their place is known.
    """

    type: np.dtype[Any]
    count: int
    data: memoryview | None = None


def load_torch_legacy(file: Path) -> Any:
    """Load a legacy torch file without running anything that it names.

    Args:
        file: What ``torch.save`` wrote before version 1.6, or without zip later.

    Returns:
        Dicts, lists, tuples, sets, text, bytes and numbers; tensors as NumPy arrays, read-only
        views of the memory-mapped file; a defaultdict as a dict.

    Raises:
        InputError: The file is missing, is of another format, is damaged, or names anything but
            what such data need; the message says what, and at which byte.
    """
    data = mapped(file, _KIND)
    after_header = _check_header(file, data)
    storages: dict[str, Storage] = {}
    _, after_object = _object(file, data, after_header, storages)
    _find_storages(file, data, after_object, storages)
    return _object(file, data, after_header, storages)[0]


def is_torch_legacy(head: bytes) -> bool:
    """Tell a legacy torch file by its first bytes: the pickle of the magic number."""
    return head[:2] == b"\x80\x02" and MAGIC_NUMBER.to_bytes(10, "little") in head[2:16]


def _check_header(file: Path, data: memoryview) -> int:
    """Check magic number, protocol version and byte order; return where the object begins."""
    try:
        magic, position = _plain(file, data[:_MAGIC_WITHIN_BYTES], 0)
    except InputError:
        magic, position = None, 0
    if type(magic) is not int or magic != MAGIC_NUMBER:
        raise InputError(file, "magic number at byte 0", bytes(data[:16]), _KIND)
    version, after_version = _plain(file, data, position)
    if type(version) is not int or version != PROTOCOL_VERSION:
        where = f"protocol version at byte {position}"
        raise InputError(file, where, short(version), str(PROTOCOL_VERSION))
    system, position = _plain(file, data, after_version)
    order = system.get("little_endian") if type(system) is dict else None
    if order is not True:
        where = f"little_endian at byte {after_version}"
        raise InputError(file, where, short(order), "True: values in little-endian order")
    return position


def _plain(file: Path, data: memoryview, position: int) -> tuple[Any, int]:
    """Run a pickle that needs no names; return its value and where it ends."""
    machine = PickleMachine(file, data, {}, position)
    return machine.run(), machine.position


def _object(
    file: Path, data: memoryview, position: int, storages: dict[str, Storage]
) -> tuple[Any, int]:
    """Run the object's pickle; return the value and where it ends, and note its storages."""
    machine = _TorchMachine(file, data, _CONSTRUCTORS, position, _storage_of(storages))
    return machine.run(), machine.position


def _find_storages(
    file: Path, data: memoryview, position: int, storages: dict[str, Storage]
) -> None:
    """Give each storage its bytes, once keys, counts and the file's length agree."""
    keys, end = _plain(file, data, position)
    where = f"storage keys at byte {position}"
    if type(keys) is not list or not all(type(key) is str for key in keys):
        raise InputError(file, where, short(keys), "a list of text")
    if len(keys) != len(storages) or set(keys) != set(storages):
        found = f"{len(keys)}: {', '.join(sorted(keys)[:3])}"[:120]
        raise InputError(file, where, found, f"the {len(storages)} keys that the object names")
    for key in keys:
        end = _fill(file, data, end, key, storages[key])
    if end != len(data):
        where = f"bytes after the last storage at byte {end}"
        raise InputError(file, where, len(data) - end, "none")


def _fill(file: Path, data: memoryview, position: int, key: str, storage: Storage) -> int:
    """Give one storage its bytes; return where they end."""
    where = f"storage {key[:40]} at byte {position}"
    start = position + _COUNT_BYTES
    if start > len(data):
        found = f"{len(data) - position} bytes left"
        raise InputError(file, where, found, f"{_COUNT_BYTES}: the file is cut")
    count = int.from_bytes(data[position:start], "little")
    if count != storage.count:
        raise InputError(file, where, f"{count} values", f"{storage.count}, as the object says")
    end = start + count * storage.type.itemsize
    if end > len(data):
        found = f"{len(data) - start} bytes left"
        raise InputError(file, where, found, f"{end - start}: the file is cut or wrong")
    storage.data = data[start:end]
    return end


def _storage_of(storages: dict[str, Storage]) -> Callable[[Any], Storage]:
    """Return what turns a persistent id into a storage, the same one for the same key."""

    def storage_of(identifier: Any) -> Storage:
        if type(identifier) is not tuple or len(identifier) != 6 or identifier[0] != "storage":
            raise RefusedError("persistent id", short(identifier), "a storage of 6 parts")
        _, kind, key, location, count, view = identifier
        if not isinstance(kind, Constructor) or kind.name not in _STORAGE_TYPES:
            raise RefusedError("storage type", short(kind), "a storage of numbers or truth values")
        if type(key) is not str or type(location) is not str:
            raise RefusedError("storage", short(key), "a key and a location as text")
        if not _is_length(count):
            raise RefusedError("storage", short(count), "a number of values")
        if view is not None:
            raise RefusedError("storage", "a view of another storage", "a storage of its own")
        named = Storage(_STORAGE_TYPES[kind.name], count)
        storage = storages.setdefault(key, named)
        if (storage.type, storage.count) != (named.type, named.count):
            found = f"{named.count} values of {named.type}"
            raise RefusedError("storage", found, f"{storage.count} of {storage.type}, as before")
        return storage

    return storage_of


def _rebuild_tensor(arguments: tuple[Any, ...], spend: Spend) -> npt.NDArray[Any]:
    """View a storage as a tensor, once every index of it lies within.

    Args:
        arguments: Storage, offset, lengths, strides (in values), requires_grad, backward hooks.
        spend: Unused: nothing is copied.

    Returns:
        The tensor; without any values as long as the storage's place is not known.

    Raises:
        RefusedError: The arguments are others, or reach outside the storage.
    """
    if len(arguments) != 6 or type(arguments[0]) is not Storage:
        raise RefusedError("tensor", short(arguments), "a storage and 5 arguments")
    storage, offset, shape, strides, requires_grad, hooks = arguments
    if type(requires_grad) is not bool or type(hooks) is not dict or hooks:
        found = f"{short(requires_grad)}, {short(hooks)}"
        raise RefusedError("tensor", found, "a truth value and no backward hooks")
    if not _are_lengths(shape) or not _are_lengths(strides) or len(shape) != len(strides):
        found = f"{short(shape)}, strides {short(strides)}"
        raise RefusedError("tensor shape", found, f"lengths and strides of {LARGEST_NDIM} at most")
    values = _checked_size(storage, offset, shape, strides)
    if storage.data is None or not values:
        return np.zeros(shape if not values else 0, storage.type)
    size = storage.type.itemsize
    in_bytes = tuple(stride * size for stride in strides)
    return np.ndarray(shape, storage.type, storage.data, offset * size, in_bytes)


def _checked_size(
    storage: Storage, offset: Any, shape: tuple[int, ...], strides: tuple[int, ...]
) -> int:
    """Return the number of a tensor's values after checking that they lie within the storage."""
    if not _is_length(offset):
        raise RefusedError("tensor offset", short(offset), "a number of values")
    values = math.prod(shape)
    steps = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    inside = offset + steps < storage.count if values else offset <= storage.count
    # a tensor that repeats its values is a few bytes that say they are many
    is_bomb = values > storage.count or math.prod(n for n in shape if n) >= LARGEST_LENGTH
    if not inside or is_bomb:
        found = f"offset {offset}, shape {shape}, strides {strides}"
        raise RefusedError("tensor", found, f"values within a storage of {storage.count}")
    return values


def _is_length(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST_LENGTH


def _are_lengths(value: Any) -> bool:
    return type(value) is tuple and len(value) <= LARGEST_NDIM and all(map(_is_length, value))


def _default_dict(arguments: tuple[Any, ...], spend: Spend) -> dict[Any, Any]:
    if len(arguments) > 1 or not all(
        part is None or isinstance(part, Constructor) for part in arguments
    ):
        raise RefusedError("defaultdict", short(arguments), "a factory or nothing")
    return {}


def _not_called(arguments: tuple[Any, ...], spend: Spend) -> Any:
    raise RefusedError("storage type", "a call", "its use in a persistent id")


@dataclass(frozen=True)
class _Factory:
    """A foreign name that was the factory of a defaultdict; the memo holds it, nothing else."""

    name: str


class _TorchMachine(PickleMachine):
    """Also knows a defaultdict whose factory is a foreign name."""

    def _admit(self, module: Any, name: Any) -> None:
        is_name = type(module) is str and type(name) is str
        if is_name and (module, name) not in self.constructors and self._awaits_factory():
            self._drop_factory(_Factory(f"{module}.{name}"[:120]))
        else:
            super()._admit(module, name)

    def _get(self, index: int) -> None:
        factory = self.memo.get(index)
        if type(factory) is _Factory:
            self._drop_factory(factory)
        else:
            super()._get(index)

    def _awaits_factory(self) -> bool:
        """Return whether defaultdict, or defaultdict and a mark, is on top of the stack."""
        place = 2 if self._is_marked() else 1
        return len(self.stack) >= place and self.stack[-place] is _DEFAULT_DICT

    def _drop_factory(self, factory: _Factory) -> None:
        """Make the dictionary if the next opcodes do nothing but call defaultdict."""
        closing = ord("t") if self._is_marked() else 0x85  # TUPLE, TUPLE1
        if not self._awaits_factory():
            raise self._foreign(factory)
        for opcode in (closing, ord("R")):
            self._remember(factory)
            if self._take(1)[0] != opcode:
                raise self._foreign(factory)
        if self._is_marked():
            self._pop_mark()
        self._pop()  # defaultdict
        self._push({})

    def _foreign(self, factory: _Factory) -> InputError:
        expected = "no foreign names, but for the factory of a defaultdict; it was not imported"
        return self._error("global", factory.name, expected)

    def _remember(self, factory: _Factory) -> None:
        """Follow the opcode that puts the factory, or the tuple of it, into the memo."""
        opcode = bytes(self.data[self.position : self.position + 1])
        if opcode not in (b"q", b"r", b"p", b"\x94"):
            return
        self._take(1)
        if opcode == b"p":
            index = self._memo_line()
        elif opcode == b"\x94":
            index = len(self.memo)
        else:
            index = self._number("<B" if opcode == b"q" else "<I")
        self.memo[index] = factory


_DEFAULT_DICT = Constructor("collections.defaultdict", _default_dict)

_STORAGE_TYPES = {
    f"torch.{name}Storage": np.dtype(code)
    for name, code in (
        ("Half", "<f2"),
        ("Float", "<f4"),
        ("Double", "<f8"),
        ("Char", "i1"),
        ("Byte", "u1"),
        ("Short", "<i2"),
        ("Int", "<i4"),
        ("Long", "<i8"),
        ("Bool", "?"),
    )
}

_CONSTRUCTORS: dict[tuple[str, str], Constructor] = {
    **NUMPY,
    ("collections", "defaultdict"): _DEFAULT_DICT,
    ("torch._utils", "_rebuild_tensor_v2"): Constructor(
        "torch._utils._rebuild_tensor_v2", _rebuild_tensor
    ),
    **{
        ("torch", name.removeprefix("torch.")): Constructor(name, _not_called)
        for name in _STORAGE_TYPES
    },
}
