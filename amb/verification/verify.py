"""A results folder, or a bundle of one, verified."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.files import read_json
from amb.foreign_files import MIB, checked_file
from amb.verification.archive import unpacked
from amb.verification.compare import WRONG, FileResult, compare_files
from amb.verification.differences import ABSOLUTE, RELATIVE
from amb.verification.inputs import Inputs, copy_inputs, naming
from amb.verification.integrity import check_integrity
from amb.verification.rebuild import Failure, RunCommand, rebuild
from amb.verification.steps import files_of, steps_of

LEFT_OUT_FILE = "left_out.json"
MAY_BE_LEFT_OUT = (".png", ".pdf", ".html")
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Verification:
    """What verifying came to.

    Attributes:
        folder: What was verified, as it was named.
        study: Name of its study.
        runs: How many runs it has.
        files: What became of every file.
        failures: Steps that failed.
        seconds: How long it took.
    """

    folder: str
    study: str
    runs: int
    files: tuple[FileResult, ...]
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether every number is what the predictions say."""
        return not self.failures and all(file.state not in WRONG for file in self.files)


def verify(
    path: Path,
    run_command: RunCommand,
    keep: Callable[[Path], object] | None = None,
    figures: bool = True,
) -> Verification:
    """Make everything right of the predictions again, and compare.

    Args:
        path: A results folder, a folder with one under ``results/``, or a zip file of either.
        run_command: Runs a command of ``amb``.
        keep: Called with the folder of the files made again, before it is removed.
        figures: Whether to draw the figures too, which takes most of the time.

    Returns:
        What agrees and what does not.

    Raises:
        InputError: Something that is needed is missing or unreadable, leaves the folder, or does
            not belong together.
    """
    start = time.perf_counter()
    with _results_folder(path) as source, tempfile.TemporaryDirectory(prefix="amb-verify-") as work:
        inputs_folder, out = Path(work, "inputs"), Path(work, "rebuilt")
        out.mkdir()
        inputs = copy_inputs(source, inputs_folder)
        left_out = _left_out(source)
        _refuse_what_does_not_belong(inputs)
        failures = rebuild(inputs, out, run_command, figures)
        skipped = [] if figures else [s for s in steps_of(inputs.study) if s.only_draws]
        files = compare_files(
            source,
            out,
            files_of(inputs.study),
            left_out,
            [name for step in skipped for name in step.makes],
        )
        if keep is not None:
            keep(out)
    return Verification(
        folder=str(path),
        study=inputs.study.name,
        runs=sum(len(row.seeds) for row in inputs.study.methods.values()),
        files=tuple(files),
        failures=tuple(failures),
        seconds=time.perf_counter() - start,
    )


def describe(verification: Verification) -> dict[str, Any]:
    """Return a verification as JSON-able values."""
    return {
        "schema": 1,
        "folder": verification.folder,
        "study": verification.study,
        "agrees": verification.agrees,
        "tolerance": {"relative": RELATIVE, "absolute": ABSOLUTE},
        "failed_steps": {failure.step: failure.message for failure in verification.failures},
        "files": [
            {
                "name": file.name,
                "state": file.state,
                "differences": [vars(difference) for difference in file.differences],
            }
            for file in verification.files
        ],
    }


@contextmanager
def _results_folder(path: Path) -> Iterator[Path]:
    """Yield the folder that holds ``study.json``."""
    if path.is_file():
        with unpacked(path) as folder, naming(folder, path):
            yield _with_study(folder)
    else:
        yield _with_study(path)


def _with_study(folder: Path) -> Path:
    if (folder / "study.json").is_file() or not (folder / "results").is_dir():
        return folder
    found = sorted(file.parent for file in (folder / "results").glob("*/study.json"))
    if len(found) != 1:
        names = ", ".join(place.name for place in found) or "none"
        raise InputError(folder / "results", "folders with study.json", names, "exactly one")
    return found[0]


def _refuse_what_does_not_belong(inputs: Inputs) -> None:
    """Refuse a folder whose parts come from different runs, studies or data."""
    with naming(inputs.folder, inputs.source):
        problems = check_integrity(inputs)
        if not problems:
            return
        problem, *others = problems
        more = [str(other) for other in others[: MOST_PROBLEMS - 1]]
        if len(others) > len(more):
            more.append(f"and {len(others) - len(more)} more")
        raise InputError(
            problem.file,
            problem.field,
            problem.found,
            problem.expected,
            "\n".join(["Nothing was rebuilt: the parts do not belong together", *more]),
        )


def _left_out(source: Path) -> dict[str, str]:
    """Return the files that a folder says it leaves out; it may not leave out numbers."""
    file = checked_file(source, LEFT_OUT_FILE, MIB)
    if file is None:
        return {}
    origin = "file names with their SHA-256, as amb reference writes them"
    try:
        content = read_json(file)
        named = {str(name): str(value) for name, value in content["left_out"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(source / LEFT_OUT_FILE, "content", str(error)[:200], origin) from error
    for name in named:
        if not name.endswith(MAY_BE_LEFT_OUT):
            allowed = f"a file that ends in {', '.join(MAY_BE_LEFT_OUT)}"
            raise InputError(source / LEFT_OUT_FILE, "left_out", name, allowed)
    return named
