"""The identity hashes of runs, from their records: what a verdict can be traced to."""

from __future__ import annotations

from pathlib import Path

from amb.errors import InputError
from amb.evaluation.predictions import run_folder
from amb.files import read_json
from amb.study import Study


def read_identities(runs: Path, study: Study) -> dict[tuple[str, int], str]:
    """Read the identity hash of every run of a study.

    Args:
        runs: The folder ``results/<study>/runs``.
        study: The study.

    Returns:
        (row, seed) to the hash; a record without one has no entry.

    Raises:
        InputError: A record is missing or unreadable.
    """
    identities = {}
    for name, row in study.methods.items():
        for seed in row.seeds:
            file = run_folder(runs, name, seed) / "run.json"
            try:
                identity = read_json(file).get("identity_sha256")
            except (OSError, ValueError, AttributeError) as error:
                raise InputError(file, "file", str(error), "the record of this run") from error
            if identity is not None:
                identities[name, seed] = str(identity)
    return identities
