"""The one error that a user's input can cause, and how it reads."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Something a user gave us is wrong: a file, a key, a value.

    The message names the file, the field, the value found and the value expected, so that the
    command line can print it alone, without a stack trace.

    Args:
        file: The file (or folder) at fault.
        field: The key, column or item at fault, in the notation of that file.
        found: The value found.
        expected: What would have been accepted, in words.
        hint: What to do about it, if there is more to say.
    """

    def __init__(
        self,
        file: str | Path,
        field: str,
        found: object,
        expected: str,
        hint: str | None = None,
    ) -> None:
        self.file = str(file)
        self.field = field
        self.found = found
        self.expected = expected
        self.hint = hint
        message = f"{file}: {field}: found {found!r}, expected {expected}"
        super().__init__(message if hint is None else f"{message}. {hint}")

    def __reduce__(self) -> tuple[type[InputError], tuple[object, ...]]:
        # A worker process sends its error by pickle, which would build it from the message alone.
        return type(self), (self.file, self.field, self.found, self.expected, self.hint)
