"""An interpreter of pickle opcodes over a memory-mapped file, without code execution.

The standard unpickler looks up and calls what a pickle names. This machine has a closed table of
names instead (``pickle_globals``), each standing for a constructor of our own. Large byte strings
stay in the file as views, so that a pickle of gigabytes of arrays loads without reading them.

Time and memory are linear in the file's size: every opcode takes at least a byte, pushes at most
one object, and what a constructor copies comes out of a budget. Keys are scalars, since hashing
nested tuples that share their parts is exponential.

Source: opcode semantics as documented in the standard library's ``pickletools``.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amb.data.untrusted.pickle_globals import BUILDERS, Constructor, RefusedError, short
from amb.errors import InputError

HIGHEST_PROTOCOL = 5
VIEW_FROM_BYTES = 256  # shorter byte strings are copied: a view costs more than they do
TEXT_UP_TO_BYTES = 1 << 16  # a longer Python 2 string is array data, and stays a view
LONGEST_INTEGER_BYTES = 64
LONGEST_NUMBER_DIGITS = 160

_MARK = object()
_SCALARS = (str, bytes, int, float, bool, type(None))
_ACCEPTED = "containers, numbers, text and NumPy arrays only"


class PickleMachine:
    """Runs one pickle.

    Args:
        file: For messages.
        data: The bytes, read-only.
        constructors: Admitted globals by (module, name).
        position: Where the pickle begins.
        persistent: Turns a persistent id into a value; without it such ids are refused.
    """

    def __init__(
        self,
        file: Path,
        data: memoryview,
        constructors: dict[tuple[str, str], Constructor],
        position: int = 0,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self.file, self.data, self.position = file, data, position
        self.constructors, self.persistent = constructors, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.copy_budget = 2 * len(data) + (1 << 20)
        self.opcode_at = position

    def run(self) -> Any:
        """Interpret opcodes up to STOP; ``position`` is then the first byte after it.

        Returns:
            The pickled value. Names that the table admits but that the pickle leaves unused stand
            in it as inert objects.

        Raises:
            InputError: An opcode or a name is not admitted, or the pickle is malformed; the
                message names it and its offset.
        """
        while True:
            self.opcode_at = self.position
            opcode = self._take(1)[0]
            if opcode == 0x2E:  # STOP
                return self._result()
            action = _ACTIONS.get(opcode)
            if action is None:
                name = _REFUSED.get(opcode, f"0x{opcode:02x}")
                raise self._error(f"opcode {name}", "code or an unknown opcode", _ACCEPTED)
            try:
                action(self)
            except RefusedError as refusal:
                raise self._error(refusal.field, refusal.found, refusal.expected) from None

    def _result(self) -> Any:
        if len(self.stack) != 1 or self.stack[0] is _MARK:
            raise self._error("STOP", f"{len(self.stack)} objects", "exactly one")
        return self._resolved(self.stack.pop())

    def _error(self, field: str, found: object, expected: str) -> InputError:
        return InputError(self.file, f"{field} at byte {self.opcode_at}", found, expected)

    # Reading

    def _take(self, count: int) -> memoryview:
        end = self.position + count
        if end > len(self.data):
            left = len(self.data) - self.position
            raise self._error("length", f"{left} bytes left", f"{count}: the file is cut or wrong")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def _number(self, layout: str) -> int:
        number: int = struct.unpack(layout, self._take(struct.calcsize(layout)))[0]
        if number < 0:
            raise self._error("length", number, "a length of 0 or more")
        return number

    def _line(self) -> bytes:
        """Read up to the next newline, in pieces: lines are short where the file is honest."""
        start = self.position
        pieces: list[bytes] = []
        while self.position < len(self.data):
            piece = bytes(self.data[self.position : self.position + 4096])
            newline = piece.find(b"\n")
            if newline >= 0:
                self.position += newline + 1
                return b"".join([*pieces, piece[:newline]])
            pieces.append(piece)
            self.position += len(piece)
        raise self._error("line", f"no newline after byte {start}", "a line of text")

    def _text(self, raw: bytes | memoryview, encoding: str = "utf-8") -> str:
        try:
            return str(raw, encoding, "surrogatepass" if encoding == "utf-8" else "strict")
        except UnicodeDecodeError as error:
            raise self._error("text", str(error), f"text in {encoding}") from None

    # The stack

    def _pop(self) -> Any:
        if not self.stack or self._is_marked():
            raise self._error("stack", "nothing to take", "an object")
        return self._resolved(self.stack.pop())

    def _top(self, kind: type) -> Any:
        if not self.stack or type(self.stack[-1]) is not kind:
            found = type(self.stack[-1]).__name__ if self.stack else "nothing"
            raise self._error("stack", found, f"a {kind.__name__}")
        return self.stack[-1]

    def _is_marked(self) -> bool:
        return bool(self.stack) and self.stack[-1] is _MARK

    def _pop_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while place >= 0 and self.stack[place] is not _MARK:
            place -= 1
        if place < 0:
            raise self._error("stack", "no mark", "a mark")
        items = [self._resolved(item) for item in self.stack[place + 1 :]]
        del self.stack[place:]
        return items

    @staticmethod
    def _resolved(item: Any) -> Any:
        """Return the finished array where an earlier reference to its draft was used."""
        built = getattr(item, "built", None) if type(item) in BUILDERS else None
        return item if built is None else built

    def spend(self, count: int) -> None:
        """Take bytes that a constructor copies out of the budget."""
        self.copy_budget -= count
        if self.copy_budget < 0:
            raise RefusedError(
                "copies", "more than twice the file's size", "a file that is not a bomb"
            )

    # Opcodes

    def _proto(self) -> None:
        protocol = self._take(1)[0]
        if protocol > HIGHEST_PROTOCOL:
            raise self._error("protocol", protocol, f"{HIGHEST_PROTOCOL} at most")

    def _frame(self) -> None:
        length = self._number("<Q")
        if length > len(self.data) - self.position:
            raise self._error("frame", f"{length} bytes", "a frame that ends within the file")

    def _push(self, value: Any) -> None:
        self.stack.append(value)

    def _push_bytes(self, layout: str) -> None:
        raw = self._take(self._number(layout))
        self._push(raw if len(raw) >= VIEW_FROM_BYTES else bytes(raw))

    def _push_python2_string(self, layout: str) -> None:
        raw = self._take(self._number(layout))
        self._push(raw if len(raw) > TEXT_UP_TO_BYTES else self._text(raw, "latin-1"))

    def _push_quoted(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
            raise self._error("STRING", line[:40], "a quoted string")
        try:
            raw = codecs.escape_decode(line[1:-1])[0]
        except ValueError as error:
            raise self._error("STRING", str(error), "a quoted string") from None
        self._push(self._text(raw, "latin-1"))

    def _push_number_line(self, kind: Callable[[str], Any]) -> None:
        line = self._text(self._line(), "latin-1").rstrip("L")
        try:
            if len(line) > LONGEST_NUMBER_DIGITS:
                raise ValueError
            self._push(kind(line))
        except ValueError:
            raise self._error("number", line[:40], "a decimal number") from None

    def _push_long(self, layout: str) -> None:
        length = self._number(layout)
        if length > LONGEST_INTEGER_BYTES:
            raise self._error("integer", f"{length} bytes", f"{LONGEST_INTEGER_BYTES} at most")
        self._push(int.from_bytes(self._take(length), "little", signed=True))

    def _put(self, index: int) -> None:
        if not self.stack or self._is_marked():
            raise self._error("memo", "nothing to remember", "an object")
        self.memo[index] = self.stack[-1]

    def _get(self, index: int) -> None:
        if index not in self.memo:
            raise self._error("memo", f"entry {index}, never set", "an entry that was set")
        self._push(self._resolved(self.memo[index]))

    def _memo_line(self) -> int:
        line = self._line()
        if not line.isdigit() or len(line) > LONGEST_NUMBER_DIGITS:
            raise self._error("memo", line[:40], "a number")
        return int(line)

    def _append(self, items: list[Any]) -> None:
        self._top(list).extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        if len(items) % 2:
            raise self._error("SETITEMS", f"{len(items)} objects", "keys and values in pairs")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self._key(key)] = value

    def _push_dict(self) -> None:
        items = self._pop_mark()
        self._push({})
        self._set_items(items)

    def _key(self, key: Any) -> Any:
        if type(key) not in _SCALARS:
            raise self._error("key", type(key).__name__, "text or a number")
        return key

    def _add_items(self) -> None:
        items = self._pop_mark()
        self._top(set).update([self._key(item) for item in items])

    def _tuple(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(items)))

    def _pop_or_unmark(self) -> None:
        if not self.stack:
            raise self._error("POP", "an empty stack", "an object")
        self.stack.pop()

    def _global_line(self) -> None:
        module, name = self._text(self._line()), self._text(self._line())
        self._admit(module, name)

    def _global_from_stack(self) -> None:
        name, module = self._pop(), self._pop()
        self._admit(module, name)

    def _admit(self, module: Any, name: Any) -> None:
        constructor = None
        if type(module) is str and type(name) is str:
            constructor = self.constructors.get((module, name))
        if constructor is None:
            named = type(module) is str and type(name) is str
            found = f"{module}.{name}"[:120] if named else f"{short(module)}, {short(name)}"
            raise self._error("global", found, f"{_ACCEPTED}; it was not imported")
        self._push(constructor)

    def _reduce(self) -> None:
        arguments, constructor = self._pop(), self._pop()
        if not isinstance(constructor, Constructor) or type(arguments) is not tuple:
            found = type(constructor).__name__
            raise self._error("REDUCE", found, "an admitted name and its arguments")
        self._push(constructor.construct(arguments, self.spend))

    def _build(self) -> None:
        state = self._pop()
        target = self._pop()
        if type(target) not in BUILDERS:
            raise self._error("BUILD", type(target).__name__, "an array or its type")
        self._push(target.build(state, self.spend))

    def _persistent(self, identifier: Any) -> None:
        if self.persistent is None:
            raise self._error("persistent id", short(identifier), _ACCEPTED)
        self._push(self.persistent(identifier))

    def _duplicate(self) -> None:
        if not self.stack or self._is_marked():
            raise self._error("DUP", "nothing to double", "an object")
        self._push(self.stack[-1])

    def _push_int_line(self) -> None:
        """Push an integer of protocol 0, where 00 and 01 are the truth values."""
        rest = bytes(self.data[self.position : self.position + 3])
        if rest in (b"00\n", b"01\n"):
            self.position += 3
            self._push(rest == b"01\n")
        else:
            self._push_number_line(int)


Action = Callable[[PickleMachine], object]

_ACTIONS: dict[int, Action] = {
    # Frames and marks
    0x80: PickleMachine._proto,
    0x95: PickleMachine._frame,
    ord("("): lambda m: m._push(_MARK),
    ord("0"): PickleMachine._pop_or_unmark,
    ord("1"): PickleMachine._pop_mark,
    ord("2"): PickleMachine._duplicate,
    # Constants and numbers
    ord("N"): lambda m: m._push(None),
    0x88: lambda m: m._push(True),
    0x89: lambda m: m._push(False),
    ord("I"): PickleMachine._push_int_line,
    ord("L"): lambda m: m._push_number_line(int),
    ord("F"): lambda m: m._push_number_line(float),
    ord("J"): lambda m: m._push(struct.unpack("<i", m._take(4))[0]),
    ord("K"): lambda m: m._push(m._number("<B")),
    ord("M"): lambda m: m._push(m._number("<H")),
    0x8A: lambda m: m._push_long("<B"),
    0x8B: lambda m: m._push_long("<i"),
    ord("G"): lambda m: m._push(struct.unpack(">d", m._take(8))[0]),
    # Text and bytes
    ord("V"): lambda m: m._push(m._text(m._line(), "raw-unicode-escape")),
    ord("X"): lambda m: m._push(m._text(m._take(m._number("<I")))),
    0x8C: lambda m: m._push(m._text(m._take(m._number("<B")))),
    0x8D: lambda m: m._push(m._text(m._take(m._number("<Q")))),
    ord("S"): PickleMachine._push_quoted,
    ord("T"): lambda m: m._push_python2_string("<i"),
    ord("U"): lambda m: m._push_python2_string("<B"),
    ord("B"): lambda m: m._push_bytes("<I"),
    ord("C"): lambda m: m._push_bytes("<B"),
    0x8E: lambda m: m._push_bytes("<Q"),
    0x96: lambda m: m._push_bytes("<Q"),
    # Containers
    ord("]"): lambda m: m._push([]),
    ord("}"): lambda m: m._push({}),
    ord(")"): lambda m: m._push(()),
    0x8F: lambda m: m._push(set()),
    ord("l"): lambda m: m._push(m._pop_mark()),
    ord("t"): lambda m: m._push(tuple(m._pop_mark())),
    ord("d"): lambda m: m._push_dict(),
    ord("a"): lambda m: m._append([m._pop()]),
    ord("e"): lambda m: m._append(m._pop_mark()),
    ord("s"): lambda m: m._set_items([m._pop(), m._pop()][::-1]),
    ord("u"): lambda m: m._set_items(m._pop_mark()),
    0x90: PickleMachine._add_items,
    0x85: lambda m: m._tuple(1),
    0x86: lambda m: m._tuple(2),
    0x87: lambda m: m._tuple(3),
    # Memo
    ord("p"): lambda m: m._put(m._memo_line()),
    ord("q"): lambda m: m._put(m._number("<B")),
    ord("r"): lambda m: m._put(m._number("<I")),
    0x94: lambda m: m._put(len(m.memo)),
    ord("g"): lambda m: m._get(m._memo_line()),
    ord("h"): lambda m: m._get(m._number("<B")),
    ord("j"): lambda m: m._get(m._number("<I")),
    # Names, which are looked up in a closed table
    ord("c"): PickleMachine._global_line,
    0x93: PickleMachine._global_from_stack,
    ord("R"): PickleMachine._reduce,
    ord("b"): PickleMachine._build,
    ord("P"): lambda m: m._persistent(m._text(m._line(), "latin-1")),
    ord("Q"): lambda m: m._persistent(m._pop()),
}

_REFUSED = {
    ord("i"): "INST",
    ord("o"): "OBJ",
    0x81: "NEWOBJ",
    0x92: "NEWOBJ_EX",
    0x82: "EXT1",
    0x83: "EXT2",
    0x84: "EXT4",
    0x91: "FROZENSET",
    0x97: "NEXT_BUFFER",
    0x98: "READONLY_BUFFER",
}
