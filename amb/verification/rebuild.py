"""All steps of a study, run again into a fresh folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amb.errors import InputError
from amb.verification.carried import carry_registration
from amb.verification.inputs import Inputs, naming
from amb.verification.steps import steps_of

# Runs one command of ``amb``, given as its arguments; raises what the command raises.
RunCommand = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Failure:
    """A step that did not end well.

    Attributes:
        step: Its command, without options.
        message: What it says.
    """

    step: str
    message: str


def rebuild(
    inputs: Inputs, out: Path, run_command: RunCommand, figures: bool = True
) -> list[Failure]:
    """Run the steps, each in turn; one that fails does not keep the others from running.

    A step that checks something (control rows in their ranges, rows below their bounds) fails after
    its files are written.

    Args:
        inputs: The checked copy of a results folder.
        out: The folder to write to.
        run_command: Runs a command of ``amb``.
        figures: Whether to run steps that only draw.

    Returns:
        The steps that failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    with beside(inputs.folder, out):
        return [*_failures(inputs, out, run_command, figures)]


@contextmanager
def beside(folder: Path, out: Path) -> Iterator[None]:
    """Let a folder show, by links, what another holds, while a block runs.

    Args:
        folder: The other folder.
        out: The folder; what it has itself stays as it is.

    Yields:
        Nothing.
    """
    links = [out / entry.name for entry in folder.iterdir() if not (out / entry.name).exists()]
    for link in links:
        link.symlink_to(folder.resolve() / link.name)
    try:
        yield
    finally:
        for link in links:
            link.unlink()


def _failures(
    inputs: Inputs, out: Path, run_command: RunCommand, figures: bool
) -> Iterator[Failure]:
    for step in steps_of(inputs.study):
        if step.only_draws and not figures:
            continue
        arguments = step.arguments(inputs.study, inputs.folder, out)
        try:
            with naming(inputs.folder, inputs.source):
                run_command(arguments)
        except InputError as error:
            yield Failure(arguments[0], str(error))
        if "claims.json" in step.makes:
            carry_registration(inputs.source, out)
