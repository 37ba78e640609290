"""The method on trial, and how what is found wrong with it is explained."""

from __future__ import annotations

import importlib.util
import linecache
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from amb.data.batches import Batch
from amb.errors import InputError
from amb.model.method import method_module
from amb.source_graph import ROOT, builder_file
from amb.training.memory import is_out_of_memory


@dataclass(frozen=True)
class Accused:
    """The method on trial, as errors name it.

    Attributes:
        row: Row of the study.
        builder: ``amb``, or the name of a file in ``baselines/``.
    """

    row: str
    builder: str

    @cached_property
    def path(self) -> Path:
        """The file that builds it."""
        spec = importlib.util.find_spec(method_module(self.builder))
        return Path(spec.origin) if spec and spec.origin else ROOT / builder_file(self.builder)

    @property
    def file(self) -> Path:
        """The same, relative to the project's root where it lies there."""
        return self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path

    def fault(self, part: str, found: object, expected: str, hint: str) -> InputError:
        """Return the error for a fault in one part of the file."""
        return InputError(self.file, f"{part} (row {self.row})", found, expected, hint)

    @contextmanager
    def running(self, part: str, expected: str, batch: Batch | None = None) -> Iterator[None]:
        """Explain whatever a part of the method raises.

        Args:
            part: ``build``, ``forward``, ``loss`` or ``begin_training``.
            expected: What it should have done.
            batch: What it was given, for the message.

        Yields:
            Nothing.

        Raises:
            InputError: It raised an error, whose line in the method's file is named.
        """
        try:
            yield
        except (InputError, MemoryError, OSError):
            raise
        except Exception as error:
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            line = _line_of(error, self.path)
            given = f" It was given {describe(batch)}." if batch is not None else ""
            hint = f"{line}{given} Correct it and run the same command again"
            found = f"{type(error).__name__}: {error}"
            raise self.fault(part, found, expected, hint) from error


def describe(batch: Batch) -> str:
    """Return the shapes of a batch in a line."""
    shapes = {"token_ids": batch.token_ids.shape}
    shapes |= {f"frames[{m!r}].values": batch.frames[m].values.shape for m in batch.frames}
    return ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())


def _line_of(error: BaseException, file: Path) -> str:
    """Say where an error arose: the last line of the method's own file, or the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == file]
    last = (own or frames)[-1]
    text = linecache.getline(last.filename, last.lineno or 0).strip()
    place = "Line" if own else f"{last.filename}, line"
    return f"{place} {last.lineno}: `{text}`."
