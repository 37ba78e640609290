"""What run records, the lock file and the source tree say: all that a bundle states of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amb.errors import InputError
from amb.evaluation.predictions import run_folder
from amb.files import read_json
from amb.source_graph import ROOT
from amb.verification.inputs import EVALUATED, RECORD, Inputs
from amb.verification.verify import Verification

LOCKS = tuple(
    f"requirements{part}.lock"
    for part in ("", "-torch", "-cuda", "-backbone")  # the last: read as data
)
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)")
_OWN = ("python", "amb-suite")  # versions in a record that no lock pins


@dataclass(frozen=True)
class Facts:
    """What is known of a study and of the source that made it.

    Attributes:
        study: Name of the study.
        description: What the study says of itself.
        synthetic: Whether its data are generated, so that anyone has them.
        runs: Number of runs.
        seeds: Fewest and most seeds of a row.
        commits: Commits that runs were trained at.
        dirty: Whether a run was trained from a work tree with changes.
        devices: Names of the hardware.
        train_hours: Training time of all runs together.
        evaluated_at: When test labels were last first read; None where no run says.
        backbone: Name and SHA-256 of the backbone.
        store_sha256: SHA-256 of the data.
        pins: Locked packages with their versions.
        other_versions: Packages that runs had in another version than the lock's.
        verification: What verifying the folder came to.
    """

    study: str
    description: str
    synthetic: bool
    runs: int
    seeds: tuple[int, int]
    commits: tuple[str, ...]
    dirty: bool
    devices: tuple[str, ...]
    train_hours: float
    evaluated_at: str | None
    backbone: tuple[str, str]
    store_sha256: str
    pins: Mapping[str, str]
    other_versions: tuple[str, ...]
    verification: Verification


def gather(inputs: Inputs, verification: Verification) -> Facts:
    """Gather the facts.

    Args:
        inputs: The checked copy of a results folder.
        verification: What verifying it came to.

    Returns:
        The facts.
    """
    records = list(_records(inputs, RECORD))
    sources = [record.get("source", {}) for record in records]
    moments = [str(note["first_evaluation_at"]) for note in _records(inputs, EVALUATED)]
    counts = [len(row.seeds) for row in inputs.study.methods.values()]
    pins = locked()
    return Facts(
        study=inputs.study.name,
        description=inputs.study.description,
        synthetic=inputs.study.data["reader"] == "demo",
        runs=len(records),
        seeds=(min(counts), max(counts)),
        commits=tuple(sorted({str(source.get("commit", "unknown")) for source in sources})),
        dirty=any(source.get("dirty") for source in sources),
        devices=tuple(sorted({str(record.get("device", {}).get("name")) for record in records})),
        train_hours=sum(float(record.get("wall_time_s", 0)) for record in records) / 3600,
        evaluated_at=max(moments, default=None),
        backbone=(inputs.study.backbone.name, str(records[0]["backbone_sha256"])),
        store_sha256=str(records[0]["store_sha256"]),
        pins=pins,
        other_versions=tuple(sorted(_other_versions(records, pins))),
        verification=verification,
    )


def locked() -> dict[str, str]:
    """Read the lock files.

    Returns:
        Packages to their versions.

    Raises:
        InputError: There is no lock file: this is no checkout of the source.
    """
    pins = {}
    for name in LOCKS:
        file = ROOT / name
        if not file.is_file():
            raise InputError(file, "file", "no such file", "the lock file of a source checkout")
        for line in file.read_text(encoding="utf-8").splitlines():
            if found := _PIN.match(line):
                pins[found[1]] = found[2]
    return pins


def _records(inputs: Inputs, name: str) -> Iterator[dict[str, Any]]:
    for method, row in inputs.study.methods.items():
        for seed in row.seeds:
            file = run_folder(inputs.folder / "runs", method, seed) / name
            if file.is_file():
                yield read_json(file)


def _other_versions(records: list[dict[str, Any]], pins: Mapping[str, str]) -> Iterator[str]:
    """Yield what runs were trained with that the lock pins otherwise; builds are left aside."""
    wanted = {name.lower(): version for name, version in pins.items()}
    seen = {pair for record in records for pair in record.get("versions", {}).items()}
    for name, version in seen:
        pinned = wanted.get(name.lower())
        if name not in _OWN and pinned != str(version).split("+")[0]:
            yield f"{name} {version} (locked: {pinned or 'not locked'})"
