"""Run folders of one study that several machines made, joined into one results folder.

Runs are taken whole, and only if all of them go back to the same study, data, backbone, recipe and
source. Tables are not merged: they follow from the runs, and the workflow makes them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from amb.errors import InputError
from amb.evaluation.predictions import (
    CLEAN_FILE,
    CORRUPTED_FILE,
    PREDICTION_COLUMNS,
    content_digest,
)
from amb.evaluation.reading import read_predictions
from amb.files import atomic_folder, read_json
from amb.merging.run_folder import (
    CHECKPOINT,
    RunKey,
    check_run,
    copy_run,
    find_run_folders,
)
from amb.statistics.run_agreement import compare_run
from amb.study import digest
from amb.verification.inputs import EVALUATED, RECORD, naming

# What all runs share, and what the runs of one method share.
OF_STUDY = ("study", "store_sha256", "backbone_sha256", "tokenizer_sha256")
OF_METHOD = ("config_sha256", "source_sha256")
SECTIONS = ("data", "backbone")  # of the study, in every record


@dataclass(frozen=True)
class Merged:
    """What merging came to.

    Attributes:
        study: Name of the study.
        runs: The source that each run was taken from, by method and seed.
        twice: Runs that another source had too, in the same bits, with that source.
        unfinished: Runs without a record, with their source; they were left.
    """

    study: str
    runs: dict[RunKey, Path] = field(default_factory=dict)
    twice: list[tuple[RunKey, Path]] = field(default_factory=list)
    unfinished: list[tuple[RunKey, Path]] = field(default_factory=list)


def merge_results(sources: Sequence[Path], target: Path) -> Merged:
    """Join the runs of several results folders of one study.

    Args:
        sources: Results folders; they stay as they are.
        target: The results folder to make. It appears whole, or not at all.

    Returns:
        Which runs were taken from where.

    Raises:
        InputError: The target exists; a run is damaged or leaves its folder; two runs differ in
            what they go back to; or two sources have one run in different bits.
    """
    if target.exists() or target.is_symlink():
        raise InputError(target, "folder", "exists already", "a folder that does not exist yet")
    found = {source: find_run_folders(source) for source in dict.fromkeys(sources)}
    with atomic_folder(target) as folder:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming.") as work:
            joining = _Joining(folder, Path(work))
            for source, (complete, _) in found.items():
                for key in complete:
                    joining.take(source, key)
        joining.check_items()
    unfinished = [
        (key, source)
        for source, (_, others) in found.items()
        for key in others
        if key not in joining.runs
    ]
    return Merged(joining.study, joining.runs, joining.twice, unfinished)


class _Joining:
    """The runs that were taken so far.

    Args:
        folder: The results folder that is being made.
        work: A folder for copies that are not checked yet.
    """

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.work = folder, work
        self.runs: dict[RunKey, Path] = {}
        self.twice: list[tuple[RunKey, Path]] = []
        self.study = ""
        self._known: dict[tuple[str, ...], tuple[Any, Path]] = {}

    def take(self, source: Path, key: RunKey) -> None:
        """Copy a run, check it by itself and against those before it, and keep it if it is new."""
        incoming = self.work / str(len(self.runs) + len(self.twice))
        shown = _place(source, key)
        copy_run(source, key, incoming)
        with naming(incoming, shown):
            record = check_run(incoming, key)
        self._check_shared(shown / RECORD, key[0], record)
        self.study = str(record["study"])
        kept = _place(self.folder, key)
        if key in self.runs:
            with naming(incoming, shown), naming(kept, _place(self.runs[key], key)):
                _adopt(kept, incoming, _place(self.runs[key], key), shown)
            self.twice.append((key, source))
        else:
            kept.parent.mkdir(parents=True, exist_ok=True)
            incoming.rename(kept)
            self.runs[key] = source

    def check_items(self) -> None:
        """Check that all runs predict the same utterances against the same labels."""
        for name in (CLEAN_FILE, CORRUPTED_FILE):
            files = {_place(self.folder, key) / name: key for key in self.runs}
            present = [file for file in files if file.is_file()]
            if not present:
                continue
            try:
                read_predictions(present)
            except InputError as error:
                text = str(error)
                for file, key in files.items():
                    text = text.replace(str(file), str(_place(self.runs[key], key) / name))
                error.args = (text,)
                raise

    def _check_shared(self, file: Path, method: str, record: Mapping[str, Any]) -> None:
        """Refuse a run that goes back to something else than the runs before it."""
        config = record["config"]
        of_study = {key: record.get(key) for key in OF_STUDY}
        of_study |= {f"config.{name}, SHA-256": digest(config.get(name)) for name in SECTIONS}
        values: dict[tuple[str, ...], Any] = {(key,): value for key, value in of_study.items()}
        values |= {(key, method): record.get(key) for key in OF_METHOD}
        for place, value in values.items():
            known, origin = self._known.setdefault(place, (value, file))
            if value != known:
                hint = "Only runs of one study, data, backbone, recipe and source are merged"
                raise InputError(file, place[0], value, f"{known}, as in {origin}", hint)


def _place(results: Path, key: RunKey) -> Path:
    return results / "runs" / key[0] / f"seed{key[1]}"


def _adopt(kept: Path, incoming: Path, shown_kept: Path, shown: Path) -> None:
    """Refuse a run that is known in other bits; of an equal one, take what the known one lacks."""
    hint = (
        f"amb compare-runs {shown_kept} {shown} --tolerance 1e-6 says how far they agree; leave one"
        " of them out"
    )
    for name in (CLEAN_FILE, CORRUPTED_FILE):
        files = [folder / name for folder in (incoming, kept)]
        if all(file.is_file() for file in files) and len(set(map(_values_sha256, files))) > 1:
            found = "others"
            if name == CLEAN_FILE:
                found += f", by {compare_run(kept, incoming).largest:.3g} at most"
            expected = f"those of {shown_kept / name}"
            raise InputError(shown / name, "predictions", found, expected, hint)
    checkpoints = [read_json(folder / RECORD)["checkpoint_sha256"] for folder in (incoming, kept)]
    if checkpoints[0] != checkpoints[1]:
        expected = f"{checkpoints[1]}, as in {shown_kept / CHECKPOINT}"
        raise InputError(shown / CHECKPOINT, "SHA-256", checkpoints[0], expected, hint)
    for file in sorted(incoming.iterdir()):
        if not (kept / file.name).exists() or _is_earlier_note(file, kept / file.name):
            file.replace(kept / file.name)


def _values_sha256(file: Path) -> str:
    return content_digest(pq.read_table(file, columns=list(PREDICTION_COLUMNS), use_threads=False))


def _is_earlier_note(file: Path, kept: Path) -> bool:
    """Whether this is a note of an earlier reading of the test labels: the first one counts."""
    if file.name != EVALUATED:
        return False
    moments = [str(read_json(note).get("first_evaluation_at")) for note in (file, kept)]
    return moments[0] < moments[1]
