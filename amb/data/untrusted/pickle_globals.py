"""The names that a pickle may use, each with an inert constructor of ours.

What these layouts need: NumPy arrays and scalars under the module names of NumPy 1 and 2, byte
strings as Python 2 and 3 exchange them, ordered dictionaries, sets. An array of objects with one
axis, which is what pandas makes of a column of texts, holds nothing but a list that the machine has
made like any other, and comes back as that list. Records and dates are refused: no layout has them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Spend = Callable[[int], None]
Buffer = bytes | memoryview

_TYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|[SU]\d{1,6})")
_OBJECTS = re.compile(r"[<>=|]?O[48]?")
_LARGEST_NDIM = 8


class RefusedError(Exception):
    """A value that is not admitted; the machine adds file and offset.

    Args:
        field: What was being made.
        found: The value found.
        expected: What would have been accepted.
    """

    def __init__(self, field: str, found: object, expected: str) -> None:
        super().__init__(field)
        self.field, self.found, self.expected = field, found, expected


@dataclass(frozen=True)
class Constructor:
    """An admitted name.

    Attributes:
        name: The name as pickles write it.
        construct: Makes a value from the arguments; copies are taken out of the budget.
    """

    name: str
    construct: Callable[[tuple[Any, ...], Spend], Any]


@dataclass
class TypeDraft:
    """A NumPy type between its making and the state that sets its byte order."""

    code: str
    built: np.dtype[Any] | None = field(default=None)

    def build(self, state: Any, spend: Spend) -> TypeDraft:
        """Set the byte order from ``(version, order, None, None, None, …)``."""
        if type(state) is not tuple or len(state) < 5 or not _is_one_of(state[1], "<>|="):
            raise RefusedError("dtype state", short(state), "a byte order and no fields")
        if any(part is not None for part in state[2:5]):
            raise RefusedError("dtype", "subarray or fields", "numbers, truth values or text")
        self.code = state[1] + self.code.lstrip("<>=|")
        return self

    @property
    def is_of_objects(self) -> bool:
        """Whether an array of the type holds a list."""
        return _OBJECTS.fullmatch(self.code) is not None

    def finished(self) -> np.dtype[Any]:
        """Return the NumPy type."""
        return np.dtype(self.code)


@dataclass
class ArrayDraft:
    """An array between its making and the state that holds its values."""

    built: np.ndarray[Any, Any] | list[Any] | None = field(default=None)

    def build(self, state: Any, spend: Spend) -> np.ndarray[Any, Any] | list[Any]:
        """Make the array from ``(version, shape, dtype, is_fortran, data)``, as a view if it can.

        References to the draft that the memo holds lead to the array from now on. An array of
        objects is its list.
        """
        if type(state) is not tuple or len(state) != 5 or type(state[2]) is not TypeDraft:
            raise RefusedError("array state", short(state), "version, shape, type, order and data")
        _, shape, draft, is_fortran, data = state
        if type(is_fortran) not in (bool, int):
            raise RefusedError("array order", short(is_fortran), "a truth value")
        if draft.is_of_objects:
            self.built = _listed(data, shape)
        else:
            self.built = _array(data, draft, shape, "F" if is_fortran else "C", spend)
        return self.built


BUILDERS = (TypeDraft, ArrayDraft)


def _dtype(arguments: tuple[Any, ...], spend: Spend) -> TypeDraft:
    code = arguments[0] if arguments else None
    if type(code) is not str or not (_TYPE.fullmatch(code) or _OBJECTS.fullmatch(code)):
        raise RefusedError("dtype", short(code), "numbers, truth values, text or objects")
    return TypeDraft(code)


def _scalar(arguments: tuple[Any, ...], spend: Spend) -> Any:
    if len(arguments) != 2 or type(arguments[0]) is not TypeDraft:
        raise RefusedError("scalar", short(arguments), "a type and its bytes")
    return _array(arguments[1], arguments[0], (), "C", spend)[()]


def _from_buffer(arguments: tuple[Any, ...], spend: Spend) -> np.ndarray[Any, Any]:
    if len(arguments) != 4 or type(arguments[1]) is not TypeDraft:
        raise RefusedError("_frombuffer", short(arguments), "data, type, shape and order")
    data, draft, shape, order = arguments
    if not _is_one_of(order, "CF"):
        raise RefusedError("array order", short(order), "C or F")
    return _array(data, draft, shape, order, spend)


def _listed(data: Any, shape: Any) -> list[Any]:
    """Return the list that an array of objects is, once it is as long as its one axis."""
    if type(data) is not list:
        raise RefusedError("array data", type(data).__name__, "a list for an array of objects")
    if type(shape) is not tuple or len(shape) != 1 or shape[0] != len(data):
        raise RefusedError("array shape", short(shape), f"({len(data)},), the list's length")
    return data


def _array(
    data: Any, draft: TypeDraft, shape: Any, order: Any, spend: Spend
) -> np.ndarray[Any, Any]:
    """View bytes as an array, once type, shape and length agree."""
    if type(data) is str:  # bytes as Python 2 wrote them
        spend(len(data))
        data = _latin1(data)
    if draft.is_of_objects or not isinstance(data, bytes | memoryview):
        raise RefusedError("array data", type(data).__name__, "bytes of numbers or text")
    dtype = draft.finished()
    if type(shape) is not tuple or len(shape) > _LARGEST_NDIM:
        raise RefusedError("array shape", short(shape), f"a tuple of {_LARGEST_NDIM} at most")
    if not all(type(length) is int and 0 <= length < 1 << 48 for length in shape):
        raise RefusedError("array shape", short(shape), "lengths of 0 or more")
    values = math.prod(shape)
    if values * dtype.itemsize != len(data):
        found = f"{short(shape)} of {dtype}, {len(data)} bytes"
        raise RefusedError("array", found, f"{values * dtype.itemsize} bytes for that shape")
    if not values or not dtype.itemsize:
        spend(math.prod(length for length in shape if length))  # NumPy checks it against overflow
        return np.zeros(shape, dtype.newbyteorder("="))
    array = np.frombuffer(data, dtype).reshape(shape, order=order)
    if dtype.isnative:
        return array
    spend(len(data))
    return array.astype(dtype.newbyteorder("="))


def _reconstruct(arguments: tuple[Any, ...], spend: Spend) -> ArrayDraft:
    if not arguments or arguments[0] is not _NDARRAY:
        raise RefusedError("_reconstruct", short(arguments), "a plain numpy.ndarray")
    return ArrayDraft()


def _encode(arguments: tuple[Any, ...], spend: Spend) -> bytes:
    if len(arguments) != 2 or type(arguments[0]) is not str:
        raise RefusedError("_codecs.encode", short(arguments), "text and latin1")
    if not _is_one_of(arguments[1], ("latin1", "latin-1")):
        raise RefusedError("_codecs.encode", short(arguments[1]), "latin1")
    spend(len(arguments[0]))
    return _latin1(arguments[0])


def _latin1(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise RefusedError("bytes", "a character above 255", "bytes written as text") from None


def _ordered(arguments: tuple[Any, ...], spend: Spend) -> dict[Any, Any]:
    if not arguments:
        return {}
    pairs = arguments[0]
    if len(arguments) != 1 or type(pairs) is not list:
        raise RefusedError("OrderedDict", short(arguments), "nothing, or a list of pairs")
    spend(16 * len(pairs))
    if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        raise RefusedError("OrderedDict", "other objects", "a list of pairs")
    return {_scalar_key(key): value for key, value in pairs}


def _set(arguments: tuple[Any, ...], spend: Spend) -> set[Any]:
    if len(arguments) != 1 or type(arguments[0]) is not list:
        raise RefusedError("set", short(arguments), "a list")
    spend(16 * len(arguments[0]))
    return {_scalar_key(item) for item in arguments[0]}


def _is_one_of(value: Any, accepted: Iterable[str]) -> bool:
    """Compare text only: an array compared with text is an array, and has no truth value."""
    return type(value) is str and value in tuple(accepted)


def _scalar_key(key: Any) -> Any:
    if type(key) not in (str, bytes, int, float, bool, type(None)):
        raise RefusedError("key", type(key).__name__, "text or a number")
    return key


def _no_bytes(arguments: tuple[Any, ...], spend: Spend) -> bytes:
    if arguments:
        raise RefusedError("bytes", short(arguments), "no arguments: how b'' is written")
    return b""


def _not_called(arguments: tuple[Any, ...], spend: Spend) -> Any:
    raise RefusedError("numpy.ndarray", "a call", "its use in _reconstruct")


def short(value: object) -> str:
    """Describe a value without walking into it: it may contain itself."""
    if isinstance(value, str | bytes):
        return repr(value[:60])
    if isinstance(value, int | float | bool | type(None)):
        return repr(value)[:60]
    if type(value) is tuple and all(type(part) is int for part in value[:9]):
        return repr(value[:9])[:200]
    return type(value).__name__


_NDARRAY = Constructor("numpy.ndarray", _not_called)

NUMPY: dict[tuple[str, str], Constructor] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Constructor("numpy.dtype", _dtype),
    ("_codecs", "encode"): Constructor("_codecs.encode", _encode),
    ("collections", "OrderedDict"): Constructor("collections.OrderedDict", _ordered),
    ("builtins", "bytes"): Constructor("bytes", _no_bytes),
    ("__builtin__", "bytes"): Constructor("bytes", _no_bytes),
    ("builtins", "set"): Constructor("set", _set),
    ("__builtin__", "set"): Constructor("set", _set),
    **{
        (f"numpy.{core}.{module}", name): Constructor(name, construct)
        for core in ("core", "_core")
        for module, name, construct in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}
