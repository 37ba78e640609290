"""A finished study as a small folder to commit: predictions, records, numbers and tables.

Pictures are left out; their SHA-256 stay, so that verifying can say whether they come out
alike. What is written was verified, from what is written.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from amb.errors import InputError
from amb.files import atomic_folder, sha256_of, write_json
from amb.publishing.parts import copy_made, copy_read
from amb.verification.inputs import copy_inputs
from amb.verification.rebuild import RunCommand
from amb.verification.steps import PICTURES, files_of
from amb.verification.verify import LEFT_OUT_FILE, Verification, verify


def write_reference(results: Path, target: Path, run_command: RunCommand) -> Verification:
    """Write a reference of a finished study, and verify it before it takes its place.

    Args:
        results: The results folder.
        target: The folder to write; an older one is replaced.
        run_command: Runs a command of ``amb``.

    Returns:
        The verification of what was written.

    Raises:
        InputError: The study is not finished, or its files are not what its predictions say.
    """
    with atomic_folder(target) as folder, tempfile.TemporaryDirectory() as work:
        inputs = copy_inputs(results, Path(work))
        names = files_of(inputs.study)
        for name in names:
            if not (results / name).is_file():
                raise InputError(results / name, "file", "no such file", "a finished study")
        left_out = [name for name in names if name.endswith(PICTURES)]
        copy_read(inputs, folder, smaller=True)
        copy_made(results, folder, [name for name in names if name not in left_out])
        hashes = {name: sha256_of(results / name) for name in left_out}
        write_json(folder / LEFT_OUT_FILE, {"schema": 1, "left_out": hashes})
        verification = verify(folder, run_command)
        if not verification.agrees:
            hint = f"See amb verify {results}"
            raise InputError(results, "files", "some differ", "what the predictions say", hint)
    return replace(verification, folder=str(target))
