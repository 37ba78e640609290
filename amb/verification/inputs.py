"""A checked copy of what the steps read, out of a folder of unknown origin.

Only files whose names follow from the study are opened. Each must be a regular file that lies in
the folder (no link that leaves it) and is no larger than such a file can be. The copy is what is
worked on: the folder stays as it is, and a file that changes meanwhile changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from amb.errors import InputError
from amb.evaluation.predictions import CLEAN_FILE, CORRUPTED_FILE
from amb.family import layerwise_methods
from amb.foreign_files import MIB, checked_file
from amb.registration import PUBLISHED
from amb.reporting.figures import fusion_norms
from amb.resolved_study import CONFIG_STUDY, restore_study
from amb.study import Study

STUDY, METHODS, STORE_CARD = "study.json", "methods.json", "store/card.json"
COSTS = "costs.csv"
FUSION_NORMS = fusion_norms.FILE
RECORD, CURVE, EVALUATED = "run.json", "curve.csv", "evaluated.json"
# The largest file of each kind that is read; real ones are far below.
LARGEST = {".json": 16 * MIB, ".csv": 16 * MIB, ".yaml": MIB, ".yml": MIB, ".parquet": 64 * MIB}
MOST_RUNS = 100_000
_CLAIMS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.ya?ml")
_SPEED_NAME = re.compile(r"[a-z0-9_]{1,200}\.json")


@dataclass(frozen=True)
class Inputs:
    """The checked copy.

    Attributes:
        source: The folder that it was made of.
        folder: The copy.
        study: Its study.
    """

    source: Path
    folder: Path
    study: Study


def copy_inputs(source: Path, target: Path) -> Inputs:
    """Copy what the steps read.

    Args:
        source: A results folder: the workflow's, a reference, or one that somebody sent.
        target: An empty folder for the copy.

    Returns:
        The copy.

    Raises:
        InputError: A file is missing, too large, no regular file or outside the folder, or the
            study breaks the schema.
    """
    if not source.is_dir():
        raise InputError(source, "folder", "no such folder", "a results folder with study.json")
    _copy(source, target, STUDY)
    restored = target / "config" / CONFIG_STUDY
    with naming(target, source), naming(restored, target / STUDY):
        study = restore_study(target / STUDY, restored)
    if sum(len(row.seeds) for row in study.methods.values()) > MOST_RUNS:
        raise InputError(source / STUDY, "seeds", "more runs", f"{MOST_RUNS:,} runs at most")
    for name, required in _names(source, study):
        _copy(source, target, name, required)
    return Inputs(source, target, study)


@contextmanager
def naming(copy: Path, source: Path) -> Iterator[None]:
    """Let errors about files of the copy name the folder that it was made of.

    Args:
        copy: The copy.
        source: The folder.

    Yields:
        Nothing.

    Raises:
        InputError: What the block raised, about the folder's file.
    """
    try:
        yield
    except InputError as error:
        error.args = (str(error).replace(str(copy), str(source)),)
        raise


def _names(source: Path, study: Study) -> Iterator[tuple[str, bool]]:
    """Yield the files that steps read, and whether there is no step without them."""
    claims = study.claims_file().name
    if not _CLAIMS_NAME.fullmatch(claims) or claims == CONFIG_STUDY:
        raise InputError(source / STUDY, "statistics.claims", claims, "the name of a YAML file")
    yield f"config/{claims}", True
    yield f"config/{PUBLISHED}", False
    yield METHODS, study.data["reader"] == "demo"
    yield STORE_CARD, False
    yield COSTS, True
    layerwise = set(layerwise_methods(study))
    for name, row in study.methods.items():
        for seed in row.seeds:
            run = f"runs/{name}/seed{seed}"
            yield f"{run}/{RECORD}", True
            yield f"{run}/{CLEAN_FILE}", True
            yield f"{run}/{CURVE}", not row.known_as
            yield f"{run}/{EVALUATED}", False
            yield f"{run}/{FUSION_NORMS}", name in layerwise
            corrupted = study.corruption is not None and not row.known_as
            yield f"{run}/{CORRUPTED_FILE}", corrupted
    for method in study.tuned_rows():
        yield f"tuned/{method}.json", True
        yield f"tuned/{method}.yaml", True
    if study.statistics.speed and (source / "speed").is_dir():
        timed = sorted(entry.name for entry in os.scandir(source / "speed"))
        yield from ((f"speed/{name}", True) for name in timed if _SPEED_NAME.fullmatch(name))


def _copy(source: Path, target: Path, name: str, required: bool = True) -> None:
    file = checked_file(source, name, LARGEST[Path(name).suffix])
    if file is None:
        if required:
            hint = "Nothing can be made again without it"
            raise InputError(source / name, "file", "no such file", _meaning(name), hint)
        return
    copy = target / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)
    if copy.suffix == ".yaml" or copy.suffix == ".yml":
        _refuse_aliases(copy, source / name)


def _meaning(name: str) -> str:
    if name.startswith("config/"):
        return "the claims that were judged; the workflow writes them there beside study.json"
    return "a file of every results folder" if "/" not in name else "what the study's runs leave"


def _refuse_aliases(file: Path, shown: Path) -> None:
    """Refuse YAML aliases: a few lines of them stand for more values than memory holds."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(file.read_text(encoding="utf-8"), Loader=loader)
        found = next((event for event in events if isinstance(event, yaml.AliasEvent)), None)
    except (yaml.YAMLError, UnicodeDecodeError):
        return  # the step that reads it says what is wrong with it
    if found is not None:
        raise InputError(shown, "YAML", f"the alias *{found.anchor}", "a file without aliases")
